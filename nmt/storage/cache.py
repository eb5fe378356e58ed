"""Folders that all processes of a machine share, below the system's temporary folder.

They hold copies of an object store's folder commits, and models in another format.
"""

import fcntl
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from nmt.errors import StorageError
from nmt.storage.disk import explain_full_disk, is_at, mark_in_use, remove_leftovers
from nmt.storage.manifest import (
    MANIFEST,
    FileEntry,
    build_manifest,
    check_manifest,
    content_key,
    find_problems,
)


def lasting_copies() -> Path:
    """Return the folder of copies that stay, because several processes read them in turn."""
    return _made(_cache())


def ephemeral_copies() -> Path:
    """Return the folder of copies that are deleted when no process reads them any more."""
    return _made(_cache() / "passing")


def sweep_copies() -> None:
    """Remove what killed processes left on this machine, and unused ephemeral copies."""
    for folder in (lasting_copies(), ephemeral_copies()):
        remove_leftovers(folder, "*")
    for copy in ephemeral_copies().glob("[!.]*"):
        remove_if_unused(copy)


def _cache() -> Path:
    # One folder for each user: the temporary folder is shared, and others must not write here.
    return Path(tempfile.gettempdir()) / f"nmt-cache-{os.getuid()}"


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Another user may have made it first, to change what is read from it.
    if folder.stat().st_uid != os.getuid():
        raise StorageError(f"{folder} belongs to another user: set TMPDIR to a folder of your own")
    return folder


def local_copy(
    files: Mapping[str, FileEntry], copies: Path, fill: Callable[[Path], None], *, verify: bool
) -> Path:
    """Find the local copy of a commit's files, or make it.

    Args:
        files: the files of the copy, as its manifest describes them.
        copies: folder of the copies.
        fill: writes the files to a folder; called if there is no copy yet.
        verify: whether an existing copy is compared with the manifest.
    """
    folder = copies / content_key(files)
    if folder.is_dir():
        if not verify or not any(find_problems(folder, files)):
            return folder
        # The system sweeps its temporary folder and may have deleted some of the files.
        shutil.rmtree(folder, ignore_errors=True)
    _put_in_place(folder, fill)
    return folder


def cached_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """Find a folder of the cache; the first process that asks for it fills it for all others.

    Args:
        name: must follow from the content of the folder.
        fill: writes the files to a folder, which is put in place once it is complete.

    Raises:
        StorageError: the disk is full.
    """
    folder = lasting_copies() / name

    def fill_with_manifest(partial: Path) -> None:
        fill(partial)
        (partial / MANIFEST).write_text(json.dumps(build_manifest(partial, {})), encoding="utf-8")

    with _one_at_a_time(folder.with_name(f".{name}.lock")), explain_full_disk(folder.parent):
        remove_leftovers(folder.parent, name)
        if not _has_all_files(folder):
            shutil.rmtree(folder, ignore_errors=True)
            _put_in_place(folder, fill_with_manifest)
    return folder


def _put_in_place(folder: Path, fill: Callable[[Path], None]) -> None:
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.mkdir(mode=0o700)
        with mark_in_use(partial):
            fill(partial)
            with suppress(OSError):  # another process was faster
                partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _has_all_files(folder: Path) -> bool:
    """Tell whether all files of a cached folder have the sizes of its manifest."""
    # Sizes are enough here: the readers of these folders check the content.
    try:
        manifest = check_manifest(json.loads((folder / MANIFEST).read_bytes()), str(folder))
        sizes = {name: entry["size"] for name, entry in manifest["files"].items()}
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, StorageError):
        return False


@contextmanager
def _one_at_a_time(lock: Path) -> Generator[None]:
    """Wait until no other process holds a lock; a killed process does not keep it."""
    with lock.open("wb") as stream:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def ephemeral_copy(copy: Callable[[], Path]) -> Generator[Path]:
    """Hold a temporary local copy while it is read; the last reader deletes it.

    Args:
        copy: makes the copy if there is none, and returns its folder.
    """
    folder, descriptor = _open_shared(copy)
    try:
        yield folder
    finally:
        os.close(descriptor)
        remove_if_unused(folder)


def remove_if_unused(copy: Path) -> None:
    """Remove a copy, unless a living process reads it or the file system has no locks."""
    try:
        descriptor = os.open(copy, os.O_RDONLY)
    except OSError:
        return  # another process was faster
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_at(descriptor, copy):
            # The rename removes the copy in one step. A process that was about to open it makes
            # a new one, and never reads a folder of which half is deleted.
            aside = copy.with_name(f".{copy.name}.{uuid.uuid4().hex[:8]}.old")
            copy.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _open_shared(copy: Callable[[], Path]) -> tuple[Path, int]:
    """Open a copy with a shared lock, which lasts until the returned descriptor is closed."""
    while True:
        folder = copy()
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # removed since it was made
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        # Another process may have removed the folder between the opening and the lock.
        if is_at(descriptor, folder):
            return folder, descriptor
        os.close(descriptor)
