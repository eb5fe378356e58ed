"""Engines: the exported form of a model, and what translates with it."""
