"""Engines that could not be loaded, and when they are tried again."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

_MAX_RETRY_SECONDS = 300.0
# Without a limit, 2 ** failures would become too large for a float.
_MAX_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class _Failure:
    """The last failure of an engine."""

    error: str
    count: int
    retry_at: float
    """In seconds since 1970."""


class Failures:
    """The engines that could not be loaded, each tried again after growing intervals."""

    def __init__(self, retry_seconds: float, clock: Callable[[], float]) -> None:
        """Start without failures.

        Args:
            retry_seconds: half the time until the first new try; doubles with each failure.
            clock: returns the seconds since 1970.
        """
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._failures: dict[str, _Failure] = {}

    @property
    def digests(self) -> Collection[str]:
        """Return the engines that have failed."""
        return self._failures.keys()

    def add(self, digest: str, error: str) -> None:
        """Record that an engine could not be loaded."""
        count = self._failures[digest].count + 1 if digest in self._failures else 1
        delay = self._retry_seconds * 2 ** min(count, _MAX_DOUBLINGS)
        retry_at = self._clock() + min(delay, _MAX_RETRY_SECONDS)
        self._failures[digest] = _Failure(error, count, retry_at)

    def error_of(self, digest: str) -> str | None:
        """Return why an engine has failed; None if it has not."""
        failure = self._failures.get(digest)
        return failure.error if failure else None

    def may_try(self, digest: str) -> bool:
        """Tell whether an engine has not failed, or may be tried again."""
        failure = self._failures.get(digest)
        return failure is None or self._clock() >= failure.retry_at

    def forget(self, digest: str) -> None:
        """Forget the failures of an engine."""
        self._failures.pop(digest, None)

    def keep_only(self, digests: Collection[str]) -> None:
        """Forget the failures of all other engines."""
        self._failures = {each: why for each, why in self._failures.items() if each in digests}
