"""The search for the words of pairs of codes that are beside each other."""

from bisect import bisect, bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.documents.translation.placing.sentence_pair import SentencePair
from nmt.documents.translation.placing.tree import Node
from nmt.documents.translation.placing.windows import Window

_ALIKE = 0.06
"""Difference of the scores of stretches that are equally likely."""


@dataclass(frozen=True, slots=True)
class Area:
    """The words of a pair in the source, and in the target."""

    source: range
    target: range
    is_guessed: bool = False


class Siblings:
    """The pairs of codes inside one pair, or of the whole sentence."""

    def __init__(self, pair: SentencePair, area: Area, nodes: Sequence[Node]) -> None:
        """Prepare the search.

        Args:
            pair: the sentence and its translation.
            area: in which the pairs are.
            nodes: the pairs that have words, in order.
        """
        self._pair, self._area = pair, area
        self._words = {node: pair.words_in(node.start, node.end) for node in nodes}
        self.areas: dict[Node, Area] = {}
        """What was found."""
        self._taken: set[int] = set()
        # Pairs of words that belong together; between them, the words are in the same order.
        self._knots = [(area.source.start - 1, area.target.start - 1)]
        self._knots += sorted(
            (word, place)
            for word, place in pair.anchors.items()
            if word in area.source and place in area.target
        )
        self._knots.append((area.source.stop, area.target.stop))

    def find(self) -> None:
        """Find the pairs that are in the target without doubt, or with little."""
        for node, words in self._words.items():
            certain = self._find_certain(words)
            if certain is not None and self._is_free(certain):
                self._keep(node, certain, is_guessed=False)
        remaining = [
            (windows[0].score, node)
            for node, words in self._words.items()
            if node not in self.areas and (windows := self._windows(words, node.start, node.end))
        ]
        # The surest first; of equal ones, as of two links `here`, the first one.
        for _, node in sorted(remaining, key=lambda each: -each[0]):
            chosen = self._choose(self._words[node], node.start, node.end)
            if chosen is not None:
                self._keep(node, chosen, is_guessed=False)

    def guess(self, node: Node) -> bool:
        """Estimate the words of a pair by its place in the source.

        Returns:
            Whether there are words that no other pair has; if not, its place has none.
        """
        words = self._words[node]
        inside = self._inside(words)
        expected = self.expect((words.start + words.stop - 1) / 2)
        free = [place for place in inside if self._may_have(place, words)]
        first = free[0] if free else self._nearest(expected, words)
        if first is None:
            start = min(max(round(expected), self._area.target.start), self._area.target.stop)
            self._keep(node, range(start, start), is_guessed=True)
            return False
        ratio = len(self._area.target) / len(self._area.source)
        wanted = max(1, round(len(words) * ratio))
        start, stop = first, first + 1
        while stop - start < wanted:
            after = stop in self._area.target and self._may_have(stop, words)
            before = start - 1 in self._area.target and self._may_have(start - 1, words)
            if after and (not before or stop - expected <= expected - start + 1):
                stop += 1
            elif before:
                start -= 1
            else:
                break
        self._keep(node, range(start, stop), is_guessed=True)
        return True

    def find_word(self, word: int) -> tuple[int, bool]:
        """Find a word of the source that is in no pair.

        Returns:
            The word of the target, and whether it is an estimate.
        """
        if word in self._pair.anchors and self._pair.anchors[word] in self._area.target:
            return self._pair.anchors[word], False
        at = self._pair.source_words[word]
        chosen = self._choose(range(word, word + 1), at.start, at.end)
        if chosen is not None:
            return chosen.start, False
        expected = self.expect(word)
        nearest = self._nearest(expected, range(word, word + 1))
        return round(expected) if nearest is None else nearest, True

    def expect(self, word: float) -> float:
        """Estimate where a word of the source is in the target, by those around it."""
        at = bisect(self._knots, (word, -1))
        (before, place), (after, next_place) = self._knots[at - 1], self._knots[at]
        if after == before:
            return place
        return place + (next_place - place) * (word - before) / (after - before)

    def _nearest(self, expected: float, words: range) -> int | None:
        """Find the word nearest to a place that may be one of some words of the source."""
        center = round(expected)
        # Outwards, as the first one is free in most cases.
        for distance in range(len(self._area.target) + 1):
            for place in (center - distance, center + distance):
                if self._may_have(place, words):
                    return place
        return None

    def _find_certain(self, words: range) -> range | None:
        """Find the words of a pair that has all words of the area, or whose words were copied."""
        if words == self._area.source:
            return self._area.target
        if any(word not in self._pair.anchors for word in words):
            return None
        inside = self._inside(words)
        hull = range(min(inside), max(inside) + 1)
        return hull if len(hull) <= len(words) + 1 else None

    def _fitting(self, window: Window, words: range) -> range | None:
        """Widen a stretch to the copied words of a pair; None if it cannot be this pair."""
        inside = self._inside(words)
        stretch = range(
            min([window.start, *inside]), max([window.end, *(each + 1 for each in inside)])
        )
        too_wide = len(stretch) > window.end - window.start + 2
        fits = not too_wide and all(self._may_have(place, words) for place in stretch)
        return stretch if fits else None

    def _windows(self, words: range, start: int, end: int) -> list[Window]:
        windows = self._pair.find_windows(start, end)
        return [each for each in windows if self._fitting(each, words) is not None]

    def _choose(self, words: range, start: int, end: int) -> range | None:
        """Choose among the stretches that are like the translation of a part of the source."""
        windows = self._windows(words, start, end)
        if not windows:
            return None
        alike = [each for each in windows if each.score >= windows[0].score - _ALIKE]
        apart: list[Window] = []
        for each in alike:
            if all(each.end <= other.start or other.end <= each.start for other in apart):
                apart.append(each)
        apart.sort(key=lambda window: window.start)
        # If a word comes as often in the target as in the source, they are in the same order.
        places = self._pair.occurrences(words)
        source = self._area.source
        first, own, last = (
            bisect_left(places, each) for each in (source.start, words.start, source.stop)
        )
        if last - first == len(apart):
            return self._fitting(apart[own - first], words)
        expected = self.expect(words.start)
        nearest = min(apart, key=lambda window: abs(window.start - expected))
        return self._fitting(nearest, words)

    def _inside(self, words: range) -> list[int]:
        """Find the words of the target that were copied from a pair."""
        return [self._pair.anchors[word] for word in words if word in self._pair.anchors]

    def _is_free(self, stretch: range) -> bool:
        in_area = (
            stretch.start >= self._area.target.start and stretch.stop <= self._area.target.stop
        )
        return len(stretch) > 0 and in_area and self._taken.isdisjoint(stretch)

    def _may_have(self, place: int, words: range) -> bool:
        """Tell whether a word of the target may be one of a pair's words."""
        if place in self._taken or place not in self._area.target:
            return False
        owner = self._pair.owners.get(place)
        return owner is None or owner in words

    def _keep(self, node: Node, stretch: range, *, is_guessed: bool) -> None:
        words = self._words[node]
        self.areas[node] = Area(words, stretch, is_guessed)
        self._taken.update(stretch)
        if not is_guessed:
            insort(self._knots, (words.start, stretch.start))
            insort(self._knots, (words.stop - 1, stretch.stop - 1))
