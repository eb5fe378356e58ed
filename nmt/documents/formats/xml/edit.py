"""Changes of an XML text that leave the rest of it as it is."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

# What XML 1.0 has no way to write, not even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE = re.compile(r"""\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_TAG_NAME = re.compile(r"<[^\s/>]+")


class Change(NamedTuple):
    """New bytes for those between two places."""

    start: int
    end: int
    new: str


def splice(data: bytes, changes: Iterable[Change], start: int = 0, end: int | None = None) -> bytes:
    """Make changes, sorted and without overlaps, in what is between two places."""
    pieces: list[bytes] = []
    for change in changes:
        pieces += [data[start : change.start], change.new.encode()]
        start = change.end
    pieces.append(data[start:end])
    return b"".join(pieces)


def without_forbidden(text: str) -> str:
    """Remove the characters that XML does not allow."""
    return _FORBIDDEN.sub("", text)


def escape_text(text: str) -> str:
    """Escape a text for the content of an element."""
    text = without_forbidden(text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_attribute(value: str, quote: str = '"') -> str:
    """Escape the value of an attribute."""
    # Line breaks and tabs as they are would be read as spaces.
    escaped = escape_text(value).replace(quote, "&quot;" if quote == '"' else "&apos;")
    return escaped.replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")


def attribute_span(tag: str, name: str) -> tuple[int, int] | None:
    """Find the value of an attribute in a tag, with its quotes.

    Args:
        tag: a start tag as the file has it.
        name: of the attribute, as the file has it.
    """
    head = _TAG_NAME.match(tag)
    at = head.end() if head else 0
    # Attribute by attribute, as a value may hold what looks like another one.
    while match := _ATTRIBUTE.match(tag, at):
        if match[1] == name:
            return match.span(2)
        at = match.end()
    return None


def set_attributes(tag: str, changes: Mapping[str, str | None]) -> str:
    """Set attributes of a tag, or remove those with the value None.

    Attributes that are new come last, in the order of `changes`.
    """
    for name, value in changes.items():
        span = attribute_span(tag, name)
        if span and value is not None:
            quote = tag[span[0]]
            tag = f"{tag[: span[0]]}{quote}{escape_attribute(value, quote)}{quote}{tag[span[1] :]}"
        elif span:
            start = tag.rindex(name, 0, span[0])
            tag = tag[:start].rstrip() + tag[span[1] :]
        elif value is not None:
            end = len(tag) - (2 if tag.endswith("/>") else 1)
            end = len(tag[:end].rstrip())
            tag = f'{tag[:end]} {name}="{escape_attribute(value)}"{tag[end:]}'
    return tag


def tag_prefix(tag: str) -> str:
    """Return the prefix of a tag, with its colon; empty if it has none."""
    head = _TAG_NAME.match(tag)
    prefix, colon, _ = head[0][1:].rpartition(":") if head else ("", "", "")
    return prefix + colon
