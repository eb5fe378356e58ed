"""One sentence in two languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A source sentence and its translation, in NFC."""

    source: str
    target: str
