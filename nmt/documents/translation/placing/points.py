"""The places of codes without words, beside the words that they touch in the source."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from nmt.documents.translation.placing.sentence_pair import SentencePair
from nmt.documents.translation.placing.siblings import Area, Siblings
from nmt.documents.translation.placing.touching import Touching, find_touching
from nmt.documents.translation.placing.tree import Node


@dataclass(frozen=True, slots=True)
class Place:
    """A range of characters of the target."""

    start: int
    end: int
    is_guessed: bool = False


class Points:
    """The codes inside one pair that surround no words."""

    def __init__(
        self,
        pair: SentencePair,
        area: tuple[Area, Place],
        siblings: Siblings,
        places: Mapping[Node, Place],
    ) -> None:
        """Prepare the search.

        Args:
            pair: the sentence and its translation.
            area: words and characters of the pair around the codes.
            siblings: the pairs beside them.
            places: of these pairs.
        """
        self._pair, self._siblings, self._places = pair, siblings, places
        self._area, self._bounds = area
        self._by_word = {word: node for node, own in siblings.areas.items() for word in own.source}
        taken = sorted(
            (places[node].start, places[node].end, node.first) for node in siblings.areas
        )
        self._taken = taken
        self._starts = [start for start, _, _ in taken]

    def find(self, node: Node) -> Place:
        """Find the place of a code, or of a pair without words."""
        text = self._pair.source[node.start : node.end]
        if text.strip():
            return self._find_signs(text.strip(), node)
        position, is_guessed = self._find_position(node)
        position = self._beside_pairs(position, node)
        if not text:
            return Place(position, position, is_guessed)
        # A pair around a space is put around one, as it may be marked or underlined.
        for start in (position, position - 1):
            if self._pair.target[start : start + 1].isspace() and start >= self._bounds.start:
                return Place(start, start + 1, is_guessed)
        return Place(position, position, is_guessed)

    def _find_signs(self, signs: str, node: Node) -> Place:
        """Find punctuation that has codes of its own."""
        start = self._pair.target.find(signs, self._bounds.start, self._bounds.end)
        end = start + len(signs)
        if start < 0 or any(self._beside_pairs(each, node) != each for each in (start, end)):
            return Place(self._bounds.end, self._bounds.end, is_guessed=True)
        return Place(start, end)

    def _find_position(self, node: Node) -> tuple[int, bool]:
        """Find the position of a code by the word that it touches, and tell whether it is sure."""
        pair = self._pair
        kind = "point" if node.is_pair or node.opens is None else node.opens.code.kind
        touching = find_touching(pair.source, pair.source_words, node.start, kind)
        if touching is None or touching.word < self._area.source.start:
            return self._bounds.start, False
        if touching.word >= self._area.source.stop:
            return self._bounds.end, False
        neighbour = self._by_word.get(touching.word)
        if neighbour is not None:
            place = self._places[neighbour]
            at, is_guessed = place.end if touching.is_after else place.start, place.is_guessed
        elif not self._area.target:
            return self._bounds.start, True
        else:
            found, is_guessed = self._siblings.find_word(touching.word)
            word = pair.target_words[min(found, len(pair.target_words) - 1)]
            at = word.end if touching.is_after else word.start
        # A place for a line break does no harm in another word.
        return self._past_signs(at, touching), is_guessed and not touching.is_inside

    def _past_signs(self, position: int, touching: Touching) -> int:
        step = 1 if touching.is_after else -1
        return self._pair.past_signs(position, touching.signs * step)

    def _beside_pairs(self, position: int, node: Node) -> int:
        """Move a position out of the pairs that the code is not in."""
        at = bisect_right(self._starts, position) - 1
        if at < 0:
            return position
        start, end, first = self._taken[at]
        if not start < position < end:
            return position
        return start if node.first < first else end
