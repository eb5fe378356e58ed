"""A log that outlives the process and the machine that write it: a file on the storage root."""

import logging
import time
from collections.abc import Callable

from pyarrow import fs

from nmt.errors import StorageError
from nmt.storage import Storage

log = logging.getLogger(__name__)

_REWRITE_SECONDS = 20.0


class LogFile:
    """A log file on a storage root, to which lines are appended.

    In a local folder each line is written at once. An object store cannot append, so the complete
    log is written again every 20 seconds and at the end. If the storage root fails, the log ends,
    but the job continues.
    """

    def __init__(
        self, storage: Storage, path: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open the log.

        Args:
            storage: the storage root.
            path: of the file, below the root.
            clock: returns the time in seconds.
        """
        self._storage = storage
        self._path = path
        self._clock = clock
        self._broken = False
        self._stream = None
        self._content = bytearray()
        self._dirty = False
        self._written_at = clock()
        self._guarded(self._open)

    def write(self, line: bytes) -> None:
        """Append a line, which includes its line end."""
        self._guarded(lambda: self._append(line))

    def close(self) -> None:
        """Write the lines that are not written yet, and close the file."""
        self._guarded(self._finish)

    def _open(self) -> None:
        existed = self._storage.exists(self._path)
        if self._storage.is_local:
            if not existed:
                self._storage.write_bytes(self._path, b"")
            filesystem, root = self._storage.filesystem
            assert isinstance(filesystem, fs.LocalFileSystem)  # noqa: S101 - is_local says so
            self._stream = filesystem.open_append_stream(f"{root}/{self._path}")
        elif existed:
            self._content += self._storage.read_bytes(self._path)

    def _append(self, line: bytes) -> None:
        if self._stream is not None:
            self._stream.write(line)
            self._stream.flush()
            return
        self._content += line
        self._dirty = True
        if self._clock() - self._written_at >= _REWRITE_SECONDS:
            self._rewrite()

    def _finish(self) -> None:
        if self._stream is not None:
            self._stream.close()
        elif self._dirty:
            self._rewrite()

    def _rewrite(self) -> None:
        self._storage.write_bytes(self._path, bytes(self._content))
        self._dirty, self._written_at = False, self._clock()

    def _guarded(self, action: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            action()
        except (StorageError, OSError) as error:
            self._broken = True
            log.warning("the log %s ends here: %s", self._storage.locate(self._path), error)
