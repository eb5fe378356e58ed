"""The queue of names that wait to be looked at."""

import heapq
import threading
from collections import deque
from collections.abc import Callable
from random import Random

_FIRST_RETRY_SECONDS = 1.0
_LAST_RETRY_SECONDS = 300.0


class WorkQueue:
    """A queue in which each name is at most once, however often and from where it is added.

    A name that is added while it is worked on comes again afterwards. Each name has one timer,
    which ends when the name is taken: who works on it says anew when it is due again.
    """

    def __init__(self, clock: Callable[[], float], random: Random) -> None:
        """Create an empty queue.

        Args:
            clock: seconds that only rise.
            random: spreads the retries.
        """
        self._clock = clock
        self._random = random
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()
        self._queued: set[str] = set()
        self._working: set[str] = set()
        self._again: set[str] = set()
        self._due: dict[str, float] = {}
        # May have old entries of names whose timer has changed since.
        self._timers: list[tuple[float, str]] = []
        self._failures: dict[str, int] = {}
        self._closed = False

    def __len__(self) -> int:
        """Return the number of names that are due."""
        with self._changed:
            self._wake()
            return len(self._waiting)

    def add(self, name: str) -> None:
        """Let a name be looked at as soon as possible."""
        with self._changed:
            self._put(name)
            self._changed.notify()

    def add_after(self, name: str, seconds: float) -> None:
        """Let a name be looked at after a time, or earlier if it has an earlier timer."""
        due = self._clock() + seconds
        with self._changed:
            if due < self._due.get(name, float("inf")):
                self._due[name] = due
                heapq.heappush(self._timers, (due, name))
                self._changed.notify()

    def close(self) -> None:
        """Stop giving out names, so that who waits for one can end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, wait_seconds: float = 0.0) -> str | None:
        """Take the next name; None if none is due within the time, or if the queue is closed.

        Whoever takes a name must call `done` or `retry` for it.
        """
        end = self._clock() + wait_seconds
        with self._changed:
            while not self._wake() and not self._closed:
                left = end - self._clock()
                if left <= 0:
                    return None
                self._changed.wait(min(left, self._until_next_timer()))
            if self._closed:
                return None
            name = self._waiting.popleft()
            self._queued.discard(name)
            self._working.add(name)
            self._due.pop(name, None)
            return name

    def done(self, name: str, again_after_seconds: float | None = None) -> None:
        """Report that the work on a name has succeeded.

        Args:
            name: the name.
            again_after_seconds: when it is due again; None: only when it is added.
        """
        with self._changed:
            self._failures.pop(name, None)
            self._finish(name)
        if again_after_seconds is not None:
            self.add_after(name, again_after_seconds)

    def retry(self, name: str) -> float:
        """Report that the work on a name has failed; return the seconds until the next attempt.

        They double with each failure in a row, up to five minutes. Up to half of them is left out
        at random, so that names which failed together do not come back together.
        """
        with self._changed:
            failures = self._failures.get(name, 0)
            self._failures[name] = failures + 1
            self._finish(name)
            # The exponent is bound because a float overflows at 1024.
            delay = min(_FIRST_RETRY_SECONDS * 2.0 ** min(failures, 30), _LAST_RETRY_SECONDS)
            delay *= self._random.uniform(0.5, 1.0)
        self.add_after(name, delay)
        return delay

    def forget(self, name: str) -> None:
        """Drop what is remembered of a name that no longer exists."""
        with self._changed:
            self._failures.pop(name, None)
            self._due.pop(name, None)

    def _put(self, name: str) -> None:
        if name in self._working:
            self._again.add(name)
        elif name not in self._queued:
            self._queued.add(name)
            self._waiting.append(name)

    def _finish(self, name: str) -> None:
        self._working.discard(name)
        if name in self._again:
            self._again.discard(name)
            self._put(name)
            self._changed.notify()

    def _wake(self) -> bool:
        """Move the names whose time has come into the queue; return whether a name is due."""
        now = self._clock()
        while self._timers and self._timers[0][0] <= now:
            due, name = heapq.heappop(self._timers)
            if self._due.get(name) == due:
                del self._due[name]
                self._put(name)
        return bool(self._waiting)

    def _until_next_timer(self) -> float:
        return max(self._timers[0][0] - self._clock(), 0.0) if self._timers else float("inf")
