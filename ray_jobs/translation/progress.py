"""The progress of a translation in the log: rate and time left."""

import logging
import time
from collections.abc import Callable

from nmt.report.formatting import duration

log = logging.getLogger(__name__)

_FIRST_SECONDS = 5.0
_MAX_SECONDS = 60.0


class Progress:
    """A line in the log now and then, at growing intervals."""

    def __init__(self, total_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self._total_bytes = max(total_bytes, 1)
        self._now = now
        self._started_at = now()
        self._interval = _FIRST_SECONDS
        self._next_at = self._started_at + self._interval
        self._bytes_before = 0
        self._bytes = 0
        self.lines = 0
        """Lines translated by this command."""
        self.lines_before = 0
        """Lines that an earlier command had translated."""
        self.source_tokens = 0

    def start(self) -> None:
        """Begin to measure the rate: an engine is loaded."""
        self._started_at = self._now()

    @property
    def seconds(self) -> float:
        """Return the seconds since an engine was loaded."""
        return self._now() - self._started_at

    def skip(self, lines: int, size: int) -> None:
        """Count the lines and bytes of a shard that was translated before."""
        self.lines_before += lines
        self._bytes_before += size

    def add(self, lines: int, size: int, source_tokens: int) -> None:
        """Count a translated shard, and log the progress if it is time for it."""
        self.lines += lines
        self._bytes += size
        self.source_tokens += source_tokens
        if self._now() >= self._next_at:
            log.info("%s", self._line())
            # A long translation need not fill the log.
            self._interval = min(2 * self._interval, _MAX_SECONDS)
            self._next_at = self._now() + self._interval

    def summary(self) -> str:
        """Describe the whole translation."""
        seconds = max(self.seconds, 1e-9)
        before = f", and {self.lines_before:,} before" if self.lines_before else ""
        return (
            f"{self.lines:,} lines{before} in {duration(seconds)}: "
            f"{self.lines / seconds:,.0f} lines/s, {self.source_tokens / seconds:,.0f} tokens/s"
        )

    def _line(self) -> str:
        seconds = max(self.seconds, 1e-9)
        done = self._bytes_before + self._bytes
        left = seconds * max(self._total_bytes - done, 0) / max(self._bytes, 1)
        return (
            f"{self.lines_before + self.lines:,} lines ({min(done / self._total_bytes, 1):.0%}) | "
            f"{self.lines / seconds:,.0f} lines/s | {self.source_tokens / seconds:,.0f} tokens/s | "
            f"{duration(left)} left"
        )
