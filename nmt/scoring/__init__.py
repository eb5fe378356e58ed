"""Scores of any systems on a test set, from their translations alone: no model is needed."""
