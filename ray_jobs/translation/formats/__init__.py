"""One module per format: how rows are read, and written again with their translations."""
