"""Lines of UTF-8 text, and whether another one is waiting."""

import select
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import deque
from collections.abc import Iterable, Iterator
from io import UnsupportedOperation
from lzma import LZMAError
from typing import BinaryIO

from nmt.errors import DataError

_CHUNK_BYTES = 1 << 16


def read_lines(stream: Iterable[bytes], name: str = "standard input") -> Iterator[str]:
    r"""Read UTF-8 lines without line ends and byte-order mark.

    Args:
        stream: the lines as bytes, each up to its `\n`.
        name: of the stream, for messages.

    Raises:
        DataError: bytes are not UTF-8, or the stream cannot be read.
    """
    for _, text in _decoded(stream, name):
        # A single \r is a line end too, which iterating over bytes does not split at.
        yield from text.removesuffix("\n").removesuffix("\r").split("\r")


def read_raw_lines(stream: Iterable[bytes], name: str) -> Iterator[str]:
    """Read UTF-8 lines with their line ends, as `csv` needs them, and without byte-order mark.

    Raises:
        DataError: bytes are not UTF-8, or the stream cannot be read.
    """
    return (text for _, text in _decoded(stream, name))


def _decoded(stream: Iterable[bytes], name: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line."""
    offset = 0
    try:
        for number, line in enumerate(stream, start=1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                utf_16 = number == 1 and line.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
                where = f"{name}, line {number}, offset {offset + error.start}"
                raise DataError(not_utf_8(where, "UTF-16" if utf_16 else "ITS_ENCODING")) from None
            offset += len(line)
            yield number, text.removeprefix("\ufeff") if number == 1 else text
    except (OSError, EOFError, LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{name} cannot be read: {reason}") from None


def not_utf_8(where: str, encoding: str) -> str:
    """Explain that bytes are not UTF-8, and how to convert them."""
    return (
        f"{where}: the bytes are not UTF-8. Convert the text first: iconv -f {encoding} -t UTF-8 "
        "FILE | nmt translate"
    )


def batches_as_they_arrive(stream: BinaryIO, size: int) -> Iterator[list[str]]:
    """Yield batches of lines; a smaller one as soon as no further line is waiting.

    The lines before one that cannot be read are yielded before its error is raised.

    Raises:
        DataError: bytes are not UTF-8, or the stream cannot be read.
    """
    pauses = _Pauses(stream)
    batch: list[str] = []
    try:
        for line in read_lines(pauses.lines()):
            batch.append(line)
            if len(batch) >= size or not pauses.line_waits():
                yield batch
                batch = []
    except DataError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


class _Pauses:
    """The lines of a stream, which may come from a person or a slow program."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._complete: deque[bytes] = deque()
        self._begun: list[bytes] = []  # chunks of a line whose end has not been read
        self._has_ended = False
        try:
            self._descriptor: int | None = stream.fileno()
        except UnsupportedOperation:
            self._descriptor = None  # a stream in memory never waits

    def lines(self) -> Iterator[bytes]:
        r"""Yield the lines, each up to its `\n`."""
        # `for line in stream` would not show whether a further line has already been read.
        while self._complete or not self._has_ended:
            if self._complete:
                yield self._complete.popleft()
            else:
                self._fill()

    def line_waits(self) -> bool:
        """Tell whether a line, or the end of the stream, can be read without waiting."""
        while not self._complete and not self._has_ended:
            ready = self._descriptor is None or select.select([self._descriptor], [], [], 0)[0]
            if not ready:
                return False
            self._fill()
        return True

    def _fill(self) -> None:
        # `read1` returns what there is, where `read` would wait for a full chunk.
        chunk = self._stream.read1(_CHUNK_BYTES)  # pyright: ignore[reportAttributeAccessIssue]
        self._has_ended = not chunk
        first, *rest = chunk.split(b"\n")
        self._begun.append(first)
        for piece in rest:
            self._complete.append(b"".join(self._begun) + b"\n")
            self._begun = [piece]
        if self._has_ended and any(self._begun):
            self._complete.append(b"".join(self._begun))
