"""Locks for work that only one process at a time may do on a storage root."""

import fcntl
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from nmt.errors import InUseError, StorageError
from nmt.storage.conditional import Versioned
from nmt.storage.disk import is_at
from nmt.storage.storage import Storage

log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 5.0
"""Time between two heartbeats of a lease."""
_EXPIRY_SECONDS = 20.0
"""Time without a heartbeat after which the holder of a lease counts as dead."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock, as written to the lock file or lease."""

    host: str
    process: int
    since: str
    """Start time in UTC."""
    key: str
    """Random key of this lock, since process numbers are used again."""
    beats: int = 0
    """Number of heartbeats so far."""

    @classmethod
    def here(cls) -> "Holder":
        """Describe this process."""
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        return cls(socket.gethostname(), os.getpid(), since, uuid.uuid4().hex)

    @classmethod
    def read(cls, content: bytes) -> "Holder | None":
        """Read what a holder wrote; None if it is incomplete."""
        with suppress(ValueError):
            return TypeAdapter(cls).validate_json(content)
        return None

    def dump(self) -> bytes:
        """Serialise the holder as JSON."""
        return json.dumps(asdict(self)).encode()


@contextmanager
def alone(storage: Storage, path: str, what: str) -> Generator[None]:
    """Hold a lock around work that no other process may do at the same time.

    In a local folder it is a lock of the operating system, which is released when the process
    ends, even if it is killed. An object store has no locks, so there it is an object with a
    heartbeat, called a lease; after a kill, the next process waits 20 seconds without a heartbeat
    before it takes over.

    A file system without locks gives the lock to everybody, with a warning.

    Args:
        storage: the storage root.
        path: of the lock, below the root.
        what: the work, for the message.

    Raises:
        InUseError: another process holds the lock; the message names its host and process.
        StorageError: the storage root is read-only.
    """
    storage.check_writable(path)
    if storage.is_local:
        descriptor = _lock(Path(storage.locate(path)), what)
        try:
            yield
        finally:
            _unlock(Path(storage.locate(path)), descriptor)
        return
    lease = _Lease(storage, path, what)
    lease.acquire()
    try:
        yield
    finally:
        lease.release()


def check_free(storage: Storage, path: str, what: str) -> None:
    """Refuse early what `alone` would refuse later, before time is spent on preparations.

    Raises:
        InUseError: another process holds the lock.
    """
    # Asking an object store would take seconds.
    if not storage.is_local:
        return
    try:
        descriptor = os.open(storage.locate(path), os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(what, Holder.read(os.pread(descriptor, 4096, 0))) from None
    except OSError:
        return
    finally:
        os.close(descriptor)


def _lock(file: Path, what: str) -> int:
    """Lock a file until the returned descriptor is closed."""
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # the previous holder has just removed the folder
        except OSError as error:
            raise StorageError(f"cannot lock {file}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = Holder.read(os.pread(descriptor, 4096, 0))
            os.close(descriptor)
            raise _in_use(what, holder) from None
        except OSError as error:
            log.warning("%s: cannot prevent two commands at the same time: %s", file, error)
            return descriptor
        # The previous holder may have removed the file between the opening and the lock. A lock
        # on a removed file would exclude nobody.
        if is_at(descriptor, file):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, Holder.here().dump(), 0)
            return descriptor
        os.close(descriptor)


def _unlock(file: Path, descriptor: int) -> None:
    """Remove a lock file, and its folder if it is empty."""
    # The file goes before the lock does: afterwards it may be the file of the next holder.
    with suppress(OSError):
        if is_at(descriptor, file):
            file.unlink()
        file.parent.rmdir()
    os.close(descriptor)


def _in_use(what: str, holder: Holder | None) -> InUseError:
    who = "another process"
    if holder is not None:
        who = f"process {holder.process} on {holder.host} since {holder.since}"
    return InUseError(
        f"{what} is being done by {who}: wait for its end or stop it, or choose another run=NAME"
    )


class _Lease:
    """A lock object that its holder rewrites every few seconds for as long as it lives."""

    def __init__(self, storage: Storage, path: str, what: str) -> None:
        self._storage, self._path, self._what = storage, path, what
        self._holder = Holder.here()
        self._released = threading.Event()
        self._heartbeats = threading.Thread(
            target=self._send_heartbeats, name=f"lease {path}", daemon=True
        )

    def acquire(self) -> None:
        """Write the lease, once no living process holds it.

        Raises:
            InUseError: a living process holds it.
        """
        if not self._replace(self._wait_for_expiry()):
            raise _in_use(self._what, _holder_of(self._read()))
        self._heartbeats.start()

    def release(self) -> None:
        """Delete the lease, unless another process has taken it over."""
        self._released.set()
        self._heartbeats.join()
        try:
            if self._is_ours(self._read()):
                self._storage.delete(self._path)
        except StorageError as error:
            log.warning("the lease cannot be deleted, and will expire soon: %s", error)

    def _wait_for_expiry(self) -> Versioned | None:
        """Wait for heartbeats, and return the lease of a dead process; None if there is none.

        Raises:
            InUseError: a living process holds it.
        """
        found = self._read()
        first = _holder_of(found)
        if first is None:
            return found
        log.info(
            "%s: waiting %.0f seconds to see whether process %d on %s is still alive",
            self._what, _EXPIRY_SECONDS, first.process, first.host,
        )  # fmt: skip
        # Only this machine's clock is used: the clock of the other one may be wrong.
        give_up = time.monotonic() + _EXPIRY_SECONDS
        while time.monotonic() < give_up:
            time.sleep(_HEARTBEAT_SECONDS / 5)
            found = self._read()
            holder = _holder_of(found)
            if holder is None:
                return found
            if holder != first:
                raise _in_use(self._what, holder)
        return found

    def _send_heartbeats(self) -> None:
        while not self._released.wait(_HEARTBEAT_SECONDS):
            try:
                found = self._read()
                # This process may have slept so long that another one took over.
                taken = found is not None and not self._is_ours(found)
                self._holder = replace(self._holder, beats=self._holder.beats + 1)
                if taken or not self._replace(found):
                    self._warn_of_another()
                    return
            except StorageError as error:
                # One lost heartbeat is harmless: a lease expires only after four.
                log.warning("no heartbeat: %s", error)

    def _warn_of_another(self) -> None:
        holder = _holder_of(self._read())
        who = f"process {holder.process} on {holder.host}" if holder else "another process"
        log.warning("%s: %s has started it too: stop one of the two", self._what, who)

    def _is_ours(self, found: Versioned | None) -> bool:
        holder = _holder_of(found)
        return holder is not None and holder.key == self._holder.key

    def _read(self) -> Versioned | None:
        return self._storage.read_versioned(self._path)

    def _replace(self, found: Versioned | None) -> bool:
        """Write the lease, unless another process has written it since it was read."""
        token = found.token if found else None
        return self._storage.replace_if(self._path, self._holder.dump(), token)


def _holder_of(found: Versioned | None) -> Holder | None:
    """Read the holder of a lease; None if there is no lease, or an incomplete one."""
    return Holder.read(found.content) if found else None
