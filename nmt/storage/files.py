"""Single files below a storage root."""

import hashlib
import json
import random
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from nmt.errors import ConfigError, StorageError
from nmt.storage.conditional import ConditionalStore, Versioned, read_file, replace_file_if
from nmt.storage.disk import replace_file
from nmt.storage.manifest import MANIFEST
from nmt.storage.remote import open_remote

CHUNK_BYTES = 4 * 1024 * 1024
_MAX_UPDATE_ATTEMPTS = 40
_MAX_BACKOFF_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The space of a disk, as far as this user may use it."""

    free_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a folder, as a listing shows it."""

    name: str
    """Relative to the folder; empty for the file that was asked for itself."""
    size_bytes: int
    modified_at: float
    """Seconds since 1970."""


class FileStorage:
    """Files below one root; every path is relative to it, with forward slashes."""

    def __init__(self, url: str, read_only: bool = False) -> None:
        """Open a root; create a local folder if it is missing.

        Args:
            url: a folder, `s3://` or `gs://`.
            read_only: refuse every call that writes, and do not create a folder.

        Raises:
            ConfigError: the URL's scheme is not known, or the folder cannot be created, or a
                read-only one is missing.
        """
        self.url = url
        self._read_only = read_only
        self._local: Path | None = None
        if "://" in url:
            self._fs, self._root = open_remote(url)
        else:
            self._local = Path(url).expanduser().absolute()
            self._fs, self._root = fs.LocalFileSystem(), str(self._local)
            if read_only:
                if not self._local.is_dir():
                    raise ConfigError(f"storage={url}: no such folder")
                return
            try:
                self._local.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"storage={url}: cannot be created: {error.strerror}") from None

    def __reduce__(self) -> tuple[type[Self], tuple[str, bool]]:
        # Arrow's file systems cannot be pickled, and a relative path may mean another folder in
        # the process that unpickles.
        return type(self), (str(self._local) if self._local else self.url, self._read_only)

    @property
    def is_local(self) -> bool:
        """Tell whether the root is a folder on this machine, which includes mounted ones."""
        return self._local is not None

    @property
    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """Return Arrow's filesystem and the root's path in it, for libraries that write files."""
        self.check_writable("")
        return self._fs, self._root

    def locate(self, path: str) -> str:
        """Return the absolute path or URL of an entry, for messages."""
        if self._local:
            return str(self._local / path)
        return f"{urlsplit(self.url).scheme}://{self._join(path)}"

    def disk_space(self, path: str = "") -> DiskSpace | None:
        """Measure the disk below a folder; None for an object store, which has no limit.

        Raises:
            StorageError: the folder is missing or unreadable.
        """
        if self._local is None:
            return None
        with self._explain_errors("measure", path):
            found = shutil.disk_usage(self._local / path)
        return DiskSpace(found.free, found.total)

    def check_writable(self, path: str) -> None:
        """Refuse to write an entry if the root is read-only.

        Raises:
            StorageError: the root is read-only.
        """
        if self._read_only:
            raise StorageError(f"{self.locate(path)}: this storage root is open for reading only")

    def exists(self, path: str) -> bool:
        """Tell whether a file or a folder exists."""
        return self._info(path).type != fs.FileType.NotFound

    def read_bytes(self, path: str) -> bytes:
        """Read a file.

        Raises:
            StorageError: it is missing or unreadable.
        """
        with (
            self._explain_errors("read", path),
            self._fs.open_input_stream(self._join(path)) as stream,
        ):
            return stream.read()

    def write_bytes(self, path: str, content: bytes) -> None:
        """Replace a file in one step, so that a reader sees either the old or the new content."""
        self.check_writable(path)
        if self._local:
            replace_file(self._local / path, content)
            return
        with (
            self._explain_errors("write", path),
            self._fs.open_output_stream(self._join(path)) as stream,
        ):
            stream.write(content)

    def read_versioned(self, path: str) -> Versioned | None:
        """Read a file with the token of its version, for `replace_if`; None if it is missing.

        Raises:
            StorageError: it is unreadable.
        """
        with self._explain_errors("read", path):
            if self._local:
                return read_file(self._local / path)
            return self._conditional.read(path)

    def replace_if(self, path: str, content: bytes, token: str | None) -> bool:
        """Replace a file if it is still the version that was read; return False if it is not.

        Args:
            path: of the file.
            content: the new content.
            token: from `read_versioned`; None if the file must not exist.

        Raises:
            StorageError: it cannot be written; on an object store, a lost answer may mean that it
                was written nevertheless.
        """
        self.check_writable(path)
        with self._explain_errors("write", path):
            if self._local:
                return replace_file_if(self._local / path, content, token)
            return self._conditional.replace_if(path, content, token)

    def update(self, path: str, change: Callable[[bytes | None], bytes]) -> bytes:
        """Change a file that other processes change as well, so that no change is lost.

        Args:
            path: of the file.
            change: makes the new content from the current one, which is None if the file is
                missing; called again if another process was faster.

        Returns:
            The new content.

        Raises:
            StorageError: it cannot be read or written, or others change it all the time.
        """
        for attempt in range(_MAX_UPDATE_ATTEMPTS):
            found = self.read_versioned(path)
            content = change(found.content if found else None)
            if self.replace_if(path, content, found.token if found else None):
                return content
            # Random, so that two processes do not meet again and again.
            time.sleep(random.uniform(0, min(_MAX_BACKOFF_SECONDS, 0.01 * 2**attempt)))
        raise StorageError(
            f"{self.locate(path)}: other processes keep changing it: give the command again later"
        )

    def move_in(self, source: Path, path: str) -> None:
        """Replace a file by a local one, which is removed; a local root must be on its disk."""
        self.check_writable(path)
        with self._explain_errors("write", path):
            if self._local:
                (self._local / path).parent.mkdir(parents=True, exist_ok=True)
                source.replace(self._local / path)
                return
            with (
                source.open("rb") as stream,
                self._fs.open_output_stream(self._join(path)) as sink,
            ):
                shutil.copyfileobj(stream, sink, CHUNK_BYTES)
            source.unlink()

    def read_json(self, path: str) -> Any:  # noqa: ANN401 - plain JSON
        """Read a JSON file as a plain value.

        Raises:
            StorageError: it is missing, unreadable or not valid JSON.
        """
        try:
            return json.loads(self.read_bytes(path))
        except (ValueError, RecursionError) as error:
            raise StorageError(f"{self.locate(path)}: not valid JSON: {error}") from None

    def write_json(self, path: str, value: object) -> None:
        """Replace a JSON file in one step."""
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        self.write_bytes(path, text.encode())

    def list(self, path: str) -> list[str]:
        """List the names directly below a folder, sorted; empty if it is missing."""
        selector = fs.FileSelector(self._join(path), allow_not_found=True)
        with self._explain_errors("list", path):
            return sorted(entry.base_name for entry in self._fs.get_file_info(selector))

    def files_at(self, path: str) -> tuple[StoredFile, ...]:
        """List all files below a folder, or the one file, by name; empty if there is nothing."""
        found = self._info(path)
        if found.type == fs.FileType.File:
            return (StoredFile("", found.size or 0, (found.mtime_ns or 0) / 1e9),)
        selector = fs.FileSelector(self._join(path), allow_not_found=True, recursive=True)
        with self._explain_errors("list", path):
            entries = self._fs.get_file_info(selector)
        start = len(self._join(path)) + 1
        files = [
            StoredFile(each.path[start:], each.size or 0, (each.mtime_ns or 0) / 1e9)
            for each in entries
            if each.type == fs.FileType.File
        ]
        return tuple(sorted(files, key=lambda each: each.name))

    def read_chunks(self, path: str, offset: int = 0) -> Generator[bytes]:
        """Yield the content of a file from an offset in bytes, in chunks that fit into memory.

        Raises:
            StorageError: it is missing or unreadable.
        """
        with self._explain_errors("read", path), self._fs.open_input_file(self._join(path)) as file:
            file.seek(offset)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def sha256(self, path: str) -> str:
        """Compute the SHA-256 of a file's content.

        Raises:
            StorageError: it is missing or unreadable.
        """
        return self._sha256_of(path)

    def delete(self, path: str) -> None:
        """Delete a file or a folder; do nothing if it is missing."""
        self.check_writable(path)
        info = self._info(path)
        if info.type == fs.FileType.NotFound:
            return
        with self._explain_errors("delete", path):
            if info.type == fs.FileType.File:
                self._fs.delete_file(self._join(path))
                return
            # The manifest goes first, so that a commit that is half deleted does not count.
            if self._info(f"{path}/{MANIFEST}").type == fs.FileType.File:
                self._fs.delete_file(self._join(f"{path}/{MANIFEST}"))
            self._fs.delete_dir(self._join(path))

    @cached_property
    def _conditional(self) -> ConditionalStore:
        region = self._fs.region if isinstance(self._fs, fs.S3FileSystem) else None
        return ConditionalStore(self.url, self._root, region)

    def _sha256_of(self, path: str) -> str:
        digest = hashlib.sha256()
        with (
            self._explain_errors("read", path),
            self._fs.open_input_stream(self._join(path)) as stream,
        ):
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def _download_file(self, path: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._local:
            with self._explain_errors("read", path):
                # In the kernel, where the system can.
                shutil.copyfile(self._local / path, target)
            return
        with (
            self._explain_errors("read", path),
            self._fs.open_input_stream(self._join(path)) as source,
            target.open("wb") as sink,
        ):
            shutil.copyfileobj(source, sink, CHUNK_BYTES)

    def _join(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _info(self, path: str) -> fs.FileInfo:
        with self._explain_errors("reach", path):
            return self._fs.get_file_info(self._join(path))

    @contextmanager
    def _explain_errors(self, verb: str, path: str) -> Generator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise StorageError(f"cannot {verb} {self.locate(path)}: {error}") from error
