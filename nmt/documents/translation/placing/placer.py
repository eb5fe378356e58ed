"""The search for the places of all codes of a sentence, from the outer pairs to the inner ones."""

from nmt.documents.translation.placing.points import Place, Points
from nmt.documents.translation.placing.sentence_pair import SentencePair
from nmt.documents.translation.placing.siblings import Area, Siblings
from nmt.documents.translation.placing.tree import Node


class Placer:
    """The search for the places of the codes of one sentence."""

    def __init__(self, pair: SentencePair) -> None:
        """Begin without places."""
        self._pair = pair
        self.places: dict[Node, Place] = {}
        self.missing: list[Node] = []
        """Nodes at which the source has to be cut."""

    def place(self, root: Node) -> None:
        """Find a place for every node of a tree."""
        pair = self._pair
        self.places[root] = Place(0, len(pair.target))
        waiting = [(root, Area(range(len(pair.source_words)), range(len(pair.target_words))))]
        # Not by recursion: a hostile document may be nested as deep as it has codes.
        while waiting:
            waiting += self._place_children(*waiting.pop())

    def _place_children(self, parent: Node, area: Area) -> list[tuple[Node, Area]]:
        """Place the children of a node, and return those that have children, with their words."""
        worded = [node for node in parent.children if node.is_pair and self._words(node)]
        siblings = Siblings(self._pair, area, worded)
        siblings.find()
        for node in worded:
            if node not in siblings.areas and (not siblings.guess(node) or node.is_exact):
                self.missing.append(node)
        for node, own in siblings.areas.items():
            self.places[node] = self._characters(node, own)
        points = Points(self._pair, (area, self.places[parent]), siblings, self.places)
        for node in parent.children:
            if node not in siblings.areas:
                self.places[node] = place = points.find(node)
                if place.is_guessed and (node.is_exact or self._has_text(node)):
                    self.missing.append(node)
        self._keep_order_of_single(parent)
        # A pair of punctuation may have children too.
        return [
            (node, siblings.areas.get(node) or Area(self._words(node), range(0)))
            for node in parent.children
            if node.children
        ]

    def _keep_order_of_single(self, parent: Node) -> None:
        """Keep codes that open or close alone in their order, which their meaning depends on."""
        last = 0
        for node in parent.children:
            if node.opens is not None and node.closes is None and node.opens.code.kind != "point":
                place = self.places[node]
                last = max(last, place.start)
                self.places[node] = Place(last, last, place.is_guessed)

    def _characters(self, node: Node, area: Area) -> Place:
        """Find the characters of a pair in the target, with the punctuation that it had."""
        pair = self._pair
        if not area.target:
            at = (
                pair.target_words[area.target.start].start
                if area.target.start < len(pair.target_words)
                else len(pair.target)
            )
            return Place(at, at, is_guessed=True)
        first, last = pair.source_words[area.source[0]], pair.source_words[area.source[-1]]
        before = len("".join(pair.source[node.start : first.start].split()))
        after = len("".join(pair.source[last.end : node.end].split()))
        start = pair.past_signs(pair.target_words[area.target[0]].start, -before)
        end = pair.past_signs(pair.target_words[area.target[-1]].end, after)
        return Place(start, end, area.is_guessed)

    def _words(self, node: Node) -> range:
        return self._pair.words_in(node.start, node.end)

    def _has_text(self, node: Node) -> bool:
        return bool(self._pair.source[node.start : node.end].strip())
