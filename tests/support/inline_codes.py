"""Sentences with inline codes, written with tags."""

import re

from nmt.documents.content import Code
from nmt.documents.translation.placing import CodeAt, Placement

_TAG = re.compile(r"(</?\w+/?>)")


def read_tags(tagged: str) -> tuple[str, list[CodeAt]]:
    """Read a sentence with tags, of which `<a>` has to be in the right place."""
    sentence, codes, pairs = "", list[CodeAt](), list[int]()
    for index, part in enumerate(_TAG.split(tagged)):
        if not _TAG.fullmatch(part):
            sentence += part
            continue
        if part.endswith("/>"):
            code = Code(part, "point")
        elif part[1] == "/":
            code = Code(part, "close", pairs.pop() if pairs else None, is_exact=part == "</a>")
        else:
            pairs.append(index)
            code = Code(part, "open", index, is_exact=part == "<a>")
        codes.append(CodeAt(len(sentence), code))
    return sentence, codes


def write_tags(sentence: str, placement: Placement) -> str:
    """Write a sentence with its codes."""
    written, at = "", 0
    for each in placement.codes:
        written += sentence[at : each.position] + each.code.raw
        at = each.position
    return written + sentence[at:]
