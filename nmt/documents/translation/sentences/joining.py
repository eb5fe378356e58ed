"""Translated sentences put together to the content of their segment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.documents.content import Code, Content, Text
from nmt.documents.document import WarningKind
from nmt.documents.translation.flat import Flat, Part
from nmt.languages import languages
from nmt.text.document import sentence_separator
from nmt.text.edges import CODE, TOKEN


@dataclass(frozen=True, slots=True)
class AppliedTerm:
    """A term of the glossary in a sentence."""

    source: str
    target: str
    is_applied: bool


@dataclass(frozen=True, slots=True)
class Translated:
    """A range of a content, translated or as it was."""

    contents: Sequence[Content]
    """The best first; at least one."""
    is_changed: bool = False
    confidence: float | None = None
    warnings: Sequence[tuple[WarningKind, str]] = ()
    """With the sentence, or the term, that each is about."""
    terms: Sequence[AppliedTerm] = ()


def join_parts(
    flat: Flat,
    parts: Sequence[Part],
    translated: Sequence[Translated],
    source_language: str,
    target_language: str,
) -> Translated:
    """Join the parts of a content.

    Args:
        flat: the content.
        parts: of it, in order.
        translated: of those that are sentences, in order.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
    """
    parts = _merged(parts)
    contents: list[Content] = []
    for rank in range(max((len(each.contents) for each in translated), default=1)):
        pieces = _pieces(flat, parts, translated, rank, (source_language, target_language))
        content = tuple(pieces)
        if content not in contents:
            contents.append(content)
    confidences = [each.confidence for each in translated if each.confidence is not None]
    return Translated(
        contents,
        any(each.is_changed for each in translated),
        min(confidences, default=None),
        [warning for each in translated for warning in each.warnings],
        [term for each in translated for term in each.terms],
    )


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Make one part of what is between two sentences."""
    merged: list[Part] = []
    for part in parts:
        if part.start == part.end:
            continue
        if merged and not part.is_sentence and not merged[-1].is_sentence:
            merged[-1] = Part(merged[-1].start, part.end, is_sentence=False)
        else:
            merged.append(part)
    return merged


def _pieces(
    flat: Flat,
    parts: Sequence[Part],
    translated: Sequence[Translated],
    rank: int,
    pair: tuple[str, str],
) -> Iterator[Text | Code]:
    """Yield the pieces of the translation of a rank, or the best one of a sentence with fewer."""
    remaining = iter(translated)
    separator = sentence_separator(pair[1])
    # Languages without spaces have none between two sentences, or around an address, either.
    is_apart = bool(separator) and languages()[pair[0]].is_unsegmented
    was_changed, at = False, 0
    for index, part in enumerate(parts):
        if not part.is_sentence:
            # An address after a translated part of its sentence.
            if is_apart and was_changed and flat.masked[part.start] == TOKEN:
                yield Text(separator)
            follows = index + 1 < len(parts) and parts[index + 1].is_sentence
            yield from _between(flat, part, was_changed and follows and not separator)
            continue
        sentence = next(remaining)
        if is_apart and sentence.is_changed and at and not _is_space(flat, part.start - 1):
            yield Text(separator)
        yield from sentence.contents[min(rank, len(sentence.contents) - 1)]
        was_changed, at = sentence.is_changed, part.end


def _between(flat: Flat, part: Part, is_dropped: bool) -> Iterator[Text | Code]:
    """Yield what is between two sentences; into Chinese, without the spaces there."""
    pieces = flat.slice(part.start, part.end)
    if is_dropped and not flat.masked[part.start : part.end].replace(CODE, "").strip(" "):
        return (piece for piece in pieces if isinstance(piece, Code))
    return pieces


def _is_space(flat: Flat, position: int) -> bool:
    return position >= 0 and flat.masked[position].isspace()
