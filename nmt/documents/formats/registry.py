"""The formats of documents by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType

from nmt.documents.document import Document, ReadDocument, ReadOptions, TranslatedSegment
from nmt.documents.errors import DocumentError, UnknownFormatError
from nmt.documents.formats.decoding import Decoded
from nmt.documents.formats.docx.reader import read_docx
from nmt.documents.formats.html.document import read_html
from nmt.documents.formats.json_strings.document import read_json
from nmt.documents.formats.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_TEXT_BYTES,
    check_bytes,
    check_segments,
)
from nmt.documents.formats.markdown.document import read_markdown
from nmt.documents.formats.plain_text import PlainText, read_plain_text
from nmt.documents.formats.po.document import read_po
from nmt.documents.formats.sniffing import check_kind
from nmt.documents.formats.subtitles.document import read_srt, read_vtt
from nmt.documents.formats.xliff.reader import read_xliff


@dataclass(frozen=True, slots=True)
class Format:
    """A format of documents."""

    name: str
    suffixes: tuple[str, ...]
    """Of file names, in lower case, with the dot."""
    media_type: str
    read: ReadDocument
    is_text: bool = True
    """Whether a string can be in it."""
    max_bytes: int = MAX_TEXT_BYTES


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        each.name: each
        for each in (
            Format("text", (".txt", ".text"), "text/plain", read_plain_text),
            Format("markdown", (".md", ".markdown", ".mdown"), "text/markdown", read_markdown),
            Format("html", (".html", ".htm", ".xhtml"), "text/html", read_html),
            Format("json", (".json", ".jsonl", ".ndjson", ".arb"), "application/json", read_json),
            Format("srt", (".srt",), "application/x-subrip", read_srt),
            Format("vtt", (".vtt",), "text/vtt", read_vtt),
            Format("xliff", (".xlf", ".xliff"), "application/xliff+xml", read_xliff),
            Format("po", (".po", ".pot"), "text/x-gettext-translation", read_po),
            Format(
                "docx",
                (".docx",),
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                read_docx,
                is_text=False,
                max_bytes=MAX_ARCHIVE_BYTES,
            ),
        )
    }
)
"""All formats by name."""


def format_of(file_name: str, data: bytes, declared: str | None = None) -> Format:
    """Find the format of a file.

    Args:
        file_name: of which the suffix counts, if `declared` is None.
        data: the file.
        declared: name of the format, from the user.

    Raises:
        UnknownFormatError: there is no such format, or the file begins like one of another.
    """
    found = find_format(declared) if declared else _by_suffix(file_name)
    check_kind(data, found.name)
    return found


def find_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        UnknownFormatError: there is no such format.
    """
    found = FORMATS.get(name)
    if found is None:
        raise UnknownFormatError(f"{name[:40]!r} is not a format. Formats: {', '.join(FORMATS)}.")
    return found


def read_document(
    data: bytes, format_name: str, options: ReadOptions, max_characters: int | None = None
) -> Document:
    """Read a file.

    It may take seconds of processor time, so it has to run in a thread beside an event loop.

    Args:
        data: the file.
        format_name: a key of `FORMATS`.
        options: how it is read.
        max_characters: to translate; None for no limit.

    Raises:
        DocumentError: it is not valid in its format.
        DocumentTooLargeError: it is above a limit.
        UnknownFormatError: it is of another format.
    """
    found = find_format(format_name)
    if found.name != "json" and (options.keys or options.skipped_keys):
        raise DocumentError(
            f"keys and skipped_keys choose values of JSON files, but the format is {found.name}."
        )
    check_bytes(len(data), found.max_bytes)
    check_kind(data, found.name)
    document = found.read(data, options)
    check_segments(document.segments, max_characters)
    return document


def read_string(
    text: str, format_name: str, options: ReadOptions, max_characters: int | None = None
) -> Document:
    """Read a string in a text format; `write_string` gives its translation.

    Raises:
        DocumentError: it is not valid in its format.
        DocumentTooLargeError: it is above a limit.
        UnknownFormatError: the format is not one of text.
    """
    found = find_format(format_name)
    if not found.is_text:
        names = ", ".join(each.name for each in FORMATS.values() if each.is_text)
        raise UnknownFormatError(f"A text cannot be in the format {format_name}. Formats: {names}.")
    if found.name == "text":
        # Any string is a plain text, even one with a byte order mark or NUL.
        document = PlainText(Decoded(text, "utf-8"), is_wrapped=options.is_wrapped)
        check_segments(document.segments, max_characters)
        return document
    # What a string declares of its encoding was true of the file that it comes from.
    options = replace(options, encoding="utf-8")
    return read_document(text.encode(), format_name, options, max_characters)


def write_string(document: Document, translated: Sequence[TranslatedSegment]) -> str:
    """Write the translation of a document that was read from a string.

    Raises:
        BrokenDocumentError: as `Document.write` does.
    """
    return document.write(translated).decode()


def _by_suffix(file_name: str) -> Format:
    """Find a format by the suffix of a file name."""
    suffix = PurePosixPath(file_name.replace("\\", "/")).suffix.lower()
    for each in FORMATS.values():
        if suffix and suffix in each.suffixes:
            return each
    suffixes = " ".join(suffix for each in FORMATS.values() for suffix in each.suffixes)
    subject = f"Files of the suffix {suffix[:20]!r} are" if suffix else "A file without a suffix is"
    raise UnknownFormatError(
        f"{subject} not translated. Suffixes: {suffixes}. For another name, give format=."
    )
