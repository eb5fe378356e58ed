"""Places of inline codes in the translation of a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nmt.documents.content import Code


@dataclass(frozen=True, slots=True)
class CodeAt:
    """An inline code and its place in a sentence."""

    position: int
    """Number of characters of the sentence before it."""
    code: Code


@dataclass(frozen=True, slots=True)
class Placement:
    """The places of a sentence's codes in its translation."""

    codes: tuple[CodeAt, ...]
    """Every code of the source once, in the order in which they are written."""
    guessed: tuple[Code, ...]
    """Those whose place is an estimate."""
    cut: tuple[tuple[int, int], ...]
    """Ranges of the source that must be translated alone, since a code there has to be in the
    right place and it was not found; start and end of a range are equal for a code without text."""


def texts_to_translate(source: str, codes: Sequence[CodeAt]) -> list[str]:
    """Find the texts whose own translations are needed to place the codes of a sentence.

    Args:
        source: the sentence.
        codes: its codes, in order.
    """
    return []


def place_codes(
    source: str,
    target: str,
    codes: Sequence[CodeAt],
    translations: Mapping[str, str],
    target_language: str,
) -> Placement:
    """Find the places of a sentence's codes in its translation.

    Args:
        source: the sentence.
        target: its translation. Words that stay as they are must be the same in both.
        codes: codes of the source that are not words, in order.
        translations: of `texts_to_translate`; one that is missing is done without.
        target_language: FLORES-200 code.
    """
    if source.upper() == target.upper():
        return Placement(tuple(codes), (), ())
    last, total = 0, max(len(source), 1)
    places: list[CodeAt] = []
    for each in codes:
        position = round(each.position * len(target) / total)
        while 0 < position < len(target) and not target[position].isspace():
            position += 1
        last = max(last, position)
        places.append(CodeAt(last, each.code))
    return Placement(tuple(places), tuple(each.code for each in codes), ())
