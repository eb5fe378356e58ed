"""Values of attributes that people read."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nmt.documents.content import Content, Text
from nmt.documents.formats.html.inline import Gathered

# Starts at each name only, so that long white space is passed over twice at most.
_ATTRIBUTE = re.compile(r"""([^\s/>=][^\s/>=]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"'][^\s>]*))?""")
# A reference without `;` is text in most values: `?a=1&copy=2`.
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


@dataclass(slots=True)
class Value:
    """The place of a value in a tag."""

    name: str
    """Of the attribute, in lower case."""
    start: int
    end: int
    """Without the quotes."""
    quote: str
    """The sign around the value; empty for none."""


def values(source: str, tag: str) -> Iterator[Value]:
    """Find the values of the attributes of a start tag, the first of each name."""
    found: set[str] = set()
    for match in _ATTRIBUTE.finditer(source, len(tag) + 1):
        name, value = match[1].lower(), match[2]
        if name in found or value is None:
            continue
        found.add(name)
        start, end = match.span(2)
        quote = value[0] if value[0] in "\"'" else ""
        yield Value(name, start + len(quote), end - len(quote), quote)


def value_content(text: str, masked: str) -> Content:
    """Read the text of a value, with its escapes and template tags."""
    if "&" not in text and text == masked:
        return (Text(text, text),) if text else ()
    gathered = Gathered()
    position = 0
    for match in _REFERENCE.finditer(masked):
        meaning = html.unescape(match.group())
        if meaning == match.group():
            continue
        if match.start() > position:
            gathered.hidden(text[position : match.start()], masked[position : match.start()])
        gathered.escape(meaning, match.group())
        position = match.end()
    if position < len(text):
        gathered.hidden(text[position:], masked[position:])
    return gathered.take()
