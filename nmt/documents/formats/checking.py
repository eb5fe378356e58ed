"""Checks that a translated document still has what its source has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nmt.documents.content import Content, Segment, codes_of
from nmt.documents.document import TranslatedSegment
from nmt.documents.errors import BrokenDocumentError

MAX_ATTEMPTS = 4
"""At writing a document; in each, translations that could not be read back are left out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A difference between a translated document, read again, and what was to be written."""

    message: str
    places: frozenset[int] = frozenset()
    """The `id` of each place whose translation causes it; empty if that is not known."""


class _Place(Protocol):
    """Where a text is in its document."""

    @property
    def content(self) -> Content:
        """Return what the source has there."""
        ...


def changed_contents(
    places: Sequence[_Place], translated: Sequence[TranslatedSegment]
) -> dict[int, Content]:
    """Return the translations that differ from their source, by the `id` of their place."""
    return {
        id(place): segment.content
        for place, segment in zip(places, translated, strict=True)
        if segment.content != place.content
    }


def check_codes(segments: Sequence[Segment], translated: Sequence[TranslatedSegment]) -> None:
    """Check that every inline code of each segment is in its translation once.

    Raises:
        BrokenDocumentError: one is missing, doubled or new, or there are more or fewer segments.
    """
    if len(segments) != len(translated):
        raise BrokenDocumentError(
            f"{len(segments)} texts became {len(translated)}. Please report this."
        )
    for source, target in zip(segments, translated, strict=True):
        if target.content is source.content:
            continue
        if codes_of(source.content) != codes_of(target.content):
            raise BrokenDocumentError(
                f"The translation of {source.path[:100]} does not have the inline codes of its "
                "source. Please report this."
            )


def check_structure(before: Sequence[str], after: Sequence[str], what: str) -> None:
    """Check that the parts that are not translated are the same.

    Raises:
        BrokenDocumentError: they are not.
    """
    for number, (old, new) in enumerate(zip(before, after, strict=False), 1):
        if old != new:
            raise BrokenDocumentError(
                f"After translation, {what} {number} is not that of the source. Please report this."
            )
    if len(before) != len(after):
        raise BrokenDocumentError(
            f"After translation, there are {len(after)} {what}s and not {len(before)}. "
            "Please report this."
        )
