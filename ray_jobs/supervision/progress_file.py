"""The file on the storage root that says how far a job has come, and how it ended."""

import logging
import time
from collections.abc import Callable, Sequence

from nmt.errors import StorageError
from nmt.runs.job_progress import JOB_PROGRESS, JobProgress
from nmt.storage import Storage
from ray_jobs.runtime.storage_location import submission_id
from ray_jobs.supervision.log_progress import LogProgress

log = logging.getLogger(__name__)

_WRITE_SECONDS = 5.0
_MAX_ERROR_CHARACTERS = 1000


class ProgressFile:
    """Follows the lines of a job, and writes its progress at most every 5 seconds.

    If the storage root fails, the progress ends, but the job continues.
    """

    def __init__(
        self,
        storage: Storage,
        path: str,
        steps: Sequence[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin.

        Args:
            storage: the storage root.
            path: of the file, below the root.
            steps: the steps of a run that the job does.
            clock: returns the time in seconds since 1970.
        """
        self._storage, self._path, self._clock = storage, path, clock
        self._written: JobProgress | None = None
        self._written_at = 0.0
        self._broken = False
        self._last_line = self._last_error = ""
        begun = JobProgress(job=submission_id(), steps=tuple(steps), updated_at=clock())
        self._read = LogProgress(begun)

    def begin(self) -> None:
        """Begin an attempt, which replaces what an earlier one has written of its end."""
        self._last_line = self._last_error = ""
        self._write(self._read.progress)

    def see(self, line: bytes) -> None:
        """Take a line of the log into account."""
        text = line.decode(errors="replace").strip()
        if not text:
            return
        self._last_line = text
        if text.startswith("nmt: "):
            self._last_error = text.removeprefix("nmt: ")
        self._read.read(text)
        is_due = self._clock() - self._written_at >= _WRITE_SECONDS
        if is_due and self._read.progress != self._written:
            self._write(self._read.progress)

    def end(self, exit_code: int) -> None:
        """Write how the job ended."""
        changes: dict[str, object] = {"exit_code": exit_code, "remaining_seconds": None}
        if exit_code:
            # A fault of the program has a traceback, which ends with the error.
            error = self._last_error or self._last_line
            changes["error"] = error[:_MAX_ERROR_CHARACTERS]
        self._write(self._read.progress.model_copy(update=changes))

    def _write(self, progress: JobProgress) -> None:
        if self._broken:
            return
        now = self._clock()
        try:
            written = progress.model_copy(update={"updated_at": now})
            JOB_PROGRESS.write(self._storage, self._path, written)
        except StorageError as error:
            self._broken = True
            log.warning("the progress of this job is not shown any more: %s", error)
        self._written, self._written_at = progress, now
