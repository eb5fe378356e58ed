"""Evaluation of a run: translations of its systems, their scores, and how sure a difference is."""
