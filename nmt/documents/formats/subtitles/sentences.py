"""Sentences that go over several cues."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.documents.formats.subtitles.parts import Part
from nmt.text.segment import split_text

_MAX_GAP = 2.0
"""Seconds between two cues of one sentence."""
# Automatic captions may have no end of a sentence at all.
_MAX_FRAGMENTS, _MAX_CHARACTERS = 6, 500
_ENDS = re.compile(r"(?:[.!?…:;।。！？：；]|--|[-–—])[\"'”’»)\]]*$|[)\]♪]$")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:Mr|Mrs|Ms|Dr|Prof|St|vs|e\.g|i\.e|\w)\.$")
# The name of a speaker, a sound, or a song.
_BEGINS_ANEW = re.compile(r"[\[(♪#*\"“«>]|[-–—]|\w[\w .'-]{0,30}:\s|\.\.\.|…")
_HAS_TOKEN = re.compile(r"\d|://|www\.|@|[{}%$]")
_LINE_BREAK = re.compile(r"[\r\n\t]")


@dataclass(frozen=True, slots=True)
class Fragment:
    """The text of a segment in one part of a cue."""

    part: int
    """Number of the part among all."""
    start: int
    end: int


Unit = tuple[Fragment, ...]
"""What is translated together: sentences of one part, or one sentence over several."""


def find_units(text: str, parts: Sequence[Part], language: str) -> Iterator[Unit]:
    """Yield what is translated together, in order.

    Args:
        text: of the file.
        parts: of all cues, in order.
        language: FLORES-200 code of the text.
    """
    first = 0
    for number in range(len(parts)):
        is_last = number + 1 == len(parts)
        if is_last or not _goes_on(text, parts[number], parts[number + 1]):
            yield from _group_units(text, parts, range(first, number + 1), language)
            first = number + 1


def _goes_on(text: str, part: Part, following: Part) -> bool:
    """Tell whether a sentence may go on in the part that follows."""
    words = text[slice(*part.core)]
    is_next_cue = following.text.cue == part.text.cue + 1
    gap = following.text.begins - part.text.ends
    is_soon = is_next_cue and gap < _MAX_GAP and following.text.begins > part.text.begins
    if not is_soon or following.has_dash or part.has_codes or following.has_codes:
        return False
    # Other tags are another voice or another place on the screen.
    if (part.before, part.after) != (following.before, following.after):
        return False
    is_end = _ENDS.search(words[-10:]) and not _ABBREVIATION.search(words[-10:])
    return not is_end and not _BEGINS_ANEW.match(text[slice(*following.core)])


def _group_units(text: str, parts: Sequence[Part], group: range, language: str) -> Iterator[Unit]:
    """Yield the units of parts among which sentences go on."""
    waiting: list[Fragment] = []
    for fragments in _sentences(text, parts, group, language) if len(group) > 1 else ():
        joined = _is_joined(text, fragments)
        for fragment in fragments:
            if waiting and (joined or waiting[-1].part != fragment.part):
                yield _merged(waiting)
                waiting = []
            if not joined:
                waiting.append(fragment)
        if joined:
            yield tuple(fragments)
    if waiting:
        yield _merged(waiting)
    if len(group) == 1:
        yield (Fragment(group[0], *parts[group[0]].core),)


def _merged(fragments: Sequence[Fragment]) -> Unit:
    """Join sentences of one part that follow each other."""
    return (Fragment(fragments[0].part, fragments[0].start, fragments[-1].end),)


def _sentences(
    text: str, parts: Sequence[Part], group: range, language: str
) -> Iterator[list[Fragment]]:
    """Yield the sentences of parts, each with its fragments."""
    places = [(number, *parts[number].core) for number in group]
    joined = " ".join(text[start:end] for _, start, end in places)
    at = place = 0
    offset = places[0][1]  # of a character of `joined` in the file
    # Of the same length, so that places can be counted.
    for sentence in split_text(_LINE_BREAK.sub(" ", joined), language):
        start, at = at, at + len(sentence.text)
        if not sentence.text.strip():
            continue
        fragments: list[Fragment] = []
        while True:
            number, begin, end = places[place]
            first, last = max(start + offset, begin), min(at + offset, end)
            if first < last:
                fragments.append(_trimmed(text, Fragment(number, first, last)))
            if at + offset <= end or place + 1 == len(places):
                break
            # A space stands between two parts in `joined`.
            offset += places[place + 1][1] - end - 1
            place += 1
        yield [fragment for fragment in fragments if fragment.start < fragment.end]


def _trimmed(text: str, fragment: Fragment) -> Fragment:
    """Return a fragment without the space around it."""
    words = text[fragment.start : fragment.end]
    start = fragment.start + len(words) - len(words.lstrip())
    return Fragment(fragment.part, start, max(start, fragment.start + len(words.rstrip())))


def _is_joined(text: str, fragments: Sequence[Fragment]) -> bool:
    """Tell whether the fragments of a sentence are translated together."""
    if not 1 < len(fragments) <= _MAX_FRAGMENTS:
        return False
    words = [text[fragment.start : fragment.end] for fragment in fragments]
    # Numbers and addresses have to stay in their cue. With those of one cue, the translation can be
    # cut so; with those of several it cannot if their order changes.
    with_tokens = sum(_HAS_TOKEN.search(each) is not None for each in words)
    return with_tokens < 2 and sum(map(len, words)) <= _MAX_CHARACTERS
