"""Test sets as they are scored: whole, and with their text as it is."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TestSet:
    """The sentences of a test set, with one or several references each."""

    __test__ = False  # pytest collects classes by this prefix

    name: str
    sources: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    """For each reference, a text of every sentence; at least one reference."""
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    domains: tuple[str, ...] | None = None
    """The domain or corpus of each sentence."""
    documents: tuple[str, ...] | None = None
    """The document of each sentence."""

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.sources)

    @property
    def digest(self) -> str:
        """Compute twelve hexadecimal digits that identify sources and references."""
        return digest_of_texts([self.sources, *self.references])


def digest_of_texts(columns: Sequence[Sequence[str]]) -> str:
    """Compute twelve hexadecimal digits that identify columns of texts."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(f"{len(column)}\0".encode())
        digest.update("\0".join(_written(column)).encode())
    return digest.hexdigest()[:12]


def _written(column: Sequence[str]) -> Iterator[str]:
    # A text may hold a zero byte, which must not look like the end of it.
    return (f"{len(text)}:{text}" for text in column)
