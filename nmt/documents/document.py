"""What every format of documents offers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from nmt.documents.content import Content, Segment

WarningKind = Literal[
    "length",
    "repetition",
    "copied",
    "other_script",
    "empty",
    "numbers",
    "punctuation",
    "cut",
    "guessed",
    "glossary",
    "unfinished",
]


@dataclass(frozen=True, slots=True)
class SegmentWarning:
    """A doubt about the translation of one sentence."""

    kind: WarningKind
    """`cut`: the sentence was translated in parts, around a word that had to survive. `guessed`:
    the place of a tag is an estimate. `glossary`: a term of the glossary is missing."""
    path: str
    """Of its segment."""
    source: str
    """The sentence, or the term."""


@dataclass(frozen=True, slots=True)
class GlossaryMatch:
    """A term of the glossary that the source has."""

    source: str
    target: str
    count: int
    """Number of times that the source has it."""
    is_applied: bool
    """Whether the translation has the target term every time."""


# Not frozen, like `Segment`.
@dataclass(slots=True, unsafe_hash=True)
class TranslatedSegment:
    """A segment with its translation."""

    content: Content
    """Every code of the source once, perhaps in another order; a text with `raw` is a piece of the
    source as it was, one without is new."""
    alternatives: tuple[Content, ...] = ()
    """Other translations, the best first; not those that are equal."""
    confidence: float | None = None
    """Of its sentences, the lowest, between 0 and 1; None if nothing was translated."""
    warnings: tuple[SegmentWarning, ...] = ()
    glossary: tuple[GlossaryMatch, ...] = ()

    @property
    def is_doubtful(self) -> bool:
        """Tell whether a translator should look at it: formats that can, mark it."""
        return bool(self.warnings)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a document is read and written."""

    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    encoding: str | None = None
    """Of the file; None for the one that the file declares, else UTF-8."""
    overwrite: bool = False
    """Whether finished translations in XLIFF and PO files are made anew."""
    is_wrapped: bool = False
    """Whether lines of a plain text are joined to paragraphs."""
    keys: tuple[str, ...] = ()
    """JSON: pointers of the values to translate, with `*` for any key; all prose if empty."""
    skipped_keys: tuple[str, ...] = ()
    """JSON: pointers of values that are left as they are."""
    untranslated_elements: tuple[str, ...] = ()
    """HTML: names of elements that are left as they are, each as a word of its sentence."""


class Document(Protocol):
    """A file that was read."""

    @property
    def segments(self) -> Sequence[Segment]:
        """Return the segments, in the order of the file."""
        ...

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the file with its segments translated, in order, and check the result.

        Segments with their own content give the bytes of the source.

        Raises:
            BrokenDocumentError: read again, the result lacks a code or has another structure.
            DocumentError: the encoding of the file cannot hold the translation.
        """
        ...


ReadDocument = Callable[[bytes, ReadOptions], Document]
"""Reads a file; raises DocumentError, DocumentTooLargeError or UnknownFormatError."""
