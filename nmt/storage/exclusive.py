"""Work that one process at a time may do on a storage root."""

import fcntl
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from nmt.errors import InUseError, StorageError
from nmt.storage.storage import Storage

log = logging.getLogger(__name__)

_BEAT_SECONDS = 5.0
"""Time between two heartbeats of a lease."""
_SILENCE_SECONDS = 20.0
"""After so long without a heartbeat the holder of a lease is dead."""
_SETTLE_SECONDS = 0.5
"""Time in which two that found no lease at the same moment see which of them wrote last."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Content of a lock file or lease."""

    host: str
    process: int
    since: str
    """UTC."""
    key: str
    """Of this holding alone."""
    beats: int = 0

    @classmethod
    def here(cls) -> "Holder":
        """Describe this process."""
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        return cls(socket.gethostname(), os.getpid(), since, uuid.uuid4().hex)

    @classmethod
    def read(cls, content: bytes) -> "Holder | None":
        """Read what a holder wrote; None when it is not whole."""
        with suppress(ValueError):
            return TypeAdapter(cls).validate_json(content)
        return None

    def dump(self) -> bytes:
        """Write it as JSON."""
        return json.dumps(asdict(self)).encode()


@contextmanager
def alone(storage: Storage, path: str, what: str) -> Iterator[None]:
    """Hold a lock around work that nobody else may do at the same time.

    In a folder it is a lock of the operating system, which goes with the process however that
    ends. An object store has none: there it is an object with a heartbeat, and the next one waits
    20 seconds to see that a killed holder is silent. Two that begin within the same half second
    can both get it there, and a file system without locks gives it to everyone, with a warning.

    Args:
        storage: the storage root.
        path: of the lock, below the root.
        what: what is done, for the message.

    Raises:
        InUseError: another process holds it; names its host and process.
        StorageError: the storage root is open for reading only.
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
    lease.take()
    try:
        yield
    finally:
        lease.give_back()


def check_free(storage: Storage, path: str, what: str) -> None:
    """Refuse work that another process does, before much is done for it; `alone` decides.

    Of an object store nothing is asked: its answer takes seconds.

    Raises:
        InUseError: another process holds the lock.
    """
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
    """Descriptor that holds the lock until it is closed."""
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # the last holder has just removed the folder
        except OSError as error:
            raise StorageError(f"cannot lock {file}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = Holder.read(os.pread(descriptor, 4096, 0))
            os.close(descriptor)
            raise _in_use(what, holder) from None
        except OSError as error:
            log.warning("%s: two commands at once would not notice each other: %s", file, error)
            return descriptor
        if _is_at(descriptor, file):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, Holder.here().dump(), 0)
            return descriptor
        os.close(descriptor)  # removed by the holder before this one


def _unlock(file: Path, descriptor: int) -> None:
    """Remove the file while it is locked, and the run's folder where nothing else is in it."""
    with suppress(OSError):
        if _is_at(descriptor, file):
            file.unlink()
        file.parent.rmdir()
    os.close(descriptor)


def _is_at(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _in_use(what: str, holder: Holder | None) -> InUseError:
    who = "another process"
    if holder is not None:
        who = f"process {holder.process} on {holder.host} since {holder.since}"
    return InUseError(
        f"{what} is being done by {who}: wait for its end or stop it, or choose another run=NAME"
    )


class _Lease:
    """An object that says who works, rewritten every few seconds for as long as that lives."""

    def __init__(self, storage: Storage, path: str, what: str) -> None:
        self._storage, self._path, self._what = storage, path, what
        self._holder = Holder.here()
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=f"lease {path}", daemon=True)

    def take(self) -> None:
        """Write the lease once nobody living holds it.

        Raises:
            InUseError: somebody does.
        """
        self._wait_for_silence()
        self._write()
        time.sleep(_SETTLE_SECONDS)
        found = self._read()
        if found is None or found.key != self._holder.key:
            raise _in_use(self._what, found)
        self._beating.start()

    def give_back(self) -> None:
        """Delete the lease, unless another process has taken it for dead."""
        self._over.set()
        self._beating.join()
        try:
            found = self._read()
            if found is not None and found.key == self._holder.key:
                self._storage.delete(self._path)
        except StorageError as error:
            log.warning("the lease is left behind, and counts for nothing soon: %s", error)

    def _wait_for_silence(self) -> None:
        first = self._read()
        if first is None:
            return
        log.info(
            "%s: looking for %.0f seconds whether process %d on %s still does it",
            self._what, _SILENCE_SECONDS, first.process, first.host,
        )  # fmt: skip
        give_up = time.monotonic() + _SILENCE_SECONDS
        while time.monotonic() < give_up:
            time.sleep(_BEAT_SECONDS / 5)
            found = self._read()
            if found is None:
                return
            if found != first:
                raise _in_use(self._what, found)

    def _beat(self) -> None:
        while not self._over.wait(_BEAT_SECONDS):
            try:
                found = self._read()
                if found is not None and found.key != self._holder.key:
                    log.warning(
                        "%s: process %d on %s has begun it too: stop one of the two",
                        self._what, found.process, found.host,
                    )  # fmt: skip
                    return
                self._holder = replace(self._holder, beats=self._holder.beats + 1)
                self._write()
            except StorageError as error:
                log.warning("no heartbeat: %s", error)

    def _read(self) -> Holder | None:
        try:
            return Holder.read(self._storage.read_bytes(self._path))
        except StorageError:
            if self._storage.exists(self._path):
                raise
            return None

    def _write(self) -> None:
        self._storage.write_bytes(self._path, self._holder.dump())
