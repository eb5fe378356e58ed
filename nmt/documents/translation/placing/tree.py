"""The inline codes of a sentence as a tree: pairs, and what is in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nmt.documents.content import Code


@dataclass(frozen=True, slots=True)
class CodeAt:
    """An inline code and its place in a sentence."""

    position: int
    """Number of characters of the sentence before it."""
    code: Code


# Compared by identity, as codes are.
@dataclass(slots=True, eq=False)
class Node:
    """A pair of codes, a single code, or the whole sentence."""

    start: int
    end: int
    """Range of its text; equal for a single code."""
    opens: CodeAt | None
    """None for the sentence."""
    closes: CodeAt | None
    """None for a single code."""
    first: int
    """Number of codes before it."""
    last: int
    """Number of codes up to its end."""
    parent: "Node | None"
    children: list["Node"] = field(default_factory=list["Node"])

    @property
    def is_pair(self) -> bool:
        """Tell whether it surrounds text."""
        return self.closes is not None

    @property
    def is_exact(self) -> bool:
        """Tell whether its place must be right."""
        codes = (self.opens, self.closes)
        return any(each is not None and each.code.is_exact for each in codes)

    def descendants(self) -> "Iterator[Node]":
        """Yield all nodes below, each before its own children and in the order of the source."""
        waiting = self.children[::-1]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children[::-1]


def build_tree(codes: Sequence[CodeAt], length: int) -> Node:
    """Nest the codes of a sentence.

    Codes that open or close alone, or across a pair that began later, are single codes.

    Args:
        codes: in order.
        length: characters of the sentence.

    Returns:
        The whole sentence.
    """
    partners = _find_partners(codes)
    root = Node(0, length, None, None, 0, len(codes), None)
    parent = root
    for index, each in enumerate(codes):
        partner = partners.get(index)
        if partner is None:
            node = Node(each.position, each.position, each, None, index, index + 1, parent)
            parent.children.append(node)
        elif partner > index:
            closes = codes[partner]
            end = max(each.position, closes.position)
            node = Node(each.position, end, each, closes, index, partner + 1, parent)
            parent.children.append(node)
            parent = node
        elif parent.parent is not None:
            parent = parent.parent
    return root


def _find_partners(codes: Sequence[CodeAt]) -> dict[int, int]:
    """Find the other code of each code that has one, such that all pairs are nested."""
    partners: dict[int, int] = {}
    stack: list[tuple[int, int]] = []
    open_pairs: set[int] = set()
    for index, each in enumerate(codes):
        pair = each.code.pair
        if pair is None:
            continue
        if each.code.kind == "open":
            stack.append((index, pair))
            open_pairs.add(pair)
        elif each.code.kind == "close" and pair in open_pairs:
            # A pair that opened in between closes behind this one, and would cross it.
            while (top := stack.pop())[1] != pair:
                open_pairs.discard(top[1])
            open_pairs.discard(pair)
            partners[top[0]], partners[index] = index, top[0]
    return partners
