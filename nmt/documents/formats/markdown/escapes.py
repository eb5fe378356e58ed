"""Escapes of Markdown."""

import html
import re

from nmt.documents.content import Content, Text

_ESCAPE = re.compile(
    r"\\([!-/:-@\[-`{-~])|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)


def escaped_content(raw: str) -> Content:
    """Read a text that has escapes and no markup, such as the title of a link."""
    pieces: list[Text] = []
    position = 0
    for match in _ESCAPE.finditer(raw):
        text = match[1] or html.unescape(match.group())
        if text == match.group():
            continue
        if match.start() > position:
            pieces.append(_plain(raw[position : match.start()]))
        pieces.append(Text(text, match.group()))
        position = match.end()
    if position < len(raw):
        pieces.append(_plain(raw[position:]))
    return tuple(pieces)


def _plain(text: str) -> Text:
    return Text(text, text)
