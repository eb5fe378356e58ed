"""The units of an XLIFF file: where their sources and targets are, and what is inside them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nmt.documents.errors import DocumentError, UnknownFormatError
from nmt.documents.formats.xliff.content_reader import ContentReader, SegmentPart
from nmt.documents.formats.xliff.pieces import Template
from nmt.documents.formats.xml.events import Event, XmlSource, read_events

_NAMESPACES = {
    "": "",
    "urn:oasis:names:tc:xliff:document:1.0": "",
    "urn:oasis:names:tc:xliff:document:1.1": "",
    "urn:oasis:names:tc:xliff:document:1.2": "",
    "urn:oasis:names:tc:xliff:document:2.0": "",
    "urn:oasis:names:tc:xliff:document:2.1": "",
    "urn:oasis:names:tc:xliff:document:2.2": "",
}
_UNITS = frozenset({"trans-unit", "segment", "ignorable"})
_SIDES = frozenset({"source", "seg-source", "target"})
_VERSION = re.compile(r"[12](?:\.\d+)?")
_MAX_DATA = 100

SideName = Literal["source", "seg-source", "target"]


@dataclass(slots=True)
class Tag:
    """A start tag."""

    start: int
    end: int
    attributes: Mapping[str, str]


@dataclass(slots=True)
class Side:
    """A `source`, `seg-source` or `target`."""

    tag: Tag
    content_end: int = 0
    end: int = 0
    template: Template = field(default_factory=list)
    segments: list[SegmentPart] = field(default_factory=list)
    is_valid: bool = True
    """Whether it could be divided into texts."""
    is_blank: bool = True
    """Whether it is empty, or its segments are."""


@dataclass(slots=True)
class Unit:
    """A `trans-unit` of XLIFF 1.x, or a `segment` or `ignorable` of 2.x."""

    name: str
    path: str
    tag: Tag
    file: int
    """Number of the tag of its file in `XliffFile.files`."""
    translate: bool
    preserves_space: bool
    before_source: int = 0
    """Where the white space before its source begins."""
    sides: dict[str, Side] = field(default_factory=dict)


@dataclass(slots=True)
class XliffFile:
    """What an XLIFF file has that matters for its translation."""

    root: Tag
    major: Literal[1, 2]
    files: list[Tag] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """An element that is open."""

    name: str
    translate: bool
    preserves_space: bool


def read_units(source: XmlSource, *, with_content: bool = True) -> XliffFile:
    """Read the units of a file.

    Args:
        source: the file.
        with_content: whether what is inside their sources and targets is read.

    Raises:
        DocumentError: it is not well-formed, or of an unknown version.
        DocumentTooLargeError: it is nested too deeply.
        UnknownFormatError: it is not XLIFF.
    """
    events = read_events(source.data, _NAMESPACES)
    root = next((event for event in events if event.kind == "start"), None)
    if root is None:
        raise DocumentError("The file is not valid XML: it has no element.")
    reader = _UnitReader(source, _file_of(root), with_content=with_content)
    for event in events:
        reader.feed(event)
    return reader.file


def _file_of(root: Event) -> XliffFile:
    """Begin with the root element of a file."""
    if root.name != "xliff":
        name = root.name.removeprefix("?:")[:40]
        raise UnknownFormatError(f"The file is not XLIFF: its root element is {name!r}.")
    version = root.attributes.get("version", "1.2")
    if not _VERSION.fullmatch(version):
        raise DocumentError(
            f"The version of the XLIFF file is {version[:20]!r}; versions 1.0 to 2.2 are known."
        )
    tag = Tag(root.start, root.end, root.attributes)
    return XliffFile(tag, 1 if version.startswith("1") else 2)


class _UnitReader:
    """A reader of units, event by event."""

    def __init__(self, source: XmlSource, file: XliffFile, *, with_content: bool) -> None:
        self.file = file
        self._source = source
        self._with_content = with_content
        preserves = file.root.attributes.get("xml:space") == "preserve"
        self._stack = [_Frame("xliff", True, preserves)]
        self._group = ""
        self._unit: Unit | None = None
        self._side: Side | None = None
        self._content: ContentReader | None = None
        self._depth = 0
        self._space_start = 0
        self._data: dict[str, str] = {}
        self._data_id: str | None = None

    def feed(self, event: Event) -> None:
        """Take the next event."""
        if self._side:
            self._feed_side(self._side, event)
        elif event.kind == "start":
            self._start(event)
        elif event.kind == "end":
            self._stack.pop()
            self._data_id = None
            if self._unit and event.name == self._unit.name:
                self._unit = None
            self._space_start = event.end
        elif event.kind == "text":
            if self._data_id is not None and len(self._data[self._data_id]) < _MAX_DATA:
                self._data[self._data_id] += event.text
            if not event.text.isspace():
                self._space_start = event.end
        else:
            self._space_start = event.end

    def _start(self, event: Event) -> None:
        """Take the start of an element outside sources and targets."""
        parent = self._stack[-1]
        attributes = event.attributes
        translate = {"yes": True, "no": False}.get(attributes.get("translate", ""))
        space = attributes.get("xml:space")
        frame = _Frame(
            event.name,
            parent.translate if translate is None else translate,
            parent.preserves_space if space is None else space == "preserve",
        )
        self._stack.append(frame)
        tag = Tag(event.start, event.end, attributes)
        if event.name == "file":
            self.file.files.append(tag)
        elif event.name == "unit":
            self._group = attributes.get("id", "")
            self._data = {}
        elif event.name in _UNITS and not self._unit:
            self._unit = self._new_unit(tag, frame)
        elif event.name == "data" and parent.name == "originalData":
            self._data_id = attributes.get("id", "")
            self._data[self._data_id] = ""
        elif self._unit and event.name in _SIDES and parent.name == self._unit.name:
            self._start_side(self._unit, event, frame)
        self._space_start = event.end

    def _new_unit(self, tag: Tag, frame: _Frame) -> Unit:
        """Begin a unit."""
        identity = tag.attributes.get("id") or str(len(self.file.units) + 1)
        path = f"unit {self._group} {frame.name} {identity}" if self._group else f"unit {identity}"
        if len(self.file.files) > 1:
            path = f"file {len(self.file.files)} {path}"
        unit = Unit(
            frame.name,
            path,
            tag,
            len(self.file.files) - 1,
            frame.translate,
            frame.preserves_space,
        )
        self.file.units.append(unit)
        return unit

    def _start_side(self, unit: Unit, event: Event, frame: _Frame) -> None:
        """Begin a source or target."""
        self._side = Side(Tag(event.start, event.end, event.attributes))
        unit.sides[event.name] = self._side
        if event.name == "source":
            unit.before_source = self._space_start
            unit.preserves_space = frame.preserves_space
        if self._with_content:
            self._content = ContentReader(self._source, event.end, self._data, unit.path)
        self._depth = 0

    def _feed_side(self, side: Side, event: Event) -> None:
        """Take an event inside a source or target, or its end."""
        self._depth += {"start": 1, "end": -1}.get(event.kind, 0)
        content = self._content
        if self._depth >= 0:
            if content:
                content.feed(event)
            return
        side.content_end, side.end = event.start, event.end
        if content:
            side.template = content.finish(event.start)
            side.segments, side.is_valid = content.segments, content.is_valid
            side.is_blank = not self._source.raw(side.tag.end, event.start).strip() or (
                bool(side.segments) and all(segment.is_blank for segment in side.segments)
            )
        self._stack.pop()
        self._space_start = event.end
        self._side = self._content = None
