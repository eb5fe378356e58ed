"""Progress of a long stage in the log: done so far, rate, and time left."""

import logging
import time

log = logging.getLogger(__name__)

_EVERY_SECONDS = 10.0


class Progress:
    """The pairs that a stage has done."""

    def __init__(self, stage: str, total: int | None = None) -> None:
        """Begin a stage.

        Args:
            stage: what is done, such as "cleaned".
            total: number of pairs, if it is known.
        """
        self._stage = stage
        self._total = total
        self._done = 0
        self._started = self._logged = time.monotonic()

    def add(self, pairs: int) -> None:
        """Count pairs, and log a line if the last one is some seconds old."""
        self._done += pairs
        now = time.monotonic()
        if now - self._logged < _EVERY_SECONDS:
            return
        self._logged = now
        # Over the whole stage: the time left would jump with the rate of the last seconds.
        rate = self._done / (now - self._started)
        if self._total is None:
            log.info("prepare: %s %d pairs, %.0f a second", self._stage, self._done, rate)
            return
        log.info(
            "prepare: %s %d of %d pairs, %.0f a second, about %s left",
            self._stage, self._done, self._total, rate,
            _duration((self._total - self._done) / rate),
        )  # fmt: skip


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
