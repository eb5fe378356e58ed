"""Titles and descriptions in the front matter of a Markdown file."""

import re
from collections.abc import Iterator

from nmt.documents.content import Content, Text
from nmt.documents.formats.markdown.places import Kind, Place

_KEY = re.compile(r"(title|description|summary)[ \t]*[:=][ \t]*")
_QUOTED = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"[ \t]*(?:#.*)?$'),
    "'": re.compile(r"'((?:[^']|'')*)'[ \t]*(?:#.*)?$"),
}
_COMMENT = re.compile(r"[ \t]#")
# What these start is not plain text in YAML: blocks, references, lists, tags.
_NOT_PLAIN = tuple("\"'|>&*!%@`{}[]#,?:-")
_ESCAPE = {'"': re.compile(r'\\(["\\/])'), "'": re.compile(r"'(')")}
_NEEDS_QUOTES = re.compile(r":(?:\s|$)|\s#|^[\"'|>&*!%@`{}\[\]#,?:-]|^\s|\s$|^$")
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "~"})


def front_matter(text: str, start: int, kind: Kind, first_line: int) -> Iterator[Place]:
    """Find the values that are text: title, description and summary, in one line each.

    Args:
        text: the front matter.
        start: where it starts.
        kind: `yaml` or `toml`.
        first_line: its number.
    """
    for number, line in enumerate(text.split("\n"), first_line):
        match = _KEY.match(line)
        if match:
            value = line[match.end() :].rstrip()
            at = start + len(line[: match.end()].encode())
            place = _value(value, at, kind, f"line {number} ({match[1]})")
            if place is not None:
                yield place
        start += len(line.encode()) + 1


def yaml_plain(text: str) -> str:
    """Write a value without quotes, or with some if it has to have them."""
    if not _NEEDS_QUOTES.search(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _value(value: str, start: int, kind: Kind, path: str) -> Place | None:
    quote = value[:1]
    if quote in _QUOTED:
        match = _QUOTED[quote].match(value)
        # An escape that has more than one character is a control sign or a code point.
        if match is None or (quote == '"' and re.search(r'\\[^"\\/]', match[1])):
            return None
        raw, start = match[1], start + 1
        content = _content(raw, quote)
    else:
        if kind == "toml" or value.startswith(_NOT_PLAIN) or value.lower() in _WORDS_OF_YAML:
            return None
        comment = _COMMENT.search(value)
        raw, quote = (value[: comment.start()] if comment else value).rstrip(), ""
        content = (Text(raw, raw),)
    if not raw.strip():
        return None
    return Place(start, start + len(raw.encode()), content, path, kind, quote)


def _content(raw: str, quote: str) -> Content:
    pieces: list[Text] = []
    position = 0
    for match in _ESCAPE[quote].finditer(raw):
        if match.start() > position:
            pieces.append(Text(raw[position : match.start()], raw[position : match.start()]))
        pieces.append(Text(match[1], match.group()))
        position = match.end()
    if position < len(raw):
        pieces.append(Text(raw[position:], raw[position:]))
    return tuple(pieces)
