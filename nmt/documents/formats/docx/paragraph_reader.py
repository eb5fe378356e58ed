"""The reader of one paragraph."""

from dataclasses import dataclass, field
from typing import Literal

from nmt.documents.formats.docx.atoms import Atom, Field, is_translated_field
from nmt.documents.formats.docx.run_format import PLAIN, Property, RunFormat
from nmt.documents.formats.limits import check_code_count, check_depth
from nmt.documents.formats.xml.edit import escape_text
from nmt.documents.formats.xml.events import Event, XmlSource

_CONTAINERS = frozenset(
    {"w:hyperlink", "w:ins", "w:moveTo", "w:smartTag", "w:customXml", "w:dir", "w:bdo"}
)
# Left out of a paragraph that is translated: they say what was checked, or where lines broke.
_DROPPED = frozenset({"w:proofErr", "w:lastRenderedPageBreak"})
_MAX_INSTRUCTION = 200
_FIELD_WEIGHT = 8

SkipKind = Literal["code", "dropped", "run_properties", "paragraph_properties", "sdt"]


@dataclass(slots=True)
class _Skip:
    """An element that is passed over, until its end."""

    kind: SkipKind
    name: str
    start: int
    depth: int = 1
    has_picture: bool = False
    properties: list[tuple[str, int, int]] = field(default_factory=list)
    """Names and places of the elements directly inside."""


@dataclass(slots=True)
class Paragraph:
    """A paragraph that was read."""

    source: XmlSource
    start: int
    prefix: str
    """Of its tag, with the colon."""
    content_start: int
    """Behind its tag and properties."""
    content_end: int = 0
    atoms: list[Atom] = field(default_factory=list)
    properties: tuple[int, int] | None = None
    """Where its properties are."""
    property_places: list[tuple[str, int, int]] = field(default_factory=list)


class ParagraphReader:
    """A reader of a paragraph, event by event."""

    def __init__(
        self, paragraph: Paragraph, fields: list[Field], formats: dict[str, RunFormat], path: str
    ) -> None:
        """Begin behind the tag of the paragraph.

        Args:
            paragraph: what is read is put here.
            fields: that are open, which go on from paragraph to paragraph.
            formats: that were read before, by what the file has for them.
            path: of the part, for people.
        """
        self._path = path
        self.paragraph = paragraph
        self.fields = fields
        self._formats = formats
        self._skip: _Skip | None = None
        self._run: RunFormat | None = None
        self._text: Atom | None = None
        self._is_preserved = False
        self._is_cdata = False
        self._codes = 0
        self._instruction: Field | None = None
        self._field_mark = ""

    @property
    def is_skipping(self) -> bool:
        """Tell whether the place is inside an element that is passed over."""
        return self._skip is not None

    def feed(self, event: Event) -> None:
        """Take the next event of the paragraph."""
        if self._skip:
            self._feed_skip(self._skip, event)
        elif event.kind == "start":
            if self._run is None:
                self._start_outside_run(event)
            else:
                self._start_in_run(event)
        elif event.kind == "end":
            self._end(event)
        elif self._text is not None and event.kind == "text":
            self._take_text(self._text, event)
        elif event.kind in ("cdata_start", "cdata_end"):
            self._is_cdata = event.kind == "cdata_start"

    def enter(self) -> None:
        """Note a paragraph inside the element that is passed over, which another reader reads."""
        if self._skip:
            self._skip.depth += 1

    def leave(self) -> None:
        """Note the end of a paragraph inside."""
        if self._skip:
            self._skip.depth -= 1

    def _start_outside_run(self, event: Event) -> None:
        """Take the start of an element beside runs."""
        name = event.name
        if name == "w:r":
            self._run = PLAIN
        elif name in _CONTAINERS or (
            name == "w:fldSimple" and is_translated_field(event.attributes.get("w:instr", ""))
        ):
            if self._is_empty(event):
                self._begin_skip("code", event)
            else:
                self._add(Atom("open", event.start, event.end, name))
        elif name == "w:pPr":
            self._begin_skip("paragraph_properties", event)
        elif name == "w:sdt":
            self._begin_skip("sdt", event)
        else:
            self._begin_skip("dropped" if name in _DROPPED else "code", event)

    def _start_in_run(self, event: Event) -> None:
        """Take the start of an element of a run."""
        name = event.name
        if name == "w:t":
            self._text = Atom("text", event.start, event.end, name, self._run)
            self._is_preserved = event.attributes.get("xml:space") == "preserve"
        elif name == "w:rPr":
            self._begin_skip("run_properties", event)
        else:
            if name == "w:fldChar":
                self._field_mark = event.attributes.get("w:fldCharType", "")
                if self._field_mark == "begin":
                    self.fields.append(Field())
                    # Each atom looks through the fields around it.
                    check_depth(_FIELD_WEIGHT * len(self.fields))
            elif name == "w:instrText" and self.fields:
                self._instruction = self.fields[-1]
            self._begin_skip("dropped" if name in _DROPPED else "code", event)

    def _end(self, event: Event) -> None:
        """Take the end of an element that is not passed over."""
        if event.name == "w:t" and self._text:
            if not self._is_preserved:
                _strip(self._text.texts)
            self._text.end = event.end
            if self._text.texts:
                self._add(self._text)
            self._text = None
        elif event.name == "w:r":
            self._run = None
        elif event.name == "w:sdtContent":
            # The end of the content, and that of the control around it, are one code.
            self._skip = _Skip("sdt", event.name, event.start, depth=1)
        else:
            self._add(Atom("close", event.start, event.end, event.name))

    def _begin_skip(self, kind: SkipKind, event: Event) -> None:
        """Begin to pass over an element."""
        self._skip = _Skip(kind, event.name, event.start)

    def _feed_skip(self, skip: _Skip, event: Event) -> None:
        """Take an event inside an element that is passed over."""
        if event.kind == "start":
            skip.depth += 1
            if skip.depth == 2:
                skip.properties.append((event.name, event.start, event.end))
            if skip.kind == "sdt" and skip.depth == 2 and event.name == "w:sdtContent":
                self._skip = None
                self._add(Atom("open", skip.start, event.end, "w:sdt"))
            elif event.name == "wp:inline":
                skip.has_picture = True
        elif event.kind == "end":
            skip.depth -= 1
            if skip.depth == 1 and skip.properties:
                name, start, _ = skip.properties[-1]
                skip.properties[-1] = (name, start, event.end)
            if not skip.depth:
                self._skip = None
                self._end_skip(skip, event.end)
        elif self._instruction and len(self._instruction.instruction) < _MAX_INSTRUCTION:
            self._instruction.instruction += event.text

    def _end_skip(self, skip: _Skip, end: int) -> None:
        """Take an element that was passed over."""
        raw = self.paragraph.source.raw
        if skip.kind == "paragraph_properties":
            self.paragraph.content_start = end
            self.paragraph.properties = (skip.start, end)
            self.paragraph.property_places = skip.properties
        elif skip.kind == "run_properties":
            text = raw(skip.start, end)
            if text not in self._formats:
                properties = (Property(name, raw(*place)) for name, *place in skip.properties)
                self._formats[text] = RunFormat(tuple(properties))
            self._run = self._formats[text]
        elif skip.name == "w:sdtContent":
            self._add(Atom("close", skip.start, end, "w:sdt"))
        elif skip.kind != "dropped":
            atom = Atom("code", skip.start, end, skip.name, self._run)
            atom.is_inline_picture = skip.has_picture
            self._instruction = None
            if skip.name == "w:fldChar":
                self._add_field_mark(atom)
            else:
                self._add(atom)

    def _add_field_mark(self, atom: Atom) -> None:
        """Add a mark of a field, which belongs to the field itself."""
        self._add(atom)
        if not self.fields:
            return
        if self._field_mark == "separate":
            self.fields[-1].has_result = True
        elif self._field_mark == "end":
            ended = self.fields.pop()
            # Behind a result that is translated, its field is the one that the mark is a part of.
            if atom.field is None:
                atom.field, atom.ends_field = ended, True

    def _take_text(self, atom: Atom, event: Event) -> None:
        """Take text of a run."""
        raw = self.paragraph.source.raw(event.start, event.end)
        if self._is_cdata:
            atom.texts += [(each, escape_text(each)) for each in event.text]
        else:
            atom.texts.append((event.text, raw))

    def _add(self, atom: Atom) -> None:
        """Add an atom to the paragraph, with the field that it is in."""
        if atom.kind != "text":
            self._codes += 1
            check_code_count(self._codes, self._path)
        atom.field = next((each for each in self.fields if not each.is_translated), None)
        self.paragraph.atoms.append(atom)

    def _is_empty(self, event: Event) -> bool:
        """Tell whether a tag is that of an empty element."""
        return self.paragraph.source.data[event.end - 2 : event.end] == b"/>"


def _strip(texts: list[tuple[str, str]]) -> None:
    """Remove white space at both ends, which Word does not show."""
    while texts and not texts[0][0].strip():
        texts.pop(0)
    while texts and not texts[-1][0].strip():
        texts.pop()
    if texts:
        text, raw = texts[0]
        texts[0] = (text.lstrip(), raw.lstrip()) if text == raw else (text, raw)
        text, raw = texts[-1]
        texts[-1] = (text.rstrip(), raw.rstrip()) if text == raw else (text, raw)
