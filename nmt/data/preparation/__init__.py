"""The stages of `nmt prepare`: read, clean in blocks, compare all pairs, write the splits."""
