"""Ratings and corrections of translations, kept as rows that a training can read."""
