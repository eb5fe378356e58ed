"""What a folder commit says of its own files, and how they are compared with it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nmt.errors import StorageError

MANIFEST = "manifest.json"


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
    return {**content, "sha256": _digest(content)}


def check_manifest(manifest: object, place: str) -> dict[str, Any]:
    """What was read as a manifest, once it is seen to be a whole one.

    Raises:
        StorageError: it is no manifest, or differs from its own hash.
    """
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise StorageError(f"{place}: not the manifest of a folder")
    # Manifests of earlier releases have no hash of their own.
    if manifest.get("sha256", digest := _digest(manifest)) != digest:
        raise StorageError(f"{place}: differs from its own hash")
    return manifest


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


def _digest(manifest: Mapping[str, Any]) -> str:
    """Hash of what a manifest says, of `meta` too: a training goes on from what stands there."""
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
