"""Detection of single faults of translations."""
