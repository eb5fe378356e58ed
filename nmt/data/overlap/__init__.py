"""Pairs that repeat each other, within a corpus and between training and held-out text."""

from nmt.data.overlap.cutting import cut
from nmt.data.overlap.duplicates import duplicates, excess_targets, near_duplicates
from nmt.data.overlap.keys import Keys, Texts, keys_of
from nmt.data.overlap.leaks import leaked_from, leaks, sharing
from nmt.data.overlap.linked import groups
from nmt.data.overlap.matched import matched

__all__ = [
    "Keys", "Texts", "cut", "duplicates", "excess_targets", "groups", "keys_of", "leaked_from",
    "leaks", "matched", "near_duplicates", "sharing",
]  # fmt: skip
