"""Files and folders on this machine or in an object store, as inputs and outputs."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
from pyarrow import fs

from nmt.config import Config
from nmt.errors import ConfigError, DataError
from nmt.storage import Storage, below
from nmt.storage.remote import open_remote
from ray_jobs.runtime.storage_location import absolute_storage, inside_job

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to translate."""

    name: str
    """Path below the input; the name of the file if the input is one file."""
    size: int
    """Bytes."""
    filesystem: fs.FileSystem
    path: str

    @contextmanager
    def open(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """Open the file; yield its unpacked content, and the packed one, which shows the progress.

        Raises:
            DataError: it cannot be opened.
        """
        try:
            # A file that can be seeked, since Parquet is read from its end.
            with self.filesystem.open_input_file(self.path) as source:
                raw = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, source), _BUFFER_BYTES))
                yield unpacked(raw, self.name), raw
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{self.path} cannot be read: {error}") from None


class _Packing(NamedTuple):
    """A program that packs single files."""

    unpack: Callable[[BinaryIO], Any]
    """Opens a packed stream as an unpacked one."""
    pack: Callable[[bytes], bytes]
    """Packs a part of a file; packed parts, one after the other, are a valid packed file."""


_PACKINGS = {
    ".gz": _Packing(
        lambda stream: gzip.GzipFile(fileobj=stream),
        lambda content: gzip.compress(content, compresslevel=6, mtime=0),
    ),
    ".bz2": _Packing(bz2.BZ2File, bz2.compress),
    ".xz": _Packing(lzma.LZMAFile, lzma.compress),
}


def unpacked(stream: BinaryIO, name: str) -> BinaryIO:
    """Unpack a stream as the suffix of its name says."""
    packing = _packing(name)
    return cast(BinaryIO, packing.unpack(stream)) if packing else stream


def packed(content: bytes, name: str) -> bytes:
    """Pack a part of a file as the suffix of its name says."""
    packing = _packing(name)
    return packing.pack(content) if packing else content


def plain_suffix(name: str) -> str:
    """Return the suffix in lower case, for packed files the one before theirs."""
    path = PurePosixPath(name)
    return (path.with_suffix("") if _packing(name) else path).suffix.lower()


def _packing(name: str) -> _Packing | None:
    return _PACKINGS.get(PurePosixPath(name).suffix.lower())


def absolute_place(place: str, config: Config) -> str:
    """Return a place of the command line as every process of this machine understands it.

    A Ray job works in a copy of a folder that is deleted with it, so a relative path is taken below
    the storage root there.
    """
    if "://" in place:
        return place
    path = Path(place).expanduser()
    if path.is_absolute() or not inside_job():
        return str(path.absolute())
    return below(absolute_storage(config), place)


def input_files(place: str) -> tuple[list[InputFile], bool]:
    """List the files of an input, and tell whether it is a folder.

    Hidden files are left out.

    Raises:
        DataError: there is no such file or folder, or it cannot be read, or the folder is empty.
        ConfigError: the URL cannot be used.
    """
    filesystem, path = _opened(place)
    try:
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.File:
            return [InputFile(info.base_name, info.size, filesystem, path)], False
        # A pipe has no size, and could not be read again after a command that was stopped.
        if info.type != fs.FileType.Directory:
            raise DataError(f"--input {place}: there is no such file or folder")
        return _files_below(filesystem, path, place), True
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"--input {place} cannot be read: {error}") from None


def _files_below(filesystem: fs.FileSystem, path: str, place: str) -> list[InputFile]:
    selector = fs.FileSelector(path, recursive=True)
    found = [
        InputFile(str(name), entry.size, filesystem, entry.path)
        for entry in filesystem.get_file_info(selector)
        for name in [PurePosixPath(entry.path).relative_to(path)]
        if entry.type == fs.FileType.File and not any(part.startswith(".") for part in name.parts)
    ]
    if not found:
        raise DataError(f"--input {place}: the folder holds no files")
    # In an order that does not depend on the file system: shards are named by it.
    return sorted(found, key=lambda file: file.name)


def _opened(place: str) -> tuple[fs.FileSystem, str]:
    if "://" not in place:
        return fs.LocalFileSystem(), place.rstrip("/") or "/"
    try:
        return open_remote(place)
    except ConfigError as error:
        raise ConfigError(str(error).replace("storage", "--input", 1)) from None


def output_parent(place: str) -> tuple[Storage, str]:
    """Open the folder of an output; return it and the name of the output in it.

    Raises:
        ConfigError: the place has no name, or its folder cannot be used.
    """
    if "://" not in place:
        path = Path(place)
        return Storage(str(path.parent)), path.name
    url = urlsplit(place)
    folder, _, name = url.path.rstrip("/").rpartition("/")
    if not name:
        raise ConfigError(f"--output {place}: give a name below the bucket")
    try:
        return Storage(urlunsplit(url._replace(path=folder))), name
    except ConfigError as error:
        raise ConfigError(str(error).replace("storage", "--output", 1)) from None
