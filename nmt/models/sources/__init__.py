"""Where a base model comes from, and whether it is still the same."""
