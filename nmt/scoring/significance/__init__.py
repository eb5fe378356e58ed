"""Judgement of differences between systems: influence of sentences, resampling, Student's t."""
