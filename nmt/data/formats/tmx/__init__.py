"""The reader for translation memories (TMX)."""
