"""The reader of what is inside a `source`, `seg-source` or `target`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nmt.documents.content import Text
from nmt.documents.formats.limits import check_code_count, check_segment_count
from nmt.documents.formats.xliff.drafts import make_drafts
from nmt.documents.formats.xliff.inline import (
    NATIVE,
    OPAQUE,
    element_mark,
    opaque_mark,
)
from nmt.documents.formats.xliff.pieces import CdataText, Draft, Mark, Piece, Template
from nmt.documents.formats.xml.events import Event, XmlSource

_MAX_NATIVE = 100


@dataclass(slots=True)
class _Opaque:
    """An element that is one code, until its end."""

    name: str
    attributes: Mapping[str, str]
    start: int
    depth: int = 1
    inner: str = ""
    """Start of the text inside it."""
    holes: Template = field(default_factory=list)
    hole_start: int = 0


@dataclass(slots=True)
class _Level:
    """A text: that of the element, of a segment in it, or of a `sub` in one of its codes."""

    start: int
    pieces: list[Piece] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    """Text without escapes, which becomes one piece."""
    sections: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Of each CDATA section, the numbers of its pieces and the places of its content."""
    elements: list[tuple[str, Mark | None]] = field(default_factory=list)
    """Elements that are open around text, by name; without a mark, a segment, by its `mid`."""
    opaque: _Opaque | None = None
    protected: str | None = None
    """Id of the `sm` after which nothing is translated."""

    marks: int = 0

    def mark(self, mark: Mark) -> None:
        """Add a code."""
        self.flush()
        self.marks += 1
        self.pieces.append(mark)

    def flush(self) -> None:
        """Make a piece of the text that was gathered."""
        if self.run:
            text = "".join(self.run)
            self.pieces.append(Text(text, text))
            self.run.clear()


@dataclass(frozen=True, slots=True)
class SegmentPart:
    """A segment of a `seg-source` or `target`."""

    mid: str
    before: str
    """What the file has between the segment before and this one, with the tag of this one."""
    template: Template
    raw: str
    """What the file has inside it."""

    @property
    def is_blank(self) -> bool:
        """Tell whether there is no text in it."""
        return not self.raw.strip()


class ContentReader:
    """A reader of the content of an element, event by event."""

    def __init__(
        self, source: XmlSource, start: int, original: Mapping[str, str], path: str
    ) -> None:
        self._source = source
        self._original = original
        self._path = path
        self._levels = [_Level(start)]
        self._glue_start = start
        self._before_segment = ""
        self.segments: list[SegmentPart] = []
        self._texts = 0
        self.is_valid = True
        """Whether everything could be divided into texts."""

    def feed(self, event: Event) -> None:
        """Take the next event inside the element."""
        level = self._levels[-1]
        check_code_count(level.marks, self._path)
        if level.opaque:
            self._feed_opaque(level, level.opaque, event)
        elif event.kind == "text":
            self._text(level, event)
        elif event.kind == "start":
            self._start(level, event)
        elif event.kind == "end":
            self._end(level, event)
        elif event.kind in ("cdata_start", "cdata_end"):
            self._cdata(level, event)
        else:
            level.mark(Mark(self._raw(event), "point"))

    def finish(self, end: int) -> Template:
        """Return what is inside the element."""
        if not self.segments:
            return self._build(self._levels[0], end)
        template: Template = []
        for segment in self.segments:
            template += [segment.before, *segment.template]
        return [*template, self._source.raw(self._glue_start, end)]

    def _text(self, level: _Level, event: Event) -> None:
        """Take text."""
        raw = self._raw(event)
        if level.protected is not None:
            level.mark(Mark(raw, "point" if raw.isspace() else "word"))
        elif raw == event.text:
            level.run.append(raw)
        else:
            level.flush()
            level.pieces.append(Text(event.text, raw))

    def _cdata(self, level: _Level, event: Event) -> None:
        """Remember where a CDATA section begins or ends."""
        level.flush()
        if event.kind == "cdata_start":
            level.sections.append((len(level.pieces), -1, event.end, -1))
        else:
            first, _, start, _ = level.sections[-1]
            level.sections[-1] = (first, len(level.pieces), start, event.start)

    def _start(self, level: _Level, event: Event) -> None:
        """Take the start of an element."""
        attributes = event.attributes
        is_mark = event.name == "mrk"
        if is_mark and attributes.get("mtype") == "seg" and len(self._levels) == 1:
            self._start_segment(level, event)
            return
        level.flush()
        is_protected = attributes.get("mtype") == "protected" or attributes.get("translate") == "no"
        if event.name in OPAQUE or (is_mark and is_protected):
            level.opaque = _Opaque(event.name, attributes, event.start, hole_start=event.start)
            return
        mark = element_mark(self._raw(event), "open", (object(),), attributes)
        level.elements.append((event.name, mark))
        level.mark(mark)

    def _end(self, level: _Level, event: Event) -> None:
        """Take the end of an element around text."""
        if level.elements:
            name, opened = level.elements.pop()
            if opened is None:
                self._end_segment(level, name, event)
                return
            if event.start == event.end:
                opened.kind, opened.key = "point", None
            else:
                level.mark(Mark(self._raw(event), "close", opened.key, opened.is_exact))
            return
        # The end of a `sub`, whose text is a part of the code around it.
        self._levels.pop()
        outer = self._levels[-1].opaque
        if outer:
            outer.holes.append(self._source.raw(outer.hole_start, level.start))
            outer.holes += self._build(level, event.start)
            outer.hole_start = event.start
            outer.depth -= 1

    def _start_segment(self, level: _Level, event: Event) -> None:
        """Begin the text of a segment; what was before it is not a text."""
        self._before_segment = self._source.raw(self._glue_start, event.end)
        elements = [*level.elements, (event.attributes.get("mid", ""), None)]
        self._levels[0] = _Level(event.end, elements=elements)

    def _end_segment(self, level: _Level, mid: str, event: Event) -> None:
        """End the text of a segment."""
        built = self._build(level, event.start)
        self._glue_start = event.start
        raw = self._source.raw(level.start, event.start)
        self.segments.append(SegmentPart(mid, self._before_segment, built, raw))
        self._levels[0] = _Level(event.end, elements=level.elements)

    def _feed_opaque(self, level: _Level, opaque: _Opaque, event: Event) -> None:
        """Take an event inside an element that is one code."""
        if event.kind == "start":
            opaque.depth += 1
            if event.name == "sub" and opaque.name in NATIVE:
                self._levels.append(_Level(event.end))
        elif event.kind == "end":
            opaque.depth -= 1
            if not opaque.depth:
                self._end_opaque(level, opaque, event)
        elif event.kind == "text" and len(opaque.inner) < _MAX_NATIVE:
            opaque.inner += event.text

    def _end_opaque(self, level: _Level, opaque: _Opaque, event: Event) -> None:
        """Add the code of an element that is one."""
        level.opaque = None
        raw = self._source.raw(opaque.start, event.end)
        if opaque.name == "mrk":
            mark = Mark(raw, "word")
        else:
            mark = opaque_mark(opaque.name, raw, opaque.attributes, opaque.inner, self._original)
        if opaque.holes:
            mark.holes = [*opaque.holes, self._source.raw(opaque.hole_start, event.end)]
        level.mark(mark)
        identity = opaque.attributes.get("id", "")
        if opaque.name == "sm" and opaque.attributes.get("translate") == "no":
            level.protected = identity
        elif opaque.name == "em" and opaque.attributes.get("startRef") == level.protected:
            level.protected = None

    def _build(self, level: _Level, end: int) -> Template:
        """Make the texts of a level, with the markup around them."""
        self._texts += 1
        check_segment_count(self._texts)
        level.flush()
        pieces, start = level.pieces, level.start
        prefix = suffix = ""
        is_cdata = len(level.sections) == 1 and _is_blank_outside(pieces, level.sections[0])
        if is_cdata:
            first, last, inner_start, inner_end = level.sections[0]
            prefix = self._source.raw(start, inner_start)
            suffix = self._source.raw(inner_end, end)
            pieces = pieces[first:last]
        else:
            for first, last, _, _ in level.sections:
                pieces[first:last] = [
                    CdataText(piece.text, piece.text) if isinstance(piece, Text) else piece
                    for piece in pieces[first:last]
                ]
        drafts = make_drafts(pieces, self._path, is_cdata=is_cdata) if pieces else []
        if drafts is None:
            self.is_valid = False
            return [self._source.raw(start, end)]
        return [prefix, *drafts, suffix]

    def _raw(self, event: Event) -> str:
        """Return what the file has for an event."""
        return self._source.raw(event.start, event.end)


def _is_blank_outside(pieces: list[Piece], section: tuple[int, int, int, int]) -> bool:
    """Tell whether there is only white space beside a CDATA section."""
    first, last, _, _ = section
    outside = pieces[:first] + pieces[last:]
    return all(isinstance(piece, Text) and not piece.text.strip() for piece in outside)


def drafts_of(template: Template) -> list[Draft]:
    """Return the texts of a template, each before those inside its codes."""
    drafts: list[Draft] = []
    waiting = list(reversed(template))
    while waiting:
        part = waiting.pop()
        if isinstance(part, Draft):
            drafts.append(part)
            for hole in part.holes.values():
                waiting += reversed(hole)
    return drafts
