"""Readers for translation memories (TMX) and translation files (XLIFF)."""
