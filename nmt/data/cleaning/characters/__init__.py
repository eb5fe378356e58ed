"""Texts as characters: scripts, kinds of characters, normalisation, all for many texts at once."""
