"""The formats of documents: each finds the texts in a file, and writes the file with others."""
