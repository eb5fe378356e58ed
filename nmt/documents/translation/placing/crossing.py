"""Codes and tokens of a translation that are in another pair than in the source."""

import re
from collections.abc import Hashable, Sequence
from itertools import accumulate, chain

from nmt.documents.translation.placing.tree import CodeAt, Node

_TOKEN = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
"""Private characters, which stand for words that are not translated, such as images."""

_Marked = tuple[str, Sequence[CodeAt]]
"""A text and its codes."""


def find_crossed(root: Node, source: _Marked, target: _Marked) -> list[Node]:
    """Find the pairs that a token got into or out of, and single codes that something crossed.

    A code that opens or closes alone is half of a pair that goes beyond the sentence, so that all
    that crosses it gets into this pair, or out of it.

    Args:
        root: the codes of the source.
        source: the sentence and its codes.
        target: its translation and the same codes, in their order.
    """
    before_in_source, before_in_target = _sums_before(source), _sums_before(target)
    crossed: list[Node] = []
    for node in root.descendants():
        if node.opens is None or (node.closes is None and node.opens.code.kind == "point"):
            continue
        opens, closes = id(node.opens.code), id(node.closes.code) if node.closes else None
        inside = [
            sums[closes] - sums[opens] if closes else sums[opens]
            for sums in (before_in_source, before_in_target)
        ]
        if inside[0] != inside[1]:
            crossed.append(node)
    return crossed


def _sums_before(marked: _Marked) -> dict[Hashable, int]:
    """Sum the hashes of all codes and tokens before each one, so that equal sets are equal sums."""
    text, codes = marked
    tokens = ((match.start(), match[0]) for match in _TOKEN.finditer(text))
    # By position only, since codes at one position have an order.
    items = sorted(
        chain(((each.position, id(each.code)) for each in codes), tokens), key=lambda item: item[0]
    )
    keys = [key for _, key in items]
    return dict(zip(keys, accumulate(map(_mixed, keys), initial=0), strict=False))


def _mixed(key: Hashable) -> int:
    # The identities of objects are near each other, so that sums of them could be equal.
    return hash((key, "mixed"))
