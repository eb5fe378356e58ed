"""Local files that survive a crash: written whole, flushed, put in place by one rename."""

import errno
import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nmt.errors import StorageError
from nmt.storage.manifest import MANIFEST

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Around the filling of a folder: a lock that goes with its process, however that ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_in_use(folder: Path) -> bool:
    """Whether a living process fills the folder; false where the file system has no locks."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return True  # put in place meanwhile
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(descriptor)
    return False


@contextmanager
def no_space_named(folder: Path) -> Iterator[None]:
    """Whoever writes: a library may give the system's error number in its words alone."""
    try:
        yield
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        told = re.search(r"os error (\d+)", str(error))
        if (number or (int(told[1]) if told else None)) not in _NO_SPACE:
            raise
        raise StorageError(
            f"no space left to write below {folder} ({error}): what was committed stands; free "
            "some space, or lower training.keep_checkpoints, then give the same command again"
        ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place of the old one; its folder is made when it is missing.

    Raises:
        StorageError: it cannot be written; the old file stands.
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


def remove(left: Path) -> None:
    """A file or a folder, as far as it can be."""
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    else:
        with suppress(OSError):
            left.unlink()


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as stream, in_use(path):
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def swap_in(staging: Path, target: Path) -> None:
    """Flush every file, then put the folder in place; an old one is moved aside first."""
    for path in staging.rglob("*"):
        _sync(path)
    _sync(staging)
    if target.exists():
        old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
        with in_use(target):  # nobody shall put it back in between
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


def remove_left(parent: Path, name: str) -> None:
    """Remove what killed writers of a name, which may be `*`, have left in a folder."""
    for left in parent.glob(f".{name}.*.partial"):
        if not is_in_use(left):
            remove(left)
    for left in parent.glob(f".{name}.*.old"):
        if not is_in_use(left):
            _put_back_or_remove(left)


def _put_back_or_remove(old: Path) -> None:
    """What a killed `swap_in` has moved aside: it stays where nothing has taken its place."""
    target = old.with_name(old.name[1:].rsplit(".", 2)[0])
    if target.exists() or not (old / MANIFEST).is_file():
        _remove_commit(old)
        return
    with suppress(OSError):  # another process was first
        old.rename(target)


def _remove_commit(folder: Path) -> None:
    """Its manifest first, so that no half of it counts."""
    remove(folder / MANIFEST)
    remove(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
