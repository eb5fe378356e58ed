"""Packing of a code folder into a small zip archive, whose bytes depend only on the content."""

import fnmatch
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nmt.errors import InputError

MAX_BYTES = 900 * 1024  # a ConfigMap holds at most 1 MiB, its other fields included
_EXCLUDED = (
    ".git", ".venv", "venv", "__pycache__", "runs", "node_modules", ".*_cache", "*.pyc",
    "*.egg-info",
)  # fmt: skip
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip archive can store


@dataclass(frozen=True, slots=True)
class CodeArchive:
    """A zip archive of code."""

    content: bytes
    digest: str
    """First twelve hexadecimal digits of the content's SHA-256."""


def pack(folder: Path) -> CodeArchive:
    """Pack a folder into a zip archive.

    Raises:
        InputError: the folder is missing, empty or too big, or contains a link out of it.
    """
    if not folder.is_dir():
        raise InputError(f"--working-dir {folder}: no such folder")
    files = sorted(_files(folder, folder.resolve()))
    if not files:
        raise InputError(f"--working-dir {folder}: the folder has no files")
    content = _zip(folder, files)
    if len(content) > MAX_BYTES:
        raise InputError(_too_big(folder, files, len(content)))
    return CodeArchive(content, hashlib.sha256(content).hexdigest()[:12])


def _files(folder: Path, root: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in _EXCLUDED):
            continue
        # A link out of the folder could pack private files, or fail later inside the Pod.
        if not path.resolve().is_relative_to(root):
            raise InputError(f"--working-dir: {path} is a link out of the folder: copy the file")
        if path.is_symlink() and path.is_dir():
            raise InputError(f"--working-dir: {path} is a link to a folder: copy the folder")
        if path.is_dir():
            yield from _files(path, root)
        elif path.is_file():
            yield path


def _zip(folder: Path, files: list[Path]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            # Fixed times and modes, so that the same content always has the same digest.
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return stream.getvalue()


def _too_big(folder: Path, files: list[Path], size: int) -> str:
    largest = sorted(files, key=lambda path: path.stat().st_size, reverse=True)[:3]
    names = ", ".join(
        f"{path.relative_to(folder).as_posix()} ({path.stat().st_size // 1024} KiB)"
        for path in largest
    )
    return (
        f"--working-dir {folder}: {size // 1024} KiB zipped, more than {MAX_BYTES // 1024} KiB; "
        f"largest files: {names}. Move data to the storage root, or build an image and use --image"
    )
