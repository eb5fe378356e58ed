"""What a model's files hold, so that other files under the same name are noticed.

Imports no torch: records and engine cards hold a fingerprint too.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nmt.config import digest_of


class FileContent(BaseModel):
    """Size in bytes and SHA-256 of one file."""

    model_config = ConfigDict(frozen=True)

    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Fingerprint(BaseModel):
    """Content of each file that makes a model: its configuration, tokenizer and weights."""

    model_config = ConfigDict(frozen=True)

    files: Annotated[Mapping[str, FileContent], Field(min_length=1)]

    @classmethod
    def of(cls, folder: Path, names: Iterable[str]) -> "Fingerprint":
        """Read the named files of a folder.

        A file is read once per process, and again when its size, times or inode change.
        """
        return cls(files={name: _content_of(folder / name) for name in sorted(names)})

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for all files."""
        return digest_of(self.model_dump(mode="json")["files"])

    def changes_since(self, earlier: "Fingerprint") -> str:
        """Describe each file that differs from an earlier fingerprint; empty where none does."""
        return ", ".join(
            change
            for name in sorted(self.files.keys() | earlier.files.keys())
            if (change := _change(name, earlier.files.get(name), self.files.get(name)))
        )


def _change(name: str, before: FileContent | None, now: FileContent | None) -> str:
    if before == now:
        return ""
    if before is None:
        return f"{name} is new"
    if now is None:
        return f"{name} is missing"
    if before.size != now.size:
        return f"{name} has {now.size} bytes and had {before.size}"
    return f"{name} has other content"


def _content_of(path: Path) -> FileContent:
    about = path.stat()
    state = about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino
    return FileContent(size=about.st_size, sha256=_sha256_of(path, state))


@lru_cache(maxsize=256)
def _sha256_of(path: Path, state: tuple[int, ...]) -> str:
    del state  # is there to be remembered by: a write changes it
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
