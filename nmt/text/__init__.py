"""Text of any length, as sentences that a model reads one by one."""
