"""Stored translations, as the report is given them."""

from collections.abc import Iterable
from dataclasses import dataclass

from nmt.scoring.stored import HypothesisRow


@dataclass(frozen=True, slots=True)
class StoredSet:
    """The translations of one test set by one system."""

    test_set: str
    system: str
    rows: Iterable[HypothesisRow]
    """One for each sentence, in order; read once."""
