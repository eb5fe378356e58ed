"""Readers for inputs of several files: folders, and data sets of the hub."""
