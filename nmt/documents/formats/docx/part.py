"""A part of a DOCX file: its paragraphs, and the descriptions of its pictures."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nmt.documents.content import Content, Segment, Text
from nmt.documents.document import TranslatedSegment
from nmt.documents.formats.docx.atoms import Field
from nmt.documents.formats.docx.names import NAMESPACES
from nmt.documents.formats.docx.paragraph_content import ParagraphContent, paragraph_content
from nmt.documents.formats.docx.paragraph_reader import Paragraph, ParagraphReader
from nmt.documents.formats.docx.paragraph_writer import is_unchanged, write_paragraph
from nmt.documents.formats.docx.run_format import Language, RunFormat
from nmt.documents.formats.limits import check_segment_count
from nmt.documents.formats.xml.edit import (
    Change,
    attribute_span,
    escape_attribute,
    splice,
    tag_prefix,
)
from nmt.documents.formats.xml.events import Event, XmlSource, read_events

_DESCRIPTIONS = ("descr", "title")
_REFERENCE = re.compile(r"&(?:#(\d+)|#x([0-9A-Fa-f]+)|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
# The properties of a paragraph have a fixed order; these come before its direction.
_BEFORE_DIRECTION = frozenset(
    {"w:pStyle", "w:keepNext", "w:keepLines", "w:pageBreakBefore", "w:framePr"}
    | {"w:widowControl", "w:numPr", "w:suppressLineNumbers", "w:pBdr", "w:shd", "w:tabs"}
    | {"w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap", "w:overflowPunct"}
    | {"w:topLinePunct", "w:autoSpaceDE", "w:autoSpaceDN"}
)


@dataclass(slots=True)
class _Description:
    """The description of a picture, an attribute."""

    start: int
    end: int


@dataclass(slots=True)
class _Read:
    """A text of the part."""

    path: str
    content: Content
    place: Paragraph | _Description
    paragraph: ParagraphContent | None = None


@dataclass(slots=True)
class TextPart:
    """A part with texts."""

    name: str
    source: XmlSource
    texts: list[_Read] = field(default_factory=list)

    def segments(self) -> Iterator[Segment]:
        """Yield the segments; texts in a box come before the paragraph that the box is in."""
        for text in self.texts:
            yield Segment(text.path, text.content)

    def write(self, translated: Sequence[TranslatedSegment], language: Language) -> bytes:
        """Write the part with its texts translated."""
        changes: list[Change] = []
        for text, segment in zip(self.texts, translated, strict=True):
            if isinstance(text.place, Paragraph):
                self._write_paragraph(text, text.place, segment.content, language, changes)
            else:
                value = "".join(
                    escape_attribute(piece.text) if piece.raw is None else piece.raw
                    for piece in segment.content
                )
                changes.append(Change(text.place.start, text.place.end, f'"{value}"'))
        return splice(self.source.data, changes)

    def _write_paragraph(
        self,
        text: _Read,
        place: Paragraph,
        translated: Content,
        language: Language,
        changes: list[Change],
    ) -> None:
        """Add the changes of a paragraph, in place of those inside of it."""
        if text.paragraph is None or is_unchanged(text.content, translated):
            return

        def read_raw(start: int, end: int) -> str:
            first = bisect_left(changes, (start,))
            last = bisect_left(changes, (end,))
            return splice(self.source.data, changes[first:last], start, end).decode()

        new = write_paragraph(translated, text.paragraph, place.prefix, language, read_raw)
        first = bisect_left(changes, (place.content_start,))
        del changes[first:]
        if language.changes_direction:
            changes += _direction_changes(place, language)
        changes.append(Change(place.content_start, place.content_end, new))


def read_part(name: str, source: XmlSource) -> TextPart:
    """Read a part.

    Raises:
        DocumentError: it is not valid XML, or it declares entities.
        DocumentTooLargeError: it is nested too deeply, or has too many paragraphs or tags.
    """
    # Of each paragraph, the end tag and perhaps the start tag: far too many are not even read.
    check_segment_count(source.data.count(b":p>") // 2)
    part = TextPart(name, source)
    reader = _PartReader(part)
    for event in read_events(source.data, NAMESPACES):
        reader.feed(event)
    return part


class _PartReader:
    """A reader of a part, event by event."""

    def __init__(self, part: TextPart) -> None:
        self._part = part
        self._label = part.name.rpartition("/")[2].removesuffix(".xml")
        self._fields: list[Field] = []
        self._formats: dict[str, RunFormat] = {}
        # A paragraph can hold a text box, and that other paragraphs.
        self._readers: list[ParagraphReader] = []
        self._paragraphs = 0
        self._pictures = 0

    def feed(self, event: Event) -> None:
        """Take the next event."""
        reader = self._readers[-1] if self._readers else None
        if event.kind == "start" and event.name == "wp:docPr":
            self._add_descriptions(event)
        if event.name == "w:p" and event.kind == "start" and (not reader or reader.is_skipping):
            self._start_paragraph(event, reader)
        elif reader and event.name == "w:p" and event.kind == "end" and not reader.is_skipping:
            self._end_paragraph(event, reader)
        elif reader:
            reader.feed(event)

    def _start_paragraph(self, event: Event, outer: ParagraphReader | None) -> None:
        """Begin a paragraph."""
        if outer:
            outer.enter()
        tag = self._part.source.raw(event.start, event.end)
        paragraph = Paragraph(self._part.source, event.start, tag_prefix(tag), event.end)
        # A field around a text box does not go on inside of it.
        fields = [] if outer else self._fields
        self._readers.append(ParagraphReader(paragraph, fields, self._formats, self._label))

    def _end_paragraph(self, event: Event, reader: ParagraphReader) -> None:
        """End a paragraph."""
        self._readers.pop()
        if self._readers:
            self._readers[-1].leave()
        # The code of a field ends with its paragraph; a damaged one must not hide what follows.
        reader.fields[:] = [field for field in reader.fields if field.has_result]
        self._paragraphs += 1
        paragraph = reader.paragraph
        paragraph.content_end = event.start
        path = f"{self._label} paragraph {self._paragraphs}"
        content = paragraph_content(paragraph, path)
        if content:
            self._part.texts.append(_Read(path, content.content, paragraph, content))
            check_segment_count(len(self._part.texts))
        paragraph.atoms.clear()

    def _add_descriptions(self, event: Event) -> None:
        """Add the texts that describe a picture."""
        self._pictures += 1
        tag = self._part.source.raw(event.start, event.end)
        found: list[tuple[int, int, str]] = []
        for name in _DESCRIPTIONS:
            span = attribute_span(tag, name)
            if span and event.attributes.get(name, "").strip():
                found.append((*span, name))
        for first, last, name in sorted(found):
            start = event.start + len(tag[:first].encode())
            end = event.start + len(tag[:last].encode())
            content = _attribute_content(tag[first + 1 : last - 1])
            path = f"{self._label} picture {self._pictures} {name}"
            self._part.texts.append(_Read(path, content, _Description(start, end)))


def _attribute_content(raw: str) -> Content:
    """Return the value of an attribute, with its references as pieces of their own."""
    pieces: list[Text] = []
    at = 0
    for match in _REFERENCE.finditer(raw):
        if at < match.start():
            pieces.append(Text(raw[at : match.start()], raw[at : match.start()]))
        code = match[1] or (match[2] and str(int(match[2], 16)))
        pieces.append(Text(chr(int(code)) if code else _NAMED[match[3]], match[0]))
        at = match.end()
    if at < len(raw):
        pieces.append(Text(raw[at:], raw[at:]))
    return tuple(pieces)


def _direction_changes(place: Paragraph, language: Language) -> Iterator[Change]:
    """Yield the changes that set the direction of a paragraph, or remove it."""
    new = f"<{place.prefix}bidi/>"
    if place.properties is None:
        if language.is_right_to_left:
            inner = f"<{place.prefix}pPr>{new}</{place.prefix}pPr>"
            yield Change(place.content_start, place.content_start, inner)
        return
    own = next((each for each in place.property_places if each[0] == "w:bidi"), None)
    if own:
        yield Change(own[1], own[2], new if language.is_right_to_left else "")
    elif language.is_right_to_left and place.property_places:
        later = (start for name, start, _ in place.property_places if name not in _BEFORE_DIRECTION)
        last = place.property_places[-1][2]
        at = next(later, last)
        yield Change(at, at, new)
