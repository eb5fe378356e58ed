"""Recognition of files that are not text, by their first bytes."""

import re

from nmt.data.formats.files.input_file import SAVE_SHEET, InputFile
from nmt.errors import DataError

HEAD_BYTES = 512
_ZIP = b"PK\x03\x04"
_PACKED = (b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")
_TAR = (257, b"ustar")  # at this offset, behind the name of the first member
_OTHERS = (
    (
        re.compile(rb"\x04\x22\x4d\x18"),
        "packed with lz4",
        "unpack it (lz4 -d {name}), then name the unpacked file",
    ),
    (
        re.compile(rb"\x1f\x9d"),
        "packed with compress",
        "unpack it (uncompress {name}), then name the unpacked file",
    ),
    (
        re.compile(rb"7z\xbc\xaf\x27\x1c"),
        "a 7z archive",
        "unpack it (7z x {name}), then name one of its files",
    ),
    (
        re.compile(rb"Rar!\x1a\x07"),
        "a RAR archive",
        "unpack it (unrar x {name}), then name one of its files",
    ),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an old Excel or Word file", SAVE_SHEET),
    (
        re.compile(rb"PAR1\x15"),
        "a Parquet file",
        "give it a name that ends in .parquet, with data.format=auto",
    ),
    (re.compile(rb"ARROW1\0\0"), "an Arrow file", "write it as Parquet, JSONL or CSV"),
    (
        re.compile(rb"SQLite format 3\0"),
        "an SQLite database",
        "export the table as CSV, and name that file",
    ),
    (re.compile(rb"%PDF-"), "a PDF", "name a plain text, CSV, JSONL or TMX file"),
)


def refuse_foreign(file: InputFile, head: bytes, *, unpacked_from: str | None = None) -> None:
    """Refuse a file that is not text, by its first bytes.

    Args:
        file: the file, for the message.
        head: the first `HEAD_BYTES` of the file, unpacked if it is packed.
        unpacked_from: the program that packed the file, if it is packed.

    Raises:
        DataError: the file is not text; says what it is and how to extract the text.
    """
    subject = (
        f"{file} is packed with {unpacked_from}, and contains" if unpacked_from else f"{file} is"
    )
    if unpacked_from and head.startswith(_PACKED):
        raise DataError(f"{file} is packed twice: unpack it once")
    if head.startswith(_ZIP):
        raise DataError(f"{subject} a zip archive, not text: unpack both")
    if head[_TAR[0] :].startswith(_TAR[1]):
        command = "tar -xzf" if unpacked_from == "gzip" else "tar -xf"
        raise DataError(
            f"{subject} a tar archive, not text: unpack it ({command} {file.name}), then name one "
            "of its files"
        )
    for magic, kind, remedy in _OTHERS:
        if magic.match(head):
            raise DataError(f"{subject} {kind}, not text: {remedy.format(name=file.name)}")
