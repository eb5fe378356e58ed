"""Evaluation of a run: translations of test sets by its systems and others, and their scores."""
