"""A storage root in memory: its content can be kept and put back, and its calls can fail."""

import hashlib
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nmt.errors import StorageError
from nmt.storage import MANIFEST, Storage, StoredFile, Versioned
from nmt.storage.manifest import build_manifest

Content = tuple[bytes, float]
"""The bytes of a file, and the time of its last change."""
Call = Callable[[str, str, Callable[[], Any]], Any]
"""Receives the verb and the path of a call, and the function that does it."""


class Disk:
    """The files that all storage roots of a test share, by absolute path."""

    def __init__(self) -> None:
        self.files: dict[str, Content] = {}
        self.now = 0.0
        self.call: Call = lambda verb, path, do: do()
        """Stands before each call; a test lets calls fail with it."""

    def open(self, url: str) -> "MemoryStorage":
        """Open a root."""
        return MemoryStorage(url, self)


class MemoryStorage(Storage):
    """See `nmt.storage.Storage`; it has what an operator and the records of runs need."""

    def __init__(self, url: str, disk: Disk) -> None:
        self.url = url
        self._read_only = False
        self._local = None
        self._root = url.rstrip("/")
        self._disk = disk

    @property
    def is_local(self) -> bool:
        return True

    def locate(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def exists(self, path: str) -> bool:
        place = self.locate(path)
        return self._disk.call(
            "read",
            place,
            lambda: (
                place in self._disk.files
                or any(each.startswith(f"{place}/") for each in self._disk.files)
            ),
        )

    def read_bytes(self, path: str) -> bytes:
        place = self.locate(path)

        def read() -> bytes:
            if place not in self._disk.files:
                raise StorageError(f"cannot read {place}: it is missing")
            return self._disk.files[place][0]

        return self._disk.call("read", place, read)

    def write_bytes(self, path: str, content: bytes) -> None:
        place = self.locate(path)
        self._disk.call("write", place, lambda: self._put(place, content))

    def read_versioned(self, path: str) -> Versioned | None:
        place = self.locate(path)

        def read() -> Versioned | None:
            found = self._disk.files.get(place)
            return Versioned(found[0], _token(found[0])) if found else None

        return self._disk.call("read", place, read)

    def replace_if(self, path: str, content: bytes, token: str | None) -> bool:
        place = self.locate(path)

        def replace() -> bool:
            found = self._disk.files.get(place)
            if (_token(found[0]) if found else None) != token:
                return False
            self._put(place, content)
            return True

        return self._disk.call("swap", place, replace)

    def update(self, path: str, change: Callable[[bytes | None], bytes]) -> bytes:
        # Without the pauses of the real one, since here nobody else is at work meanwhile.
        for _ in range(5):
            found = self.read_versioned(path)
            content = change(found.content if found else None)
            if self.replace_if(path, content, found.token if found else None):
                return content
        raise StorageError(f"{self.locate(path)}: others change it all the time")

    def list(self, path: str) -> list[str]:
        place = self.locate(path)
        start = len(place) + 1
        return self._disk.call(
            "read",
            place,
            lambda: sorted({each[start:].partition("/")[0] for each in self._below(place)}),
        )

    def files_at(self, path: str) -> tuple[StoredFile, ...]:
        place = self.locate(path)
        start = len(place) + 1

        def find() -> tuple[StoredFile, ...]:
            files = self._disk.files
            if place in files:
                content, changed = files[place]
                return (StoredFile("", len(content), changed),)
            return tuple(
                StoredFile(each[start:], len(files[each][0]), files[each][1])
                for each in sorted(self._below(place))
            )

        return self._disk.call("read", place, find)

    def read_chunks(self, path: str, offset: int = 0) -> Generator[bytes]:
        yield self.read_bytes(path)[offset:]

    def sha256(self, path: str) -> str:
        return self._sha256_of(path)

    def delete(self, path: str) -> None:
        place = self.locate(path)
        gone = [place] if place in self._disk.files else self._below(place)
        # A folder goes file by file, and its manifest first.
        for each in sorted(gone, key=lambda name: (not name.endswith(MANIFEST), name)):
            self._disk.call("write", each, lambda each=each: self._disk.files.pop(each, None))

    @contextmanager
    def commit(self, path: str, meta: Mapping[str, Any] | None = None) -> Generator[Path]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            yield folder
            manifest = build_manifest(folder, meta or {})
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    self.write_bytes(f"{path}/{file.relative_to(folder)}", file.read_bytes())
            self.write_json(f"{path}/{MANIFEST}", manifest)

    def _sha256_of(self, path: str) -> str:
        return hashlib.sha256(self.read_bytes(path)).hexdigest()

    def _below(self, place: str) -> Sequence[str]:
        return [each for each in self._disk.files if each.startswith(f"{place}/")]

    def _put(self, place: str, content: bytes) -> None:
        self._disk.files[place] = (content, self._disk.now)


def _token(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
