"""The codes of a sentence in the order of their places in its translation."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nmt.documents.content import Code
from nmt.documents.translation.placing.anchors import is_copied_always
from nmt.documents.translation.placing.copies import CopiedPlaces, find_copy
from nmt.documents.translation.placing.crossing import find_crossed
from nmt.documents.translation.placing.placer import Placer
from nmt.documents.translation.placing.points import Place
from nmt.documents.translation.placing.sentence_pair import SentencePair
from nmt.documents.translation.placing.touching import find_touching
from nmt.documents.translation.placing.tree import CodeAt, Node, build_tree
from nmt.documents.translation.words import Word, words_of
from nmt.text.normalise import normalise

_MAX_WORDS = 12
"""Words of a text that is looked for in a translation; a longer one is rarely translated alone as
it is inside a sentence."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The places of a sentence's codes in its translation."""

    codes: tuple[CodeAt, ...]
    """Every code of the source once, in the order in which they are written."""
    guessed: tuple[Code, ...]
    """Those whose place is an estimate."""
    cut: tuple[tuple[int, int], ...]
    """Where the source has to be cut, ascending: the position, and the number of codes before it.
    Not empty if the place of a code that must be right was not found; the parts between the cuts
    have to be translated alone, and `codes` is an estimate."""


def texts_to_translate(source: str, codes: Sequence[CodeAt]) -> list[str]:
    """Find the texts whose own translations are needed to place the codes of a sentence.

    Args:
        source: the sentence.
        codes: as for `place_codes`.
    """
    if not codes:  # as in most sentences
        return []
    words = words_of(source)
    texts: dict[str, None] = {}
    for node in build_tree(codes, len(source)).descendants():
        start, end = _range_to_translate(node, source, words)
        if node.parent and _count(words, start, end) == _count(
            words, node.parent.start, node.parent.end
        ):
            continue  # it has all words of the translation too
        text = normalise(source[start:end])
        own = words_of(text)
        if len(own) <= _MAX_WORDS and any(not is_copied_always(word.key) for word in own):
            texts[text] = None
    return list(texts)


def place_codes(
    source: str,
    target: str,
    codes: Sequence[CodeAt],
    translations: Mapping[str, str],
) -> Placement:
    """Find the places of a sentence's codes in its translation.

    Args:
        source: the sentence.
        target: its translation. Words that stay as they are must be the same in both.
        codes: codes of the source that are not words, in order.
        translations: of `texts_to_translate`; one that is missing is done without.
    """
    pair = SentencePair(source, target, translations)
    copy = find_copy(source, target, pair.source_words, pair.target_words)
    root = build_tree(codes, len(source))
    if copy is not None and all(
        _has_text(node, source, target, copy) for node in root.descendants()
    ):
        places = [CodeAt(copy.map(each.position), each.code) for each in codes]
        return Placement(tuple(places), (), ())
    placer = Placer(pair)
    placer.place(root)
    placed, empty = _in_order(root, placer.places)
    missing = [
        *placer.missing,
        *(node for node in empty if source[node.start : node.end].strip()),
        *find_crossed(root, (source, codes), (target, placed)),
    ]
    guessed = [
        node.opens.code for node, place in placer.places.items() if place.is_guessed and node.opens
    ]
    whole = {(0, 0), (len(source), len(codes))}
    return Placement(tuple(placed), tuple(guessed), tuple(sorted(_cuts_around(missing) - whole)))


def _range_to_translate(node: Node, source: str, words: Sequence[Word]) -> tuple[int, int]:
    """Find the text by which a node is placed: its own, or the word that it touches."""
    if node.start < node.end or node.opens is None:
        return node.start, node.end
    touching = find_touching(source, words, node.start, node.opens.code.kind)
    if touching is None or touching.is_inside:
        return node.start, node.start
    word = words[touching.word]
    return word.start, word.end


def _count(words: Sequence[Word], start: int, end: int) -> int:
    """Count the words in a range, at least in part."""
    first = bisect_right(words, start, key=lambda word: word.end)
    return max(0, bisect_left(words, end, key=lambda word: word.start) - first)


def _has_text(node: Node, source: str, target: str, copy: CopiedPlaces) -> bool:
    """Tell whether a pair has text in a copy if it has some in the source."""
    text = target[copy.map(node.start) : copy.map(node.end)]
    return bool(text.strip()) or not source[node.start : node.end].strip()


def _in_order(root: Node, places: Mapping[Node, Place]) -> tuple[list[CodeAt], list[Node]]:
    """Put codes into the order of their places, each inside the pair around it.

    Returns:
        The codes, and the pairs that lost their text.
    """
    placed: list[CodeAt] = []
    empty: list[Node] = []
    start, end = 0, places[root].end
    # Of each pair that is open: what is still to come, its code that closes, and its end.
    stack: list[tuple[list[Node], Code | None, int]] = [(_sorted(root, places), None, end)]
    while stack:
        children, closes, end = stack[-1]
        if not children:
            stack.pop()
            start = end
            if closes is not None:
                placed.append(CodeAt(end, closes))
            continue
        node = children.pop()
        own = places[node]
        # Two places may share punctuation between them; the first one has it.
        start = min(max(own.start, start), end)
        if node.opens is not None:
            placed.append(CodeAt(start, node.opens.code))
        if node.closes is not None:
            own_end = min(max(own.end, start), end)
            if own_end == start and node.end > node.start:
                empty.append(node)
            stack.append((_sorted(node, places), node.closes.code, own_end))
    return placed, empty


def _sorted(node: Node, places: Mapping[Node, Place]) -> list[Node]:
    """Sort the children of a node, the last one first."""
    return sorted(
        node.children,
        key=lambda child: (places[child].start, places[child].end, child.first),
        reverse=True,
    )


def _cuts_around(nodes: Sequence[Node]) -> set[tuple[int, int]]:
    """Find where the source has to be cut, such that nodes and pairs around them are alone."""
    cuts: set[tuple[int, int]] = set()
    for node in nodes:
        while node.parent is not None:
            edges = {(node.start, node.first), (node.end, node.last)}
            if edges <= cuts:
                break
            cuts |= edges
            node = node.parent
    return cuts
