"""DOCX documents."""

from collections.abc import Sequence

from nmt.documents.content import Segment
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import BrokenDocumentError, DocumentError, UnknownFormatError
from nmt.documents.formats.checking import check_codes
from nmt.documents.formats.docx.archive import Archive
from nmt.documents.formats.docx.package import find_parts
from nmt.documents.formats.docx.part import TextPart, read_part
from nmt.documents.formats.docx.run_format import Language
from nmt.documents.formats.docx.settings import set_theme_language
from nmt.documents.formats.docx.structure import structure_of
from nmt.documents.formats.limits import check_segment_count
from nmt.documents.formats.xml.events import XmlSource, read_source

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"


class DocxDocument:
    """A DOCX file."""

    def __init__(self, data: bytes, options: ReadOptions) -> None:
        self._archive = Archive(data)
        self._language = Language(options.target_language, options.source_language)
        self._parts: list[TextPart] = []
        self._settings: str | None = None
        segments: list[Segment] = []
        for part in find_parts(self._archive):
            if part.kind == "settings":
                self._settings = part.name
                continue
            read = read_part(part.name, read_source(self._archive.read(part.name), None))
            segments += read.segments()
            check_segment_count(len(segments))
            if read.texts:
                self._parts.append(read)
        self.segments: Sequence[Segment] = segments

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the file with its texts translated.

        Raises:
            BrokenDocumentError: read again, a part has other elements than its source.
        """
        check_codes(self.segments, translated)
        replaced: dict[str, bytes] = {}
        at = 0
        for part in self._parts:
            segments = translated[at : at + len(part.texts)]
            at += len(part.texts)
            data = part.write(segments, self._language)
            if data != part.source.data:
                _check(part, data)
                replaced[part.name] = part.source.encode(data)
        if replaced and self._settings:
            source = read_source(self._archive.read(self._settings), None)
            data = set_theme_language(source, self._language)
            replaced[self._settings] = source.encode(data)
        return self._archive.write(replaced)


def read_docx(data: bytes, options: ReadOptions) -> DocxDocument:
    """Read a DOCX file.

    Raises:
        DocumentError: the archive or a part of it is broken or hostile.
        DocumentTooLargeError: it is above a limit.
        UnknownFormatError: it is not a DOCX file, or is encrypted.
    """
    if data.startswith(_OLD_OFFICE):
        raise UnknownFormatError(
            "The file is an old Word file (.doc) or protected by a password. Save it as .docx, "
            "without a password."
        )
    if not data.startswith(b"PK"):
        raise UnknownFormatError("The file is not DOCX: it is not a zip archive.")
    return DocxDocument(data, options)


def _check(part: TextPart, data: bytes) -> None:
    """Compare the elements of a written part with those of its source."""
    written: XmlSource = part.source.with_data(data)
    try:
        is_same = structure_of(written) == structure_of(part.source)
    except DocumentError as error:
        raise BrokenDocumentError(f"The translated part {part.name} is broken: {error}") from None
    if not is_same:
        raise BrokenDocumentError(f"The translated part {part.name} has other elements.")
