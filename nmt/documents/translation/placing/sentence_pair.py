"""A sentence and its translation as words, with those that were copied."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property

from nmt.documents.translation.placing.anchors import find_anchors
from nmt.documents.translation.placing.windows import Window, WindowFinder
from nmt.documents.translation.words import words_of
from nmt.text.normalise import normalise


class SentencePair:
    """The words of a sentence and of its translation."""

    def __init__(self, source: str, target: str, translations: Mapping[str, str]) -> None:
        """Find the words, and those that were copied.

        Args:
            source: the sentence.
            target: its translation.
            translations: of parts of the sentence, each made alone.
        """
        self.source, self.target = source, target
        self.source_words, self.target_words = words_of(source), words_of(target)
        self.anchors = find_anchors(source, self.source_words, self.target_words)
        """Indices of copied words: of the target by those of the source."""
        self.owners = {place: word for word, place in self.anchors.items()}
        self._translations = translations
        self._starts = [word.start for word in self.source_words]
        self._ends = [word.end for word in self.source_words]
        self._found: dict[str, Sequence[Window]] = {}
        self._occurrences: dict[tuple[str, ...], list[int]] = {}

    def words_in(self, start: int, end: int) -> range:
        """Find the words of the source that are in a range of characters, at least in part."""
        return range(bisect_right(self._ends, start), bisect_left(self._starts, end))

    def find_windows(self, start: int, end: int) -> Sequence[Window]:
        """Find the stretches of the target that are like the own translation of a part."""
        text = normalise(self.source[start:end])
        if text not in self._found:
            wanted = [word.key for word in words_of(self._translations.get(text, ""))]
            self._found[text] = self._finder.find(wanted)
        return self._found[text]

    def occurrences(self, words: range) -> list[int]:
        """Find where the source has the same words, in order."""
        wanted = tuple(self._source_keys[words.start : words.stop])
        if wanted not in self._occurrences:
            self._occurrences[wanted] = [
                place
                for place, key in enumerate(self._source_keys)
                if key == wanted[0]
                and tuple(self._source_keys[place : place + len(wanted)]) == wanted
            ]
        return self._occurrences[wanted]

    def past_signs(self, position: int, count: int) -> int:
        """Move a position over signs of punctuation of the target that touch a word.

        Args:
            position: in the target.
            count: maximum number of signs; negative to go back.
        """
        step = 1 if count > 0 else -1
        for _ in range(abs(count)):
            at = position if count > 0 else position - 1
            if not 0 <= at < len(self.target) or self._is_word_or_space[at]:
                break
            position += step
        return position

    @cached_property
    def _is_word_or_space(self) -> bytearray:
        marks = bytearray(map(str.isspace, self.target))
        for word in self.target_words:
            marks[word.start : word.end] = b"\1" * (word.end - word.start)
        return marks

    @cached_property
    def _finder(self) -> WindowFinder:
        return WindowFinder([word.key for word in self.target_words])

    @cached_property
    def _source_keys(self) -> list[str]:
        return [word.key for word in self.source_words]
