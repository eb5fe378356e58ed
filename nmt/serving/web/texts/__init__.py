"""Texts and files of a request: prepared, translated with one engine, and written again."""
