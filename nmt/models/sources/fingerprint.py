"""Fingerprints of a model's files, so that changed files under the same name are noticed.

Imports no torch: records and engine cards contain a fingerprint too.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nmt.config import digest_of


class FileContent(BaseModel):
    """The size in bytes and the SHA-256 of one file."""

    model_config = ConfigDict(frozen=True)

    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Fingerprint(BaseModel):
    """The content of each file of a model: configuration, tokenizer and weights."""

    model_config = ConfigDict(frozen=True)

    files: Annotated[Mapping[str, FileContent], Field(min_length=1)]

    @classmethod
    def of(cls, folder: Path, names: Iterable[str]) -> "Fingerprint":
        """Hash the named files of a folder."""
        return cls(files={name: _content_of(folder / name) for name in sorted(names)})

    @property
    def digest(self) -> str:
        """Return twelve hexadecimal digits that identify the content of all files."""
        return digest_of(self.model_dump(mode="json")["files"])

    def changes_since(self, earlier: "Fingerprint") -> str:
        """Describe each file that differs from an earlier fingerprint, or return an empty text."""
        return ", ".join(
            change
            for name in sorted(self.files.keys() | earlier.files.keys())
            if (change := _change(name, earlier.files.get(name), self.files.get(name)))
        )


def _change(name: str, before: FileContent | None, now: FileContent | None) -> str:
    """Describe how one file changed, or return an empty text."""
    if before == now:
        return ""
    if before is None:
        return f"{name} is new"
    if now is None:
        return f"{name} is missing"
    if before.size != now.size:
        return f"{name} has {now.size} bytes instead of {before.size}"
    return f"{name} has different content"


def _content_of(path: Path) -> FileContent:
    """Hash a file, at most once per process as long as it does not change."""
    status = path.stat()
    state = status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
    return FileContent(size=status.st_size, sha256=_sha256_of(path, state))


@lru_cache(maxsize=256)
def _sha256_of(path: Path, state: tuple[int, ...]) -> str:
    """Compute the SHA-256 of a file in a given state."""
    del state  # part of the cache's key: every write changes it
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
