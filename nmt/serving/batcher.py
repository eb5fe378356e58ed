"""Batches rows of many requests by similar length, under a token budget."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmt.decoding.hypothesis import Hypothesis
from nmt.engines.engine import Row
from nmt.errors import TranslationError
from nmt.serving.errors import OverloadedError
from nmt.text.packing import consecutive_batches

# Clients that wait for their answers send the next requests right after a batch. Without a short
# wait for these, the batches would stay half empty. Each time is the smaller one of a number of
# seconds and a share of the last batch's time, so that a single client hardly waits.
_GATHER_SECONDS, _GATHER_SHARE = 0.02, 0.15
_POLL_SECONDS, _POLL_SHARE = 0.004, 0.05


# Compared by identity: two requests may hold equal rows.
@dataclass(eq=False, slots=True)
class _QueuedRow:
    """A row that waits for its translation."""

    tokens: Row
    index: int
    """Position in its request."""
    future: asyncio.Future[Hypothesis]


class TokenBatcher:
    """The queue of an engine: runs in one event loop, with the engine in a thread."""

    def __init__(
        self,
        translate: Callable[[list[Row]], Sequence[Hypothesis]],
        *,
        max_batch_tokens: int,
        max_queued_tokens: int,
    ) -> None:
        """Start the loop that translates batches; must be called in a running event loop.

        Args:
            translate: translates rows in order; called in a thread, one call at a time.
            max_batch_tokens: number of rows times the longest row. A longer row runs alone.
            max_queued_tokens: tokens that may wait; an empty queue takes any request.
        """
        self._translate = translate
        self._max_batch_tokens = max_batch_tokens
        self._max_queued_tokens = max_queued_tokens
        self._queue: list[_QueuedRow] = []
        self._wake = asyncio.Event()
        self._is_closing = False
        self._last_batch_seconds = 0.0
        self._take_oldest = False
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._fail_queue)

    @property
    def queued_tokens(self) -> int:
        """Count the tokens that wait for a batch, without those of cancelled requests."""
        return sum(len(row.tokens) for row in self._queue if not row.future.done())

    async def submit(self, rows: Sequence[Row]) -> list[Hypothesis]:
        """Translate the rows of a request, in order; on cancellation, drop those that wait.

        Raises:
            OverloadedError: the queue is full; no row of the request was taken.
            TranslationError: the engine failed on a batch with one of the rows.
        """
        self.check()
        waiting, added = self.queued_tokens, sum(map(len, rows))
        # An empty queue takes any request, else one above the limit could never be translated.
        if waiting and waiting + added > self._max_queued_tokens:
            raise OverloadedError(
                f"{waiting} tokens are waiting (at most {self._max_queued_tokens} may)"
            )
        loop = asyncio.get_running_loop()
        queued = [_QueuedRow(row, index, loop.create_future()) for index, row in enumerate(rows)]
        self._queue += queued
        self._wake.set()
        try:
            return list(await asyncio.gather(*(row.future for row in queued)))
        finally:
            # After an error or a cancellation, the loop skips rows with a cancelled future.
            for row in queued:
                row.future.cancel()

    def check(self) -> None:
        """Check that batches are still translated.

        Raises:
            TranslationError: the loop has ended.
        """
        if self._task.done():
            raise TranslationError("the batcher's loop has ended")

    async def close(self) -> None:
        """Translate the waiting rows, then end the loop."""
        self._is_closing = True
        self._wake.set()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await self._gather()
            self._queue = [row for row in self._queue if not row.future.done()]
            if self._queue:
                await self._translate_batch(self._take_batch())
            elif self._is_closing:
                return
            else:
                self._wake.clear()

    async def _gather(self) -> None:
        """Wait while requests keep coming in, but only for a small share of a batch's time."""
        last, seen = self._last_batch_seconds, -1
        end = time.monotonic() + min(_GATHER_SECONDS, _GATHER_SHARE * last)
        # A queue that no longer grows holds all the requests that were sent at the same time.
        while seen != len(self._queue) and time.monotonic() < end:
            seen = len(self._queue)
            await asyncio.sleep(min(_POLL_SECONDS, _POLL_SHARE * last))

    def _take_batch(self) -> list[_QueuedRow]:
        """Remove a batch from the queue: a first row, and those nearest to its length."""
        first = self._choose_first()
        rest = [row for row in self._queue if row is not first]
        rest.sort(key=lambda row: abs(len(row.tokens) - len(first.tokens)))
        nearest = [first, *rest]
        lengths = (len(row.tokens) for row in nearest)
        batch = nearest[: len(next(consecutive_batches(lengths, self._max_batch_tokens)))]
        taken = set(batch)
        self._queue = [row for row in self._queue if row not in taken]
        return batch

    def _choose_first(self) -> _QueuedRow:
        """Choose the oldest row, or, in every second batch, the one earliest in its request."""
        # The oldest, so that rows of an unusual length do not starve. The earliest, so that a
        # sentence need not wait for a document of hundreds of sentences that came before it.
        self._take_oldest = not self._take_oldest
        return self._queue[0] if self._take_oldest else min(self._queue, key=lambda row: row.index)

    async def _translate_batch(self, batch: list[_QueuedRow]) -> None:
        start = time.monotonic()
        try:
            found = await asyncio.to_thread(self._translate, [row.tokens for row in batch])
            for row, hypothesis in zip(batch, found, strict=True):
                if not row.future.done():
                    row.future.set_result(hypothesis)
        # One bad batch must not end the loop, whatever the engine's library raises.
        except Exception as error:
            self._fail(batch, TranslationError(f"the engine failed on a batch: {error}"))
        self._last_batch_seconds = time.monotonic() - start

    def _fail_queue(self, _task: "asyncio.Task[None]") -> None:
        self._fail(self._queue, TranslationError("the batcher's loop has ended"))

    @staticmethod
    def _fail(rows: Sequence[_QueuedRow], error: TranslationError) -> None:
        for row in rows:
            if not row.future.done():
                row.future.set_exception(error)
