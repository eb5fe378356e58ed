"""JSON files, and the strings in them that people read."""
