"""Recognition of files that are not text, by their first bytes."""

import re
import zipfile
from pathlib import Path

from nmt.errors import DataError

GZIP = b"\x1f\x8b"
HEAD_BYTES = 512
_ZIP = b"PK\x03\x04"
_TAR = (257, b"ustar")  # at this offset, behind the name of the first member
_SHEET = "open it in a spreadsheet program, save the sheet as CSV (UTF-8), and name that file"
_OTHERS = (
    (
        re.compile(rb"BZh[1-9]1AY&SY"),
        "packed with bzip2",
        "unpack it (bunzip2 --keep {name}), then name the unpacked file",
    ),
    (
        re.compile(rb"\xfd7zXZ\0"),
        "packed with xz",
        "unpack it (xz --decompress --keep {name}), then name the unpacked file",
    ),
    (
        re.compile(rb"\x28\xb5\x2f\xfd"),
        "packed with zstd",
        "unpack it (zstd --decompress {name}), then name the unpacked file",
    ),
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
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an old Excel or Word file", _SHEET),
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


def refuse_foreign(path: Path, head: bytes, *, unpacked: bool = False) -> None:
    """Refuse a file that is not text, by its first bytes.

    Args:
        path: the file, for the message and for the names in a zip archive.
        head: the first `HEAD_BYTES` of the file, unpacked if it is packed with gzip.
        unpacked: whether the file is packed with gzip.

    Raises:
        DataError: the file is not text; says what it is and how to extract the text.
    """
    subject = f"{path} is packed with gzip, and contains" if unpacked else f"{path} is"
    if unpacked and head.startswith(GZIP):
        raise DataError(f"{path} is packed with gzip twice: unpack it once (gunzip)")
    if head.startswith(_ZIP):
        kind, remedy = _describe_zip(path) if not unpacked else ("a zip archive", "unpack both")
        raise DataError(f"{subject} {kind}, not text: {remedy}")
    if head[_TAR[0] :].startswith(_TAR[1]):
        command = "tar -xzf" if unpacked else "tar -xf"
        raise DataError(
            f"{subject} a tar archive, not text: unpack it ({command} {path.name}), then name one "
            "of its files"
        )
    for magic, kind, remedy in _OTHERS:
        if magic.match(head):
            raise DataError(f"{subject} {kind}, not text: {remedy.format(name=path.name)}")


def _describe_zip(path: Path) -> tuple[str, str]:
    """Describe the content of a zip archive, and what the user can do."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "a damaged zip archive", "copy it again, unpack it, then name one of its files"
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook (a zip archive)", _SHEET
    if any(name.startswith("word/") for name in names):
        return "a Word document (a zip archive)", "copy its sentences into a CSV, TSV or text file"
    if "content.xml" in names and "mimetype" in names:
        return "an OpenDocument file (a zip archive)", _SHEET
    first = (", ".join(names[:5]) + (", ..." if len(names) > 5 else "")) or "no files"
    return (
        f"a zip archive that contains {first}",
        f"unpack it (unzip {path.name}), then name one of its files",
    )
