"""A search for settings: what it tries, what it has found, what a training takes from it."""
