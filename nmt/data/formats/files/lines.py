"""A reader for the lines of UTF-8 files, packed with gzip or not."""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from nmt.data.formats.files.foreign import GZIP, HEAD_BYTES, refuse_foreign
from nmt.data.formats.rows import BadRow
from nmt.errors import DataError

UTF_8_BOM = b"\xef\xbb\xbf"
UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK_BYTES = 1 << 20
MAX_STRAY = 20
"""Maximum number of stray line ends in a line; with more, the file mixes two kinds."""
_QUOTED = re.compile(rb'"[^"]*"')
_LONE_CR = re.compile(rb"\r(?![\r\n])")


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, and unpack it if it is packed with gzip.

    Raises:
        DataError: the file cannot be opened, is empty, is not text, or is an incomplete archive.
    """
    try:
        if not path.stat().st_size:
            raise DataError(f"{path} is empty: name a file that contains sentence pairs")
        with path.open("rb") as stream:
            head = _head(stream)
            # Browsers unpack some downloads, and others lose the suffix: the content decides too.
            packed = path.suffix.lower() == ".gz" or head.startswith(GZIP)
            if not packed:
                refuse_foreign(path, head)
                yield stream
                return
            unpacked = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
            refuse_foreign(path, _head(unpacked), unpacked=True)
            yield unpacked
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path} is not a complete gzip archive ({error}): copy it again, or remove .gz from "
            "its name if it is not packed"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def read_lines(
    path: Path, *, max_stray: int = MAX_STRAY, quoted: bool = False
) -> Iterator[str | BadRow]:
    r"""Read lines in order, without their ends and without a byte-order mark.

    A line is damaged if it is not UTF-8 or has too many ends of another kind.

    Lines end in `\n` or `\r\n`, or in `\r` if the file has more of these. A few ends of the other
    kind inside a line are strays, which become spaces.

    Args:
        path: the file.
        max_stray: maximum number of strays in a line.
        quoted: whether ends between two quotes are part of the text, as in CSV.

    Raises:
        DataError: the file cannot be opened, or is UTF-16.
    """
    offset = 0
    with open_bytes(path) as stream:
        ends_in_cr = _ends_in_cr(stream, quoted=quoted)
        stray = b"\n" if ends_in_cr else b"\r"
        for number, line in enumerate(_cr_lines(stream) if ends_in_cr else stream, start=1):
            # An end in `\r\n` that was split at `\r` leaves its `\n` on the next line.
            text = line.removeprefix(UTF_8_BOM) if number == 1 else line.removeprefix(b"\n")
            content = text.rstrip(b"\r\n")
            strays = content.count(stray)
            if strays > max_stray:
                yield _mixed_ends(path, number, strays)
            else:
                try:
                    yield content.replace(stray, b" ").decode("utf-8")
                except UnicodeDecodeError as error:
                    if number == 1 and line.startswith(UTF_16_BOMS):
                        _refuse_utf_16(path)
                    start = offset + len(line) - len(text) + error.start
                    yield _wrong_encoding(path, number, start)
            offset += len(line)


def _head(stream: BinaryIO) -> bytes:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return head


def _ends_in_cr(stream: BinaryIO, *, quoted: bool) -> bool:
    r"""Tell whether lines end in a single `\r`, as in files of old Macintosh computers."""
    head = stream.read(_CHUNK_BYTES)
    stream.seek(0)
    if quoted:
        head = _QUOTED.sub(b"", head)
    return b"\r" in head and len(_LONE_CR.findall(head.removesuffix(b"\r"))) > head.count(b"\n")


def _cr_lines(stream: BinaryIO) -> Iterator[bytes]:
    r"""Split a stream at `\r`, and keep the ends as iteration over a stream does for `\n`."""
    rest = b""
    while chunk := stream.read(_CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\r")
        yield from (line + b"\r" for line in lines)
    if rest:
        yield rest


def _mixed_ends(path: Path, number: int, count: int) -> BadRow:
    return BadRow(
        f"{path}, line {number}",
        f"contains {count} line ends of another kind (carriage returns and line feeds are mixed). "
        "Give all lines the same end: "
        f"sed 's/\\r$//' {path.name} | tr '\\r' '\\n' > one-{path.name}",
    )


def _wrong_encoding(path: Path, number: int, offset: int) -> BadRow:
    return BadRow(
        f"{path}, line {number}",
        f"the bytes from offset {offset} of the file are not UTF-8. Convert it: "
        f"iconv -f ITS_ENCODING -t UTF-8 {path.name} > utf8-{path.name}",
    )


def _refuse_utf_16(path: Path) -> NoReturn:
    raise DataError(
        f"{path} is UTF-16, not UTF-8. Convert it: "
        f"iconv -f UTF-16 -t UTF-8 {path.name} > utf8-{path.name}"
    )
