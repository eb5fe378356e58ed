"""White space and invisible characters of a sentence, put back into its translation."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.documents.translation.placing.anchors import find_anchors
from nmt.documents.translation.words import Word, words_of
from nmt.languages import languages
from nmt.text.normalise import NOISE, normalise

_RUN = re.compile(rf"(?:{NOISE.pattern})?\s(?:\s|{NOISE.pattern})*")
"""White space with the invisible characters in it."""
_SPECIAL = re.compile(rf"{_RUN.pattern}|{NOISE.pattern}")
# Anything but letters with single spaces in between.
_NEEDS_WORK = re.compile(rf"[^\S ]|  |{NOISE.pattern}")
_KEPT = re.compile(rf"[\u00a0\u2007\u202f]|{NOISE.pattern}")
"""What is kept even where a translation has no space for it."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """A run of white space, or an invisible character inside a word."""

    start: int
    end: int
    text: str

    @property
    def is_space(self) -> bool:
        return _RUN.fullmatch(self.text) is not None

    @property
    def is_kept(self) -> bool:
        return _KEPT.search(self.text) is not None


def restore_spacing(source: str, translation: str, target_language: str) -> str:
    """Put the white space and the invisible characters of a sentence into its translation.

    Line breaks, tabs and runs of spaces come to the same share of the text, where there is a
    space; in a language without spaces, they are dropped. No-break spaces and invisible characters
    are all kept, beside the number or the name that they were beside.

    Args:
        source: the sentence as it was.
        translation: of the normalised sentence, with single spaces.
        target_language: FLORES-200 code.

    Returns:
        The source itself if the translation is the normalised sentence.
    """
    if not _NEEDS_WORK.search(source):
        return translation
    if translation == normalise(source):
        return source
    return _Spacing(source, translation, target_language).restored()


class _Spacing:
    """The spacing of a sentence that is put into its translation."""

    def __init__(self, source: str, target: str, target_language: str) -> None:
        self._source, self._target = source, target
        self._gaps = [
            _Gap(match.start(), match.end(), match[0]) for match in _SPECIAL.finditer(source)
        ]
        self._slots = [match.start() for match in re.finditer(r"\s", target)]
        self._source_words, self._target_words = words_of(source), words_of(target)
        self._anchors = find_anchors(source, self._source_words, self._target_words)
        self._ends = [word.end for word in self._source_words]
        self._is_unsegmented = languages()[target_language].is_unsegmented

    def restored(self) -> str:
        """Return the translation with the spacing of the source."""
        edits: list[tuple[int, int, str]] = []
        slots = self._choose_slots()
        for gap in self._gaps:
            slot = slots.get(gap)
            if slot is not None:
                edits.append((slot, slot + 1, gap.text))
            elif gap.is_kept:
                at = self._place(gap)
                edits.append((at, at, gap.text))
        pieces, at = list[str](), 0
        for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
            pieces += [self._target[at:start], text]
            at = max(at, end)
        return "".join([*pieces, self._target[at:]])

    def _choose_slots(self) -> dict[_Gap, int]:
        """Choose a space of the translation for each run of white space."""
        spaces = [gap for gap in self._gaps if gap.is_space]
        if len(spaces) == len(self._slots):
            return dict(zip(spaces, self._slots, strict=True))
        chosen: dict[_Gap, int] = {}
        free = set(self._slots)
        for gap in spaces:
            slot = self._anchored_slot(gap) if gap.is_kept else None
            if slot in free:
                chosen[gap] = slot
                free.discard(slot)
        special = [gap for gap in spaces if gap.text != " " and gap not in chosen]
        if self._is_unsegmented or len(special) > len(free):
            special = [gap for gap in special if gap.is_kept]
        return chosen | dict(self._by_share(special, sorted(free)))

    def _by_share(self, gaps: Sequence[_Gap], slots: Sequence[int]) -> Iterator[tuple[_Gap, int]]:
        """Choose for each run, in order, the free space at the most similar share of the text."""
        ratio = len(self._target) / max(len(self._source), 1)
        first = 0
        for index, gap in enumerate(gaps):
            # As many spaces are left as runs are still to come.
            last = len(slots) - (len(gaps) - index)
            if first > last:
                return
            wanted = (gap.start + gap.end) / 2 * ratio
            at = bisect_left(slots, wanted, first, last)
            if at > first and wanted - slots[at - 1] < slots[at] - wanted:
                at -= 1
            yield gap, slots[at]
            first = at + 1

    def _anchored_slot(self, gap: _Gap) -> int | None:
        """Find the space beside the word that a run is beside, if that was copied."""
        for word, is_after in self._beside(gap):
            if word in self._anchors:
                target = self._target_words[self._anchors[word]]
                return target.end if is_after else target.start - 1
        return None

    def _place(self, gap: _Gap) -> int:
        """Find a place for what has to be kept and has no space, at an end of a word."""
        beside = self._beside(gap)
        if not beside or not self._target_words:
            return len(self._target)
        word, is_after = next((each for each in beside if each[0] in self._anchors), beside[0])
        place = self._anchors.get(word)
        if place is None:
            share = word / len(self._source_words)
            return self._end_of(self._target_words[int(share * len(self._target_words))], is_after)
        source, target = self._source_words[word], self._target_words[place]
        if source.start < gap.start < source.end:
            # The word is the same, but for what is invisible in it.
            before = NOISE.sub("", self._source[source.start : gap.start])
            return min(target.start + len(before), target.end)
        return self._end_of(target, is_after)

    def _beside(self, gap: _Gap) -> list[tuple[int, bool]]:
        """Find the words at a gap: that before it or around it, and that behind it.

        Returns:
            Indices of the words, and whether the gap is behind them.
        """
        at = bisect_left(self._ends, gap.start)
        count = len(self._source_words)
        if at < count and self._source_words[at].start < gap.start:
            following = at + 1 if self._source_words[at].end == gap.start else at
            return [(at, True)] + [(following, False)] * (at < following < count)
        return [(at - 1, True)] * (at > 0) + [(at, False)] * (at < count)

    def _end_of(self, word: Word, is_after: bool) -> int:
        return word.end if is_after else word.start
