"""Translations that are copies of their sentence, whose codes have exact places."""

import re
from collections.abc import Iterator

from nmt.documents.content import Code, Content, Text
from nmt.documents.translation.sentences.skeleton import Skeleton
from nmt.documents.translation.sentences.standins import token
from nmt.text.normalise import NOISE, normalise

_KEPT = re.compile(rf"\s+|{NOISE.pattern}")
_MAX_AROUND = 8
"""Characters that a copy may have before and after the sentence, such as brackets."""


class _MismatchError(Exception):
    """A word of the sentence that is not in the copy."""


def copied_content(skeleton: Skeleton, target: str) -> Content | None:
    """Return the content of a translation that is the sentence itself, perhaps in other case.

    Args:
        skeleton: of the sentence.
        target: its translation, with tokens; white space is single.

    Returns:
        The content with every mark and every space at the same place, or None if the
        translation is not such a copy.
    """
    # Upper case may have other lengths (`ß`), but not once its case is folded.
    source, folded = skeleton.normalised.casefold(), target.casefold()
    at = folded.find(source) if len(folded) <= len(source) + 2 * _MAX_AROUND else -1
    if at < 0 or any(map(str.isalnum, folded[:at] + folded[at + len(source) :])):
        return None
    before, after = target[:at], target[len(target) - (len(folded) - at - len(source)) :]
    inner = target[at : len(target) - len(after)].replace(" ", "")
    if before.casefold() != folded[:at] or after.casefold() != folded[at + len(source) :]:
        return None
    try:
        pieces = tuple(_pieces(skeleton, inner))
    except _MismatchError:
        return None
    return (*([Text(before)] if before else ()), *pieces, *([Text(after)] if after else ()))


def _pieces(skeleton: Skeleton, copy: str) -> Iterator[Text | Code]:
    """Yield the pieces of the sentence with its letters as in the copy, which has no spaces."""
    flat, at = skeleton.flat, 0
    for element in skeleton.elements:
        start, end = element.start, element.end
        if element.mark is not None:
            yield from flat.slice(start, end)
        elif element.token is not None:
            if copy[at : at + 1] != token(element.token):
                raise _MismatchError
            at += 1
            replacement = skeleton.tokens[element.token].replacement
            yield from flat.slice(start, end) if replacement is None else [Text(replacement)]
        else:
            for first, last, is_kept in _runs(flat.text, start, end):
                if is_kept:
                    yield from flat.slice(first, last)
                    continue
                length = _length(copy, at, normalise(flat.text[first:last]))
                letters = copy[at : at + length]
                at += length
                if letters == flat.text[first:last]:
                    yield from flat.slice(first, last)
                else:
                    yield Text(letters)
    if at != len(copy):
        raise _MismatchError


def _runs(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Yield runs of white space or of invisible characters, and those of others."""
    at = start
    for match in _KEPT.finditer(text, start, end):
        if match.start() > at:
            yield at, match.start(), False
        yield match.start(), match.end(), True
        at = match.end()
    if at < end:
        yield at, end, False


def _length(copy: str, start: int, word: str) -> int:
    """Count the characters of the copy that are a word of the sentence."""
    wanted, found, at = word.casefold(), "", start
    if copy[start : start + len(word)].casefold() == wanted:
        return len(word)
    while len(found) < len(wanted) and at < len(copy):
        found += copy[at].casefold()
        at += 1
    if found != wanted:
        raise _MismatchError
    return at - start
