"""A clock for tests."""

from collections.abc import Callable


class FakeTime:
    """A clock that sleeping moves forward, and that runs scheduled functions on the way."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        while self.due and self.due[0][0] <= self.seconds:
            self.due.pop(0)[1]()
        if self.seconds > 1_100_000:
            raise AssertionError("nothing ends this wait")

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.due.append((self.seconds + seconds, action))
        self.due.sort(key=lambda entry: entry[0])
