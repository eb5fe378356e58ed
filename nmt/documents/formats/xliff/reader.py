"""XLIFF documents."""

from collections.abc import Sequence

from nmt.documents.content import Segment
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import BrokenDocumentError, DocumentError
from nmt.documents.formats.checking import check_codes
from nmt.documents.formats.limits import check_segment_count
from nmt.documents.formats.xliff.content_reader import drafts_of
from nmt.documents.formats.xliff.pieces import Draft, Template
from nmt.documents.formats.xliff.rendering import Renderer, fill
from nmt.documents.formats.xliff.targets import TargetWriter
from nmt.documents.formats.xliff.units import Side, Unit, XliffFile, read_units
from nmt.documents.formats.xml.edit import splice, tag_prefix
from nmt.documents.formats.xml.events import XmlSource, read_source

_WAITING_STATES = frozenset({"new", "needs-translation", "initial"})


class XliffDocument:
    """An XLIFF file."""

    def __init__(self, source: XmlSource, options: ReadOptions) -> None:
        self._source = source
        self._options = options
        self._file = read_units(source)
        self._wanted: list[tuple[Unit, Template]] = []
        self._drafts: list[Draft] = []
        self.segments: Sequence[Segment] = []
        segments: list[Segment] = []
        for unit in self._file.units:
            template = _text_of(unit, overwrite=options.overwrite)
            drafts = drafts_of(template)
            if drafts:
                self._wanted.append((unit, template))
                segments += _segments(unit, drafts, len(segments))
                self._drafts += drafts
                check_segment_count(len(segments))
        self.segments = segments

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the file with its targets.

        Raises:
            BrokenDocumentError: read again, the result has other units, or not what was written.
        """
        check_codes(self.segments, translated)
        if not self._wanted:
            return self._source.encode(self._source.data)
        rendered = Renderer(self._source).render(self._drafts, translated)
        writer = TargetWriter(self._source, self._file, self._options.target_language)
        contents: dict[int, str] = {}
        for unit, template in self._wanted:
            content = fill(template, rendered)
            is_doubtful = any(translated[draft.index].is_doubtful for draft in drafts_of(template))
            writer.write(unit, content, is_doubtful=is_doubtful)
            contents[id(unit)] = content
        data = splice(self._source.data, writer.changes())
        _check(self._source, self._file, data, contents)
        return self._source.encode(data)


def read_xliff(data: bytes, options: ReadOptions) -> XliffDocument:
    """Read an XLIFF file.

    Raises:
        DocumentError: it is not valid XML, it declares entities, or its version is not known.
        DocumentTooLargeError: it is nested too deeply or has too many texts.
        UnknownFormatError: it is not XLIFF.
    """
    return XliffDocument(read_source(data, options.encoding), options)


def _text_of(unit: Unit, *, overwrite: bool) -> Template:
    """Return what becomes the target of a unit; nothing if the unit is not translated."""
    source = unit.sides.get("seg-source") or unit.sides.get("source")
    if not unit.translate or unit.name == "ignorable" or source is None or not source.is_valid:
        return []
    target = unit.sides.get("target")
    if overwrite or target is None or target.is_blank or _is_waiting(unit, target):
        return source.template
    if any(segment.is_blank for segment in target.segments):
        return _completed(source, target)
    return []


def _is_waiting(unit: Unit, target: Side) -> bool:
    """Tell whether the state of a unit says that its target is not a translation."""
    state = target.tag.attributes.get("state") or unit.tag.attributes.get("state", "")
    return state in _WAITING_STATES and unit.tag.attributes.get("approved") != "yes"


def _completed(source: Side, target: Side) -> Template:
    """Return a target with texts for those of its segments that are empty."""
    texts = {segment.mid: segment.template for segment in source.segments}
    template: Template = []
    for segment in target.segments:
        if not segment.is_blank or segment.mid not in texts:
            template += [segment.before, segment.raw]
            continue
        before, text = segment.before, texts[segment.mid]
        if before.endswith("/>"):
            end = f"</{tag_prefix(before[before.rindex('<') :])}mrk>"
            template += [f"{before[:-2].rstrip()}>", *text, end]
        else:
            template += [before, *text]
    return [*template, target.template[-1]]


def _segments(unit: Unit, drafts: Sequence[Draft], first: int) -> list[Segment]:
    """Make the segments of a unit, and give its texts their numbers."""
    segments: list[Segment] = []
    for number, draft in enumerate(drafts, start=1):
        draft.index = first + len(segments)
        path = unit.path if len(drafts) == 1 else f"{unit.path} text {number}"
        segments.append(Segment(path, draft.content, is_wrapped=not unit.preserves_space))
    return segments


def _check(source: XmlSource, before: XliffFile, data: bytes, contents: dict[int, str]) -> None:
    """Compare the units of a written file with those of its source."""
    written = source.with_data(data)
    try:
        after = read_units(written, with_content=False)
    except DocumentError as error:
        raise BrokenDocumentError(f"The translated file is broken: {error}") from None
    if [unit.path for unit in before.units] != [unit.path for unit in after.units]:
        raise BrokenDocumentError("The translated file has other units than its source.")
    for old, new in zip(before.units, after.units, strict=True):
        for name in {*old.sides, *new.sides}:
            expected = contents.get(id(old)) if name == "target" else None
            if expected is None:
                expected = _content(source, old, name)
            if _content(written, new, name) != expected:
                raise BrokenDocumentError(f"The {name} of {old.path} is not what was written.")


def _content(source: XmlSource, unit: Unit, name: str) -> str | None:
    """Return what is inside a source or target; None if there is none."""
    side = unit.sides.get(name)
    return source.raw(side.tag.end, side.content_end) if side else None
