"""How jobs and releases stand."""
