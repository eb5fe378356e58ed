"""What is kept on this machine for all its processes.

Copies of an object store's folder commits, and models written in another format.
"""

import fcntl
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nmt.errors import StorageError
from nmt.storage.disk import in_use, no_space_named, remove_left
from nmt.storage.manifest import MANIFEST, check_manifest, content_key, faults, manifest_of


def kept_copies() -> Path:
    """Folder of the copies that stay: what is read often, by one process after the other."""
    return _made(_cache())


def passing_copies() -> Path:
    """Folder of the copies that go when nobody reads them."""
    return _made(_cache() / "passing")


def sweep_copies() -> None:
    """Remove what killed processes have left on this machine, and passing copies nobody reads."""
    for folder in (kept_copies(), passing_copies()):
        remove_left(folder, "*")
    for copy in passing_copies().glob("[!.]*"):
        drop(copy)


def _cache() -> Path:
    return Path(tempfile.gettempdir()) / f"nmt-cache-{os.getuid()}"


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def copy_of(
    manifest: Mapping[str, Any], copies: Path, fill: Callable[[Path], None], *, verify: bool
) -> Path:
    """Folder of a commit's copy, named by its content.

    Args:
        manifest: what the copy holds.
        copies: where it lies, or will.
        fill: puts the files into a folder, where there is no copy yet.
        verify: whether one that is there is compared with the manifest.
    """
    folder = copies / content_key(manifest)
    if folder.is_dir():
        if not verify or not any(faults(folder, manifest)):
            return folder
        shutil.rmtree(folder, ignore_errors=True)  # a sweep of the temporary folder was there
    _put_in_place(folder, fill)
    return folder


def kept_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """Find a folder of the cache, which the first process that asks for it fills for all others.

    Args:
        name: follows from what the folder holds.
        fill: writes the files into a folder that is put in place when they are all there.

    Raises:
        StorageError: there is no space for it.
    """
    folder = kept_copies() / name

    def fill_with_manifest(partial: Path) -> None:
        fill(partial)
        (partial / MANIFEST).write_text(json.dumps(manifest_of(partial, {})), encoding="utf-8")

    with _one_at_a_time(folder.with_name(f".{name}.lock")), no_space_named(folder.parent):
        remove_left(folder.parent, name)
        if not _has_all_files(folder):
            shutil.rmtree(folder, ignore_errors=True)  # a sweep of the temporary folder was there
            _put_in_place(folder, fill_with_manifest)
    return folder


def _put_in_place(folder: Path, fill: Callable[[Path], None]) -> None:
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.mkdir(mode=0o700)
        with in_use(partial):
            fill(partial)
            with suppress(OSError):  # another process was first
                partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _has_all_files(folder: Path) -> bool:
    """Compare sizes alone: what a kept folder holds is checked where it is read."""
    try:
        manifest = check_manifest(json.loads((folder / MANIFEST).read_bytes()), str(folder))
        sizes = {name: about["size"] for name, about in manifest["files"].items()}
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, StorageError):
        return False


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    """Wait until no other process is within; a killed one leaves no lock behind."""
    with lock.open("wb") as stream:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def held(copy: Callable[[], Path]) -> Iterator[Path]:
    """Around the reading of a passing copy; whoever is the last to leave removes it.

    Args:
        copy: makes the copy where it is missing, and returns its folder.
    """
    folder, descriptor = _hold(copy)
    try:
        yield folder
    finally:
        os.close(descriptor)
        drop(folder)


def drop(copy: Path) -> None:
    """Remove a copy unless a living process holds it, or the file system has no locks."""
    try:
        descriptor = os.open(copy, os.O_RDONLY)
    except OSError:
        return  # another process was first
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(descriptor, copy):
            # One call takes it away from those who are about to hold it: they copy anew.
            aside = copy.with_name(f".{copy.name}.{uuid.uuid4().hex[:8]}.old")
            copy.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _hold(copy: Callable[[], Path]) -> tuple[Path, int]:
    """The copy's folder, and a descriptor that holds it until it is closed."""
    while True:
        folder = copy()
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # dropped since it was made
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_at(descriptor, folder):
            return folder, descriptor
        os.close(descriptor)


def _is_at(descriptor: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), folder.stat())
    except FileNotFoundError:
        return False
