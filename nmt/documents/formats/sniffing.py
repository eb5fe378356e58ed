"""Whether a file is what its name says, by its first bytes."""

import re

from nmt.documents.errors import UnknownFormatError
from nmt.documents.formats.decoding import decode_head

_HEAD = 4096
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive, such as DOCX"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (.doc) or an encrypted one"),
    (b"%PDF-", "a PDF"),
    (b"{\\rtf", "an RTF file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
)
# How a text of each format has to begin, or what it must not begin with. Formats that may begin
# with anything, such as Markdown, are missing.
_MUST_BEGIN = {
    "json": re.compile(r'\s*(?:[{\["tfn\d-]|\Z)'),
    "vtt": re.compile(r"WEBVTT(?:[ \t\r\n]|\Z)"),
    "xliff": re.compile(r"\s*<"),
}
_MUST_NOT_BEGIN = {
    "srt": re.compile(r"WEBVTT|\s*(?:<[!?a-zA-Z]|\{\s*\"|msgid\s)"),
    "po": re.compile(r"WEBVTT|\s*[<{\[]"),
    "html": re.compile(r"WEBVTT[ \t\r\n]|msgid\s|\s*<\?xml[^>]*>\s*<xliff\b"),
}
_SUGGESTIONS = (
    ("vtt", re.compile(r"WEBVTT\b")),
    ("po", re.compile(r"(?:[ \t]*+(?:#[^\r\n]*+)?+[\r\n]++)*+msgid\s")),
    ("xliff", re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?<xliff\b")),
    ("html", re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE)),
    ("json", re.compile(r'\s*[{\[]\s*["{\[\]}]')),
)


def check_kind(data: bytes, format_name: str) -> None:
    """Refuse a file that is clearly of another format.

    Args:
        data: the file.
        format_name: what its name or the user says.

    Raises:
        UnknownFormatError: its first bytes are those of another format.
    """
    signature = find_signature(data)
    # Formats are told by what they cannot be; the reader sees whether the file is valid.
    if format_name == "docx":
        if not data.startswith(b"PK\x03\x04"):
            raise UnknownFormatError(
                f"The file is not DOCX: it is {signature or 'not an archive'}."
            )
        return
    if signature:
        raise UnknownFormatError(f"The file is not {format_name}: it is {signature}.")
    head = decode_head(data, _HEAD)
    begins = _MUST_BEGIN.get(format_name)
    never = _MUST_NOT_BEGIN.get(format_name)
    if (begins and not begins.match(head)) or (never and never.match(head)):
        raise UnknownFormatError(f"The file is not {format_name}{_suggestion(head, format_name)}.")


def find_signature(data: bytes) -> str | None:
    """Name the kind of a file that is not text, by its first bytes."""
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)


def _suggestion(head: str, format_name: str) -> str:
    """Say what the file looks like."""
    for name, pattern in _SUGGESTIONS:
        if name != format_name and pattern.match(head):
            return f"; it looks like {name}"
    return f": it does not begin as {format_name} does" if head.strip() else ": it is empty"
