"""What a folder commit says of its own files, and how they are compared with it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from nmt.errors import StorageError
from nmt.storage.seal import is_changed, sealed

MANIFEST = "manifest.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Relative name -> `size` (bytes) and `sha256` of every file below a folder, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": _sha256_of(path),
        }
        for path in files
        if path != folder / MANIFEST
    }


def manifest_of(folder: Path, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Manifest of a folder's files, with a hash of its own."""
    content = {"files": describe_files(folder), "meta": dict(meta)}
    return sealed(content)


def check_manifest(manifest: object, place: str) -> dict[str, Any]:
    """What was read as a manifest, once it is seen to be a whole one.

    Raises:
        StorageError: it is no manifest, or differs from its own hash.
    """
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise StorageError(f"{place}: not the manifest of a folder")
    if is_changed(manifest):
        raise StorageError(f"{place}: differs from its own hash")
    if not all(_describes_a_file(name, about) for name, about in manifest["files"].items()):
        raise StorageError(f"{place}: not the manifest of a folder: a file has no size or hash")
    return manifest


def _describes_a_file(name: str, about: object) -> bool:
    """Tell whether an entry of `files` is one that `describe_files` writes."""
    if not isinstance(about, dict) or PurePosixPath(name).is_absolute() or ".." in name.split("/"):
        return False
    size, sha256 = about.get("size"), about.get("sha256")
    return type(size) is int and isinstance(sha256, str) and bool(_SHA256.fullmatch(sha256))


def content_key(manifest: Mapping[str, Any]) -> str:
    """One name for one content, whatever the folder is called."""
    return hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()[:32]


def faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each file that is missing or differs, and what is wrong with it."""
    for name, expected in manifest["files"].items():
        fault = _fault_of(folder / name, expected)
        if fault:
            yield name, fault


def _fault_of(path: Path, expected: Mapping[str, Any]) -> str:
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != expected["size"]:
        return f"has {size} bytes, its manifest says {expected['size']}"
    return "" if _sha256_of(path) == expected["sha256"] else "differs from its manifest"


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
