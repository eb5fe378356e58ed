"""Places in a translation that has all words of its source, as of a text that stays as it is."""

from bisect import bisect_right
from collections.abc import Sequence

from nmt.documents.translation.words import Word


class CopiedPlaces:
    """The positions of a source in a translation that repeats it."""

    def __init__(
        self, texts: tuple[str, str], words: tuple[Sequence[Word], Sequence[Word]], offset: int
    ) -> None:
        """Keep what the positions are computed from; `find_copy` makes it.

        Args:
            texts: source and target.
            words: of both.
            offset: number of words of the target before the copy.
        """
        self._source, self._target = texts
        self._source_words, self._target_words = words
        self._offset = offset
        self._starts = [word.start for word in self._source_words]

    def map(self, position: int) -> int:
        """Find the position in the target for one in the source."""
        before = bisect_right(self._starts, position) - 1
        if before < 0:
            return self._map_in_gap(position, -1)
        word = self._source_words[before]
        if position >= word.end:
            return self._map_in_gap(position, before)
        # In capitals, a letter may become two, as in `STRASSE`.
        part = self._source[word.start : position]
        target = self._target_words[before + self._offset]
        is_copy = self._target[target.start : target.end] == self._source[word.start : word.end]
        length = len(part) if is_copy else len(part.upper())
        return min(target.start + length, target.end)

    def _map_in_gap(self, position: int, before: int) -> int:
        """Find the position between two words, or outside all of them."""
        start, end = _gap(self._source_words, before, len(self._source))
        at = before + self._offset
        target_start, target_end = _gap(self._target_words, at, len(self._target))
        from_start, from_end = position - start, end - position
        # Measured from the word that is nearer, since the ends of the translation may have more.
        if before < 0 or (from_end < from_start and before + 1 < len(self._source_words)):
            return max(target_end - from_end, target_start)
        return min(target_start + from_start, target_end)


def find_copy(
    source: str, target: str, source_words: Sequence[Word], target_words: Sequence[Word]
) -> CopiedPlaces | None:
    """Find the words of a source, all in a row and in any case, in its translation."""
    # A separator that no key has makes one search of the comparison of all words.
    wanted = "".join(f"\n{word.key}" for word in source_words) + "\n"
    text = "".join(f"\n{word.key}" for word in target_words) + "\n"
    found = text.find(wanted) if source_words else -1
    if found < 0:
        return None
    return CopiedPlaces((source, target), (source_words, target_words), text.count("\n", 0, found))


def _gap(words: Sequence[Word], before: int, length: int) -> tuple[int, int]:
    start = words[before].end if before >= 0 else 0
    end = words[before + 1].start if before + 1 < len(words) else length
    return start, end
