"""The events of an XML text, each with its place in the bytes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, NamedTuple
from xml.parsers import expat

from nmt.documents.errors import DocumentError, DocumentTooLargeError
from nmt.documents.formats.decoding import decode
from nmt.documents.formats.limits import check_depth

EventKind = Literal[
    "start", "end", "text", "entity", "cdata_start", "cdata_end", "comment", "other"
]
_DECLARATION = re.compile(
    rb"""(?:\xef\xbb\xbf)?<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z][\w.:-]{0,39})["']"""
)
MAX_TAGS = 2_000_000
"""Of an XML text: an archive of a few kilobytes can unpack to many more."""
_MIN_CHUNK = 2**18
_CHUNKS = 16
_AMPERSAND = ord("&")
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


class Event(NamedTuple):
    """A tag, a piece of text, or other markup; together they cover every byte."""

    kind: EventKind
    """`entity` is a reference to an entity that an external DTD may declare; an empty element is a
    `start` and an `end` of no bytes."""
    name: str
    """Of the element, `prefix:local`, with the prefix that the reader gave the namespace: empty
    without a colon, and `?` for a namespace that the reader does not know."""
    text: str
    """As people read it: a stretch with the line breaks of the file, or a single reference."""
    attributes: Mapping[str, str]
    """By name, with prefixes as in `name`."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class XmlSource:
    """An XML file, decoded."""

    data: bytes
    """In UTF-8, where all places count; without a byte order mark."""
    encoding: str
    """Of the file: Python's name of it."""
    mark: bytes
    """Byte order mark of the file."""

    def raw(self, start: int, end: int) -> str:
        """Return what is between two places."""
        return self.data[start:end].decode()

    def lacks(self, character: str) -> bool:
        """Tell whether the encoding of the file does not have a character."""
        return not character.encode(self.encoding, "ignore")

    def encode(self, data: bytes) -> bytes:
        """Encode a changed text as the file was, with references for what the encoding lacks."""
        if self.encoding == "utf-8":
            return self.mark + data
        return self.mark + data.decode().encode(self.encoding, "xmlcharrefreplace")

    def with_data(self, data: bytes) -> "XmlSource":
        """Return a changed file of the same encoding."""
        return XmlSource(data, self.encoding, self.mark)


def read_source(data: bytes, encoding: str | None) -> XmlSource:
    """Decode an XML file, by what it declares if `encoding` is None.

    Raises:
        DocumentError: the encoding is not known, or the bytes are not valid in it.
    """
    match = _DECLARATION.match(data)
    decoded = decode(data, match[1].decode() if match else None, encoding)
    is_same = decoded.encoding == "utf-8" and not decoded.mark
    data = data if is_same else decoded.text.encode()
    return XmlSource(data, decoded.encoding, decoded.mark)


def read_events(data: bytes, namespaces: Mapping[str, str]) -> Iterator[Event]:
    """Yield the events of an XML text.

    Args:
        data: in UTF-8.
        namespaces: the prefix of each namespace that the reader knows.

    Raises:
        DocumentError: it is not well-formed, or it declares entities.
        DocumentTooLargeError: it is nested too deeply, or has too many tags.
    """
    if data.count(b"<") > MAX_TAGS:
        raise DocumentTooLargeError(
            f"The file has an XML text of more than {MAX_TAGS:,} tags (max_tags). Divide it."
        )
    parser = _Parser(data, namespaces)
    # In pieces, as a list of all events would take many times the memory of the file. Only few
    # pieces, as expat begins a tag or a comment that is longer than a piece anew with each.
    size = max(_MIN_CHUNK, len(data) // _CHUNKS + 1)
    waiting: list[_Start] = []
    for start in range(0, len(data) + 1, size):
        parser.parse(start, start + size)
        waiting += parser.take()
        # Where an event ends is known once the next one begins.
        for event, following in pairwise(waiting):
            yield _finished(event, data, following[-1])
        del waiting[:-1]
    for event in waiting:
        yield _finished(event, data, len(data))


_Start = tuple[EventKind, str, str, Mapping[str, str], int]


def _finished(event: _Start, data: bytes, end: int) -> Event:
    """Return an event with its end."""
    kind, name, text, attributes, start = event
    if kind == "text" and not text:
        text = data[start:end].decode()
    return Event(kind, name, text, attributes, start, end)


class _Parser:
    """An expat parser that collects events and resolves the prefixes of namespaces.

    Expat could resolve them, too, but writes the whole address of a namespace with each name: a
    long one, used often, would take minutes.
    """

    def __init__(self, data: bytes, namespaces: Mapping[str, str]) -> None:
        self._data = data
        self._namespaces = namespaces
        self._is_in_text = False
        self._events: list[_Start] = []
        self._prefixes: dict[str, str] = {"xml": "xml", "": namespaces.get("", "?")}
        self._names: dict[str, str] = {}
        self._stack: list[tuple[str, dict[str, str | None]]] = []
        self._expat = expat.ParserCreate("utf-8")
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._text
        self._expat.StartCdataSectionHandler = lambda: self._add("cdata_start")
        self._expat.EndCdataSectionHandler = lambda: self._add("cdata_end")
        self._expat.CommentHandler = lambda _: self._add("comment")
        self._expat.SkippedEntityHandler = lambda name, _: self._add("entity", f"&{name};")
        self._expat.DefaultHandler = lambda _: self._add("other")
        self._expat.EntityDeclHandler = self._refuse_entity

    def parse(self, start: int, end: int) -> None:
        """Parse the next piece."""
        try:
            self._expat.Parse(self._data[start:end], end > len(self._data))
        except expat.ExpatError as error:
            raise DocumentError(
                f"The file is not valid XML: {expat.ErrorString(error.code)} "
                f"(line {error.lineno}, column {error.offset + 1})."
            ) from None

    def take(self) -> list[_Start]:
        """Return the events since the last call."""
        events, self._events = self._events, []
        return events

    def _add(self, kind: EventKind, text: str = "") -> None:
        """Add an event without a name."""
        self._is_in_text = False
        self._events.append((kind, "", text, _NO_ATTRIBUTES, self._expat.CurrentByteIndex))

    def _text(self, text: str) -> None:
        """Add text; what follows a stretch is part of it, and its text is taken from the file."""
        start = self._expat.CurrentByteIndex
        if self._data[start] == _AMPERSAND:
            self._add("text", text)
        elif not self._is_in_text:
            self._add("text")
            self._is_in_text = True

    def _start(self, raw_name: str, attributes: dict[str, str]) -> None:
        """Add the start of an element."""
        self._is_in_text = False
        replaced = self._declare(attributes) if attributes else {}
        name = self._names.get(raw_name) or self._resolve(raw_name)
        self._stack.append((name, replaced))
        check_depth(len(self._stack))
        known = {
            self._resolve(key) if ":" in key else key: value for key, value in attributes.items()
        }
        self._events.append(("start", name, "", known, self._expat.CurrentByteIndex))

    def _end(self, _: str) -> None:
        """Add the end of an element, whose prefixes are no longer known."""
        self._is_in_text = False
        name, replaced = self._stack.pop()
        for prefix, before in replaced.items():
            self._names.clear()
            if before is None:
                del self._prefixes[prefix]
            else:
                self._prefixes[prefix] = before
        self._events.append(("end", name, "", _NO_ATTRIBUTES, self._expat.CurrentByteIndex))

    def _declare(self, attributes: dict[str, str]) -> dict[str, str | None]:
        """Take over the namespaces that an element declares, and return what they replace."""
        replaced: dict[str, str | None] = {}
        for key, address in attributes.items():
            if key.startswith("xmlns") and key[5:6] in ("", ":"):
                prefix = key[6:]
                replaced[prefix] = self._prefixes.get(prefix)
                self._prefixes[prefix] = self._namespaces.get(address, "?")
        if replaced:
            self._names.clear()
        return replaced

    def _resolve(self, raw_name: str) -> str:
        """Give a name the prefix by which the reader knows its namespace."""
        prefix, _, local = raw_name.rpartition(":")
        known = "xmlns" if prefix == "xmlns" else self._prefixes.get(prefix, "?")
        name = self._names[raw_name] = f"{known}:{local}" if known else local
        return name

    def _refuse_entity(self, name: str, *_: object) -> None:
        """Refuse entities, which can grow without bounds or read other files."""
        raise DocumentError(
            f"The file declares an entity ({name[:40]!r}) in its DOCTYPE, which is not allowed. "
            "Write the character itself instead."
        )
