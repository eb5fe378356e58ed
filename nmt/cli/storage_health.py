"""Checks of a storage root for the `doctor` commands."""

from collections.abc import Iterator

from nmt.cli.diagnostics import Finding
from nmt.errors import NmtError, StorageError
from nmt.storage import Storage

_GIB = 2**30
_ENOUGH_GIB = 10.0


def check_storage_root(place: str, probe: str) -> Iterator[Finding]:
    """Yield whether a storage root can be written, and how much space it has.

    Args:
        place: a folder or URL.
        probe: path of a file that is written and deleted.
    """
    # Only writing shows whether a folder is read-only, a disk is full or credentials are wrong.
    try:
        storage = Storage(place)
        storage.write_bytes(probe, b"written by the command doctor")
        # An old object store ignores the condition. Then two commands could lose a change.
        careless = not storage.is_local and storage.replace_if(probe, b"", None)
        storage.delete(probe)
    except NmtError as error:
        yield Finding("storage", "bad", str(error), "set storage to a place that you may write to")
        return
    if careless:
        remedy = "use an object store that takes If-Match and If-None-Match on writes"
        yield Finding("storage", "bad", f"{place} overwrites a file that must not exist", remedy)
        return
    yield Finding("storage", "ok", f"{place} can be written")
    yield from _disk(storage)


def _disk(storage: Storage) -> Iterator[Finding]:
    try:
        space = storage.disk_space()
    except StorageError as error:
        yield Finding("disk", "note", str(error))
        return
    if space is None:
        return
    free = space.free_bytes / _GIB
    remedy = "" if free >= _ENOUGH_GIB else _FREE_SOME
    text = f"{free:.0f} GiB of {space.size_bytes / _GIB:.0f} GiB free"
    yield Finding("disk", "note" if remedy else "ok", text, remedy)


_FREE_SOME = (
    "delete old runs and engines, or give the storage more space: a 600M model needs about 10 GiB "
    "for checkpoints and engines"
)
