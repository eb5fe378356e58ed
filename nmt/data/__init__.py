"""Parallel text: reading, cleaning, splitting and batching it."""
