"""From trained weights to an engine: merge, compare, convert, file it under its content."""
