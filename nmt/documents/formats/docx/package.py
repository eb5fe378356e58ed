"""The parts of a DOCX file that hold texts."""

from dataclasses import dataclass
from typing import Literal

from nmt.documents.errors import DocumentError, UnknownFormatError
from nmt.documents.formats.docx.archive import Archive
from nmt.documents.formats.xml.events import read_events, read_source

_CONTENT_TYPES = "[Content_Types].xml"
_NAMESPACES = {"http://schemas.openxmlformats.org/package/2006/content-types": ""}
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_TEXT_TYPES = {
    f"{_WORD}{kind}+xml"
    for kind in (
        "document.main",
        "template.main",
        "header",
        "footer",
        "footnotes",
        "endnotes",
        "comments",
    )
} | {
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
}
_SETTINGS_TYPE = f"{_WORD}settings+xml"
_OTHERS = {"spreadsheetml": "an Excel file", "presentationml": "a PowerPoint file"}

PartKind = Literal["text", "settings"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part that may be changed."""

    name: str
    """In the archive."""
    kind: PartKind


def find_parts(archive: Archive) -> list[Part]:
    """Find the parts that may be changed, the main document first.

    Raises:
        DocumentError: the list of parts is broken.
        UnknownFormatError: it is an archive of something else.
    """
    if _CONTENT_TYPES not in archive:
        raise UnknownFormatError("The archive is not a DOCX file: [Content_Types].xml is missing.")
    types = _read_types(archive)
    names = {name.casefold(): name for name in archive.names}
    parts: list[Part] = []
    for part_name, content_type in types.items():
        kind: PartKind = "settings" if content_type == _SETTINGS_TYPE else "text"
        name = names.get(part_name.removeprefix("/").casefold())
        if name and (kind == "settings" or content_type in _TEXT_TYPES):
            parts.append(Part(name, kind))
    # Archives without a list of types exist: the usual name says it, too.
    if not any(".main+xml" in types.get(f"/{part.name}", "") for part in parts):
        if "word/document.xml" not in archive:
            raise UnknownFormatError(f"The archive is not a DOCX file: it is {_kind_of(types)}.")
        parts = [part for part in parts if part.name != "word/document.xml"]
        parts.insert(0, Part("word/document.xml", "text"))
    return sorted(parts, key=lambda part: ".main+xml" not in types.get(f"/{part.name}", ""))


def _read_types(archive: Archive) -> dict[str, str]:
    """Read the content type of each part."""
    source = read_source(archive.read(_CONTENT_TYPES), None)
    types: dict[str, str] = {}
    for event in read_events(source.data, _NAMESPACES):
        if event.kind == "start" and event.name.rpartition(":")[2] == "Override":
            name = event.attributes.get("PartName", "")
            types[name] = event.attributes.get("ContentType", "")
    if not types and "word/document.xml" not in archive:
        raise DocumentError("The archive is not a DOCX file: it has no document.")
    return types


def _kind_of(types: dict[str, str]) -> str:
    """Say what an archive is, by its content types."""
    joined = " ".join(types.values())
    return next((kind for word, kind in _OTHERS.items() if word in joined), "without a document")
