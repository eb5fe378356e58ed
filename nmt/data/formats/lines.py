"""Lines of UTF-8 files, gzipped or not, with every fault told by its place."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from nmt.errors import DataError

UTF_8_BOM = b"\xef\xbb\xbf"
UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open for reading, unpacked when the name ends in `.gz`.

    Raises:
        DataError: the file cannot be opened, is empty, or breaks off inside the archive.
    """
    try:
        if not path.stat().st_size:
            raise DataError(f"{path} is empty: name a file that holds sentence pairs")
        with path.open("rb") as stream:
            packed = path.suffix == ".gz"
            yield cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if packed else stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path} is no whole gzip archive ({error}): copy it again, or name it "
            "without .gz when it is not packed"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def read_lines(path: Path) -> Iterator[str]:
    r"""Lines in order, without their ends (`\n` or `\r\n`) and without a byte-order mark.

    Raises:
        DataError: as `open_bytes`, or for bytes that are no UTF-8, with line and byte offset.
    """
    offset = 0
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, start=1):
            text = line.removeprefix(UTF_8_BOM) if number == 1 else line
            try:
                yield text.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                skipped = len(line) - len(text)
                _refuse_bytes(path, number, offset + skipped + error.start, line)
            offset += len(line)


def _refuse_bytes(path: Path, number: int, offset: int, line: bytes) -> NoReturn:
    encoding = "UTF-16" if number == 1 and line.startswith(UTF_16_BOMS) else "ITS_ENCODING"
    raise DataError(
        f"{path}, line {number}: the bytes from offset {offset} of the file are no UTF-8. "
        f"Convert it: iconv -f {encoding} -t UTF-8 {path.name} > utf8-{path.name}"
    )
