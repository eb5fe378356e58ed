"""Opening of files that may be packed with gzip, bzip2, xz or zstd."""

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from nmt.data.formats.files.foreign import HEAD_BYTES, refuse_foreign
from nmt.data.formats.files.input_file import InputFile
from nmt.errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from pyarrow import NativeFile

_BUFFER_BYTES = 1 << 18


class Packing(NamedTuple):
    """A program that packs single files."""

    name: str
    suffix: str
    magic: re.Pattern[bytes]
    """First bytes of a packed file."""
    unpack: Callable[[BinaryIO], io.RawIOBase | io.BufferedIOBase]


class _LeftOpen:
    """A file that pyarrow cannot close, which it otherwise does when it drops a stream."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self.read = stream.read

    def close(self) -> None:
        """Do nothing."""


class _ZstdStream(io.RawIOBase):
    """The unpacked bytes of a zstd file, which can be read again from the beginning."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__()
        self._packed = packed
        self._position = 0
        self._stream = self._open()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("a zstd file can only be read from its beginning")
        self._packed.seek(0)
        self._stream = self._open()
        self._position = 0
        return 0

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        part = self._stream.read(len(memoryview(buffer)))
        memoryview(buffer)[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _open(self) -> "NativeFile":
        # Imported only when needed, since pyarrow is large.
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(_LeftOpen(self._packed), mode="r"), "zstd")


PACKINGS = (
    Packing("gzip", ".gz", re.compile(rb"\x1f\x8b"), lambda stream: gzip.GzipFile(fileobj=stream)),
    Packing("bzip2", ".bz2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), bz2.BZ2File),
    Packing("xz", ".xz", re.compile(rb"\xfd7zXZ\0"), lzma.LZMAFile),
    Packing("zstd", ".zst", re.compile(rb"\x28\xb5\x2f\xfd"), _ZstdStream),
)


@contextmanager
def open_bytes(file: InputFile) -> Iterator[BinaryIO]:
    """Open a file for reading, and unpack it while it is read.

    Raises:
        DataError: the file cannot be opened, is empty, is not text, or is an incomplete archive.
    """
    with file.open() as stream:
        head = _head(stream)
        if not head:
            raise DataError(f"{file} is empty: name a file that contains sentence pairs")
        packing = _packing(file, head)
        if packing is None:
            refuse_foreign(file, head)
            yield stream
            return
        with _explain_damage(file, packing):
            # Without the buffer, every line would cost a call of the library.
            unpacked = cast(BinaryIO, io.BufferedReader(packing.unpack(stream), _BUFFER_BYTES))
            refuse_foreign(file, _head(unpacked), unpacked_from=packing.name)
            yield unpacked


@contextmanager
def _explain_damage(file: InputFile, packing: Packing) -> Iterator[None]:
    """Turn an error of a library that unpacks into a DataError."""
    try:
        yield
    except DataError:
        raise
    # bz2 and pyarrow raise an OSError for damaged content.
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        raise DataError(
            f"{file} is not a complete {packing.name} archive ({error}): copy it again, or remove "
            f"{packing.suffix} from its name if it is not packed"
        ) from None


def _packing(file: InputFile, head: bytes) -> Packing | None:
    # Browsers unpack some downloads, and others lose the suffix: the content decides too.
    for packing in PACKINGS:
        if packing.magic.match(head) or file.name.lower().endswith(packing.suffix):
            return packing
    return None


def _head(stream: BinaryIO) -> bytes:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return head
