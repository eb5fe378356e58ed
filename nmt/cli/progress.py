"""Progress of work on many pairs, or other texts, in the log: done so far, rate, and time left."""

import logging
import time

from nmt.cli.durations import clock

log = logging.getLogger(__name__)


class PairProgress:
    """The pairs that some work has done."""

    def __init__(
        self,
        work: str,
        total: int | None,
        every_seconds: float = 10.0,
        *,
        units: str = "pairs",
    ) -> None:
        """Begin.

        Args:
            work: what is done, and for which step, such as "train: tokenized".
            total: number of pairs, if it is known.
            every_seconds: time between two lines.
            units: what is counted.
        """
        self._work, self._total, self._every_seconds = work, total, every_seconds
        self._units = units
        self._done = 0
        self._started = self._logged = time.monotonic()

    def add(self, pairs: int) -> None:
        """Count pairs, and log a line if the last one is some seconds old."""
        self._done += pairs
        now = time.monotonic()
        if now - self._logged < self._every_seconds:
            return
        self._logged = now
        # Over all of the work: the time left would jump with the rate of the last seconds.
        per_second = self._done / (now - self._started)
        # Models translate a few sentences a second, of which a whole number would say little.
        rate = f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.1f}"
        if self._total is None:
            log.info(
                "%s %s %s | %s %s/s",
                self._work, f"{self._done:,}", self._units, rate, self._units,
            )  # fmt: skip
            return
        log.info(
            "%s %s of %s %s | %s %s/s | %s left",
            self._work, f"{self._done:,}", f"{self._total:,}", self._units, rate,
            self._units, clock((self._total - self._done) / per_second),
        )  # fmt: skip

    def finish(self) -> None:
        """Log the total time."""
        seconds = clock(time.monotonic() - self._started)
        log.info("%s %s %s in %s", self._work, f"{self._done:,}", self._units, seconds)
