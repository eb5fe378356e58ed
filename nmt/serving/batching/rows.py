"""Rows that wait for an engine."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.settings import Search
from nmt.engines.engine import Row, SearchEngine


@dataclass(eq=False, slots=True)
class Place:
    """The position of a sentence in its request: how long it has to wait in that request.

    Changed while the sentence waits, if another request needs it earlier.
    """

    index: int
    is_background: bool = False
    """Whether the sentences of other requests go first."""

    def move_up(self, other: "Place") -> None:
        """Let the sentence wait no longer than another request would."""
        self.index = min(self.index, other.index)
        self.is_background = self.is_background and other.is_background


# Compared by identity: two requests may hold equal rows.
@dataclass(eq=False, slots=True)
class QueuedRow:
    """A row that waits for its translation."""

    engine: SearchEngine
    options: Search
    tokens: Row
    place: Place
    part: int
    """Position in its sentence."""
    since: float
    future: asyncio.Future[list[Hypothesis]]
    is_background: bool
    """Whether its tokens count as those of the background, even if a request joins it later."""
    is_waiting: bool = True

    @property
    def rank(self) -> int:
        """Return its position in its request."""
        return self.place.index + self.part


@dataclass(eq=False, slots=True)
class TimedBatch:
    """Rows that are translated by themselves, to measure the time that they take."""

    engine: SearchEngine
    rows: list[Row]
    future: asyncio.Future["Measured"]


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows that were translated alone, and how long the engine took for them."""

    hypotheses: list[Hypothesis]
    seconds: float


def queue_rows(
    engine: SearchEngine, rows: Sequence[Row], places: Sequence[Place], options: Search
) -> list[QueuedRow]:
    """Make the queue's entries of a request's rows."""
    loop, now, part = asyncio.get_running_loop(), time.monotonic(), 0
    queued: list[QueuedRow] = []
    for row, place in zip(rows, places, strict=True):
        part = part + 1 if queued and queued[-1].place is place else 0
        future: asyncio.Future[list[Hypothesis]] = loop.create_future()
        queued.append(
            QueuedRow(engine, options, row, place, part, now, future, place.is_background)
        )
    return queued
