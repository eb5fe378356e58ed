"""Where a replica writes the feedback that it gets."""

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from nmt.errors import StorageError
from nmt.serving.errors import StorageUnavailableError
from nmt.serving.feedback.rows import SUFFIX, Feedback, folder
from nmt.storage import Storage

log = logging.getLogger(__name__)

_MAX_FILE_BYTES = 2**18
"""Size from which a new file is begun: each addition writes the whole file again."""


def _now() -> datetime:
    return datetime.now(UTC)


class FeedbackStore:
    """The files of one replica, one at a time in each folder.

    Object stores cannot append to a file, and two replicas must not write the same one.
    """

    def __init__(
        self,
        storage: Storage,
        endpoint: str,
        replica: str,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Set up without a file.

        Args:
            storage: the storage root.
            endpoint: name of the endpoint.
            replica: id of the replica, which no other one has ever had.
            clock: returns the time, by which a new file is named.
        """
        self._storage, self._endpoint, self._replica = storage, endpoint, replica
        self._clock = clock
        self._files: dict[str, tuple[str, bytes]] = {}
        """Folder -> path and content of the file that is written at the moment."""
        self._lock = threading.Lock()

    async def add(self, feedback: Feedback) -> None:
        """Store feedback; it is on the storage root when this returns.

        Raises:
            StorageUnavailableError: it could not be written, and is not kept.
        """
        # In a thread of its own accord: a client that leaves must not tear the file's content from
        # what this object remembers of it.
        await asyncio.to_thread(self._add, feedback)

    def _add(self, feedback: Feedback) -> None:
        languages = feedback.source_language, feedback.target_language
        place = folder(self._endpoint, feedback.kind, *languages)
        rows = b"".join(row.dump() for row in feedback.lines())
        with self._lock:
            path, content = self._files.get(place, ("", b""))
            if not path or len(content) > _MAX_FILE_BYTES:
                path, content = self._new_path(place), b""
            try:
                self._storage.write_bytes(path, content + rows)
            except StorageError as error:
                # The message names paths, which are not for clients.
                log.error("feedback could not be stored: %s", error)
                raise StorageUnavailableError("the feedback could not be stored") from None
            self._files[place] = path, content + rows

    def _new_path(self, place: str) -> str:
        return f"{place}/{self._clock():%Y%m%d-%H%M%S-%f}-{self._replica}{SUFFIX}"
