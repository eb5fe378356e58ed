"""The queue of rows, its batches, and the translations that are remembered."""
