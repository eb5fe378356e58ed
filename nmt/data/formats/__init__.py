"""One reader per format; each yields (source, target) as they stand in the file."""
