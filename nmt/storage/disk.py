"""Local files that survive a crash: written completely, flushed, and renamed into place."""

import errno
import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from nmt.errors import StorageError
from nmt.storage.manifest import MANIFEST

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def mark_in_use(path: Path) -> Generator[None]:
    """Hold a lock on a file or folder while it is written."""
    # The operating system releases the lock when the process ends, even if it is killed.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_at(descriptor: int, path: Path) -> bool:
    """Tell whether a path still names the file or folder that a descriptor has opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def is_in_use(path: Path) -> bool:
    """Tell whether a living process writes a path; False where the file system has no locks."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return True  # its writer has just put it in place
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(descriptor)
    return False


@contextmanager
def explain_full_disk(folder: Path) -> Generator[None]:
    """Raise a StorageError when the disk is full while files are written to a folder.

    Raises:
        StorageError: the disk is full.
    """
    try:
        yield
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        # Libraries written in Rust give the number only in their message.
        quoted = re.search(r"os error (\d+)", str(error))
        if (number or (int(quoted[1]) if quoted else None)) not in _DISK_FULL:
            raise
        raise StorageError(
            f"no space left to write below {folder} ({error}): what was committed is intact; free "
            "some space, or lower training.keep_checkpoints, then give the same command again"
        ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, and make its folder if it is missing.

    Raises:
        StorageError: it cannot be written; the old file is unchanged.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_synced(partial, content)
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a file or a folder as far as possible, without an error."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as stream, mark_in_use(path):
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def swap_in(staging: Path, target: Path) -> None:
    """Flush every file of a folder, then put the folder in the place of the old one."""
    for path in staging.rglob("*"):
        _sync(path)
    _sync(staging)
    if target.exists():
        # A folder cannot be renamed onto another one. The old one is moved aside first, so that
        # `remove_leftovers` can put it back if this process is killed between the two renames.
        old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
        with mark_in_use(target):  # no other process may put it back in between
            target.rename(old)
            try:
                staging.rename(target)
            except OSError:
                old.rename(target)
                raise
            _sync(target.parent)
            _remove_commit(old)
    else:
        staging.rename(target)
    _sync(target.parent)


def remove_leftovers(parent: Path, name: str) -> None:
    """Remove from a folder what killed writers of a name left.

    Args:
        parent: the folder.
        name: the name, or `*` for all.
    """
    for left in parent.glob(f".{name}.*.partial"):
        if not is_in_use(left):
            remove(left)
    for left in parent.glob(f".{name}.*.old"):
        if not is_in_use(left):
            _restore_or_remove(left)


def _restore_or_remove(old: Path) -> None:
    """Put back a folder that a killed `swap_in` moved aside, unless it was replaced."""
    target = old.with_name(old.name[1:].rsplit(".", 2)[0])
    if target.exists() or not (old / MANIFEST).is_file():
        _remove_commit(old)
        return
    with suppress(OSError):  # another process was faster
        old.rename(target)


def _remove_commit(folder: Path) -> None:
    # The manifest goes first: a folder without it does not count as a commit.
    remove(folder / MANIFEST)
    remove(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Give a file a second name, or copy it where the file system cannot do so.

    Only for files that are replaced and never changed.

    Raises:
        FileExistsError: there is a file of that name.
    """
    # The weights of a model may be many gigabytes.
    try:
        os.link(source, target)
    except FileExistsError:
        # A copy would be written into the file, which may have a second name itself.
        raise
    except OSError:
        shutil.copy2(source, target)
