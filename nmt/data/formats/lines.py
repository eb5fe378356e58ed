"""Lines of UTF-8 files, gzipped or not, with every fault told by its place."""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from nmt.data.formats.packed import GZIP, HEAD_BYTES, refuse_foreign
from nmt.errors import DataError

UTF_8_BOM = b"\xef\xbb\xbf"
UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK_BYTES = 1 << 20
MOST_STRAY = 20
"""Ends of the other kind in one line, above which the file mixes two kinds."""
_QUOTED = re.compile(rb'"[^"]*"')
_LONE_CR = re.compile(rb"\r(?![\r\n])")


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open for reading, unpacked when it is packed with gzip, whatever its name.

    Raises:
        DataError: the file cannot be opened, is empty, is not text, or breaks off inside the
            archive.
    """
    try:
        if not path.stat().st_size:
            raise DataError(f"{path} is empty: name a file that holds sentence pairs")
        with path.open("rb") as stream:
            head = _head(stream)
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
            f"{path} is no whole gzip archive ({error}): copy it again, or name it "
            "without .gz when it is not packed"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def read_lines(path: Path, *, most_stray: int = MOST_STRAY, quoted: bool = False) -> Iterator[str]:
    r"""Read lines in order, without their ends and without a byte-order mark.

    Lines end in `\n` or `\r\n`, or in `\r` where the file has more of it. Single ends of the
    other kind are strays inside a line, and become spaces.

    Args:
        path: the file.
        most_stray: strays that a line may hold.
        quoted: whether an end between two quotes is none, as in CSV.

    Raises:
        DataError: as `open_bytes`; for bytes that are not UTF-8, with line and byte offset; for a
            line with many ends of the other kind.
    """
    offset = 0
    with open_bytes(path) as stream:
        ends_in_cr = _ends_in_cr(stream, quoted=quoted)
        stray = b"\n" if ends_in_cr else b"\r"
        for number, line in enumerate(_cr_lines(stream) if ends_in_cr else stream, start=1):
            text = line.removeprefix(UTF_8_BOM) if number == 1 else line.removeprefix(b"\n")
            content = text.rstrip(b"\r\n")
            if stray in content:
                _refuse_mixed(path, number, content.count(stray), most_stray)
                content = content.replace(stray, b" ")
            try:
                yield content.decode("utf-8")
            except UnicodeDecodeError as error:
                skipped = len(line) - len(text)
                _refuse_bytes(path, number, offset + skipped + error.start, line)
            offset += len(line)


def _head(stream: BinaryIO) -> bytes:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return head


def _ends_in_cr(stream: BinaryIO, *, quoted: bool) -> bool:
    r"""Whether lines end in `\r` alone, as in a file of an old Macintosh."""
    head = stream.read(_CHUNK_BYTES)
    stream.seek(0)
    if quoted:
        head = _QUOTED.sub(b"", head)
    return b"\r" in head and len(_LONE_CR.findall(head.removesuffix(b"\r"))) > head.count(b"\n")


def _cr_lines(stream: BinaryIO) -> Iterator[bytes]:
    r"""Lines with their `\r`, like those that the stream itself yields for `\n`."""
    rest = b""
    while chunk := stream.read(_CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\r")
        yield from (line + b"\r" for line in lines)
    if rest:
        yield rest


def _refuse_mixed(path: Path, number: int, count: int, most: int) -> None:
    if count > most:
        raise DataError(
            f"{path}, line {number}: holds {count} line ends of another kind (carriage returns "
            "and line feeds are mixed). Give all lines one kind: "
            f"sed 's/\\r$//' {path.name} | tr '\\r' '\\n' > one-{path.name}"
        )


def _refuse_bytes(path: Path, number: int, offset: int, line: bytes) -> NoReturn:
    encoding = "UTF-16" if number == 1 and line.startswith(UTF_16_BOMS) else "ITS_ENCODING"
    raise DataError(
        f"{path}, line {number}: the bytes from offset {offset} of the file are no UTF-8. "
        f"Convert it: iconv -f {encoding} -t UTF-8 {path.name} > utf8-{path.name}"
    )
