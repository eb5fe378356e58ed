"""Scores of translations in files: the input, COMET on Ray, and what is written."""
