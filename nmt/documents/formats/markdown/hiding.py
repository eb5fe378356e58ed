"""What is not Markdown in a Markdown file: template tags, formulas and marks of dialects."""

import heapq
import re
from collections.abc import Iterator

from nmt.documents.content import Code
from nmt.documents.formats.html.templates import template_code, template_spans
from nmt.documents.formats.markdown.events import events

Span = tuple[int, int]
"""A part of a text, in bytes of UTF-8."""

_MARKS = re.compile(
    r"""
    # A displayed formula, perhaps of several lines.
    (?<![\\$])\$\$(?:[^$`\\\n]|\\.|\n(?![ \t>]*\n)){1,5000}\$\$
    # A formula. `$5 or $10` is text: a formula begins and ends beside a sign that is not a
    # space, does not begin with a digit, and is not part of a word.
    | (?<![\\$\w])\$(?=[^\s\d$])[^$\n`]{0,300}(?<=[^\s\\])\$(?![\w$])
    | (?<![\w:\\]):[a-z][a-z0-9_+-]{0,40}:(?![\w:])             # :emoji:
    | \{:[^{}\n]{0,200}\}                                       # attributes of kramdown
    | (?<=\))\{[.#\w][^{}\n]{0,200}\}                           # attributes of a link
    # Marks of notes: GitHub's, MkDocs', and those of colons.
    | ^[ \t>]{0,40}(?P<mark> \[![A-Za-z]{1,20}\][+-]?
        | (?:!!!|\?\?\?\+?)[ \t]+[\w-]+(?:[ \t]+inline(?:[ \t]+end)?)?
        | :::+[ \t]*(?:\{[^{}\n]{0,100}\}|[\w-]*) )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE | re.ASCII,
)
_HINTS = ("$", "{", "<%", "<?", "[!", "!!!", "???", ":::")
_EMOJI = re.compile(r":[a-z][a-z0-9_+-]{0,40}:")
_FILLER = "x"


def hidden_spans(text: str, data: bytes) -> list[Span]:
    """Find the parts of a text that are not Markdown, in order.

    Args:
        text: Markdown.
        data: the text in UTF-8.
    """
    # The pattern is slow, and most texts have nothing of it.
    if not any(hint in text for hint in _HINTS) and not _EMOJI.search(text):
        return []
    # One character for each byte, so that places are those of the parser.
    view = data.decode("latin-1")
    if next(_spans(view, 0), None) is None:
        return []
    found: list[Span] = []
    position = 0
    # What looks alike in code is code. A part never begins outside of code and ends inside.
    for start, end in _code(text):
        found += _spans(view[position:start], position)
        position = end
    found += _spans(view[position:], position)
    return found


def without(data: bytes, spans: list[Span]) -> bytes:
    """Replace parts of a text by as many letters, so that everything keeps its place."""
    view = data.decode("latin-1")
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        pieces += view[position:start], _FILLER * (end - start)
        position = end
    return "".join([*pieces, view[position:]]).encode("latin-1")


def hidden_code(raw: str) -> Code:
    """Return the code of a part that is not Markdown."""
    if raw.startswith(("[!", "!!!", "???", ":::")):
        return Code(raw, "break")
    if raw.startswith("$"):
        return Code(raw, "word")
    if raw.startswith((":", "{:", "{.")) or (raw[0] == "{" and raw[1] not in "{%#"):
        return Code(raw, "point")
    return template_code(raw)


def _spans(view: str, offset: int) -> Iterator[Span]:
    """Find parts in order; of two that overlap, the first."""
    marks = (m.span("mark" if m["mark"] is not None else 0) for m in _MARKS.finditer(view))
    position = 0
    for start, end in heapq.merge(marks, template_spans(view)):
        if start >= position:
            position = end
            yield start + offset, end + offset


def _code(text: str) -> Iterator[Span]:
    """Find the parts that are code or HTML, in order."""
    for event, place in events(text):
        if isinstance(event, str):
            continue
        value = event.get("Start")
        if (
            "Code" in event
            or value == "HtmlBlock"
            or (isinstance(value, dict) and "CodeBlock" in value)
        ):
            yield place["start"], place["end"]
