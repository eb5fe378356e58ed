"""Stretches of a translation that are likely to be that of a part of the source."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

MIN_SCORE = 0.6
"""Likeness from which a stretch is taken for the translation of a part."""
# Below that of an equal word, so that this is preferred.
_PREFIX_SCORE, _MAX_STEM_SCORE = 0.95, 0.9
_MIN_PREFIX = 2
_FOREIGN_WEIGHT = 2
"""Weight of a word between two wanted ones: it is seldom part of the same phrase."""
_MAX_CANDIDATES = 16
# Both bound the time for a part, also where all words of a translation are the same.
_MAX_PLACES, _MAX_STARTS = 100, 500


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of words of a translation."""

    start: int
    end: int
    score: float
    """Likeness to the wanted words, 0-1."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A wanted word that is like a word of the translation."""

    wanted: int
    score: float


class WindowFinder:
    """The words of a translation, in which parts of it are found by their own translation."""

    def __init__(self, words: Sequence[str]) -> None:
        """Index the words.

        Args:
            words: keys of the words of the translation, in order.
        """
        self._words = words
        self._by_first: defaultdict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(words):
            self._by_first[word[:1]].append(place)

    def find(self, wanted: Sequence[str]) -> list[Window]:
        """Find the stretches that are like the translation of a part.

        Args:
            wanted: keys of the words of the part's own translation.

        Returns:
            The best first; none that is not alike enough.
        """
        matches: defaultdict[int, list[_Match]] = defaultdict(list)
        for index, word in enumerate(wanted):
            for place in self._by_first.get(word[:1], [])[:_MAX_PLACES]:
                score = similarity(word, self._words[place])
                if score > 0:
                    matches[place].append(_Match(index, score))
        windows = [
            window
            for start in sorted(matches)[:_MAX_STARTS]
            for window in self._windows_from(start, matches, wanted)
        ]
        windows.sort(key=lambda window: (-window.score, window.end - window.start, window.start))
        return windows[:_MAX_CANDIDATES]

    def _windows_from(
        self, start: int, matches: dict[int, list[_Match]], wanted: Sequence[str]
    ) -> list[Window]:
        """Score the stretches that begin at a word, and end with another one that is wanted."""
        total = sum(map(len, wanted))
        covered = [0.0] * len(wanted)
        length = common = found = 0.0
        windows: list[Window] = []
        # A translation inside a sentence may have a word more, and of many words some more.
        max_words = len(wanted) + max(1, len(wanted) // 4)
        for place in range(start, min(start + max_words, len(self._words))):
            # Each word is that of one wanted word at most: of the one that is least covered.
            best = max(
                matches.get(place, ()),
                key=lambda match: match.score - covered[match.wanted],
                default=None,
            )
            gain = best.score - covered[best.wanted] if best else 0.0
            if best is None or gain <= 0:
                length += _FOREIGN_WEIGHT * len(self._words[place])
                continue
            # An ending that is glued to a word does not make it less alike.
            own_length = min(len(self._words[place]), len(wanted[best.wanted]))
            length += own_length
            common += own_length * best.score
            covered[best.wanted] = best.score
            found += gain * len(wanted[best.wanted])
            score = (common + found) / (total + length)
            if score >= MIN_SCORE:
                windows.append(Window(start, place + 1, score))
        return windows


def similarity(wanted: str, word: str) -> float:
    """Compute how likely a word is a form of another one, 0-1.

    Args:
        wanted: key of a word that was translated alone.
        word: key of a word of a translation.
    """
    if wanted == word:
        return 1.0
    shorter = min(len(wanted), len(word))
    pairs = zip(wanted, word, strict=False)
    prefix = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if prefix < _MIN_PREFIX or 2 * prefix < shorter:
        return 0.0
    if prefix == len(wanted):
        return _PREFIX_SCORE
    if prefix == len(word):
        # An ending may be missing, but a short word may also be another one.
        return _PREFIX_SCORE * (1 + len(word) / len(wanted)) / 2
    # The end of the stem may change too: `மரம்` becomes `மரத்தில்`.
    common = sum((Counter(wanted) & Counter(word)).values())
    return min(_MAX_STEM_SCORE, (prefix + common) / (2 * shorter))
