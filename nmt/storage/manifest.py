"""The manifest of a folder commit, and the comparison of files with it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypedDict, TypeGuard

from nmt.errors import StorageError
from nmt.storage.seal import is_changed, is_json_object, sealed

MANIFEST = "manifest.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileEntry(TypedDict):
    """Size in bytes and hash of a file."""

    size: int
    sha256: str


class Manifest(TypedDict):
    """Content of `manifest.json`."""

    files: dict[str, FileEntry]
    """Every file of the folder by its relative name."""
    meta: dict[str, Any]
    """Plain values that the writer of the commit added."""


def describe_files(folder: Path) -> dict[str, FileEntry]:
    """Map the relative name of every file below a folder to its size and hash, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": _sha256_of(path),
        }
        for path in files
        if path != folder / MANIFEST
    }


def build_manifest(folder: Path, meta: Mapping[str, Any]) -> Manifest:
    """Describe the files of a folder in a manifest that contains its own hash."""
    content: Manifest = {"files": describe_files(folder), "meta": dict(meta)}
    seal: Any = sealed(content)
    return seal


def check_manifest(value: object, place: str) -> Manifest:
    """Check that a value that was read from JSON is an intact manifest.

    Args:
        value: the plain value.
        place: where it was read; begins each message.

    Raises:
        StorageError: it is not a manifest, or differs from its own hash.
    """
    if not is_json_object(value) or not is_json_object(value.get("files")):
        raise StorageError(f"{place}: not the manifest of a folder")
    if is_changed(value):
        raise StorageError(f"{place}: differs from its own hash")
    if not _is_manifest(value):
        raise StorageError(f"{place}: not the manifest of a folder: a file has no size or hash")
    return value


def _is_manifest(value: dict[str, Any]) -> TypeGuard[Manifest]:
    return all(_is_file_entry(name, entry) for name, entry in value["files"].items())


def _is_file_entry(name: str, entry: object) -> bool:
    # A name that leads out of the folder would let a changed manifest overwrite other files.
    if PurePosixPath(name).is_absolute() or ".." in name.split("/") or not is_json_object(entry):
        return False
    size, sha256 = entry.get("size"), entry.get("sha256")
    # `type` and not `isinstance`, since True is an int too.
    return type(size) is int and isinstance(sha256, str) and bool(_SHA256.fullmatch(sha256))


def content_key(files: Mapping[str, FileEntry]) -> str:
    """Derive a name from the content of files that does not depend on their folder."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:32]


def find_problems(folder: Path, files: Mapping[str, FileEntry]) -> Iterator[tuple[str, str]]:
    """Find each file that is missing or differs, with the problem as a clause."""
    for name, entry in files.items():
        problem = _find_problem(folder / name, entry)
        if problem:
            yield name, problem


def _find_problem(path: Path, entry: FileEntry) -> str:
    if not path.is_file():
        return "is missing"
    # The size is compared first, since hashing gigabytes takes long.
    size = path.stat().st_size
    if size != entry["size"]:
        return f"has {size} bytes, its manifest says {entry['size']}"
    return "" if _sha256_of(path) == entry["sha256"] else "differs from its manifest"


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
