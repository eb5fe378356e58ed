"""What a run has gained: significance, the summary and the report."""
