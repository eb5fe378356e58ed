"""Batches rows of many requests by similar length, under a token budget."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.settings import DEFAULT_SEARCH, Search
from nmt.engines.engine import Row, SearchEngine
from nmt.errors import TranslationError
from nmt.serving.batching.queue import RowQueue
from nmt.serving.batching.rows import Measured, Place, QueuedRow, TimedBatch, queue_rows
from nmt.serving.errors import OverloadedError
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.worker import Worker
from nmt.text.packing import consecutive_batches

# Clients that wait for their answers send the next requests right after a batch. Without a short
# wait for these, the batches would stay half empty. Each time is the smaller one of a number of
# seconds and a share of the last batch's time, so that a single client hardly waits.
_GATHER_SECONDS, _GATHER_SHARE = 0.02, 0.15
_POLL_SECONDS, _POLL_SHARE = 0.004, 0.05
# Documents, and a canary or shadow that is compared, should not delay requests. But a replica that
# is always busy would then never compare, a canary that is too slow would hide that itself, and a
# document would never end.
_MAX_OVERTAKING = 20
# A request that arrives waits for the batch that runs, which may take seconds if it is full.
_BACKGROUND_SHARE = 4
_QUIET_SECONDS = 10.0


class Batcher:
    """The queue of a replica's engines, in one event loop.

    The engines share the processors, so that one batch runs at a time, in a thread. A batch holds
    rows of one engine and one kind of search. Which is next follows from the age of the rows; those
    of the background come last.
    """

    def __init__(
        self,
        *,
        max_batch_tokens: int,
        max_queued_tokens: int,
        metrics: ServingMetrics | None = None,
    ) -> None:
        """Start the loop that translates batches; must be called in a running event loop.

        Args:
            max_batch_tokens: number of rows times the longest row. A longer row runs alone.
            max_queued_tokens: tokens that may wait, of all engines, and as many in the background;
                an empty queue takes any request.
            metrics: receive the batches and the length of the queue.
        """
        self._max_batch_tokens = max_batch_tokens
        self._max_queued_tokens = max_queued_tokens
        self._metrics = metrics
        self._queue = RowQueue()
        self._timed: deque[TimedBatch] = deque()
        self._requests = 0
        self._last_request = -_QUIET_SECONDS
        self._wake = asyncio.Event()
        self._is_closing = False
        self._last_batch_seconds = 0.0
        self._overtaken = 0
        self._is_turn_of_timed = True
        self._worker = Worker("engines")
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._fail_queue)

    @property
    def queued_tokens(self) -> int:
        """Count the tokens of requests that wait for a batch."""
        return self._queue.tokens()

    async def submit(
        self,
        engine: SearchEngine,
        rows: Sequence[Row],
        places: Sequence[Place] | None = None,
        options: Search = DEFAULT_SEARCH,
    ) -> list[list[Hypothesis]]:
        """Translate the rows of a request, in order; on cancellation, drop those that wait.

        Args:
            engine: translates the rows.
            rows: as the engine encodes them.
            places: the place of each row's sentence; by default each row is a sentence.
            options: how many hypotheses of each row, and how they are searched.

        Raises:
            OverloadedError: the queue is full; no row of the request was taken.
            TranslationError: the engine failed on a batch with one of the rows.
        """
        self.check()
        places = places or [Place(index) for index in range(len(rows))]
        is_background = bool(places) and places[0].is_background
        waiting, added = self._queue.tokens(is_background=is_background), sum(map(len, rows))
        # An empty queue takes any request, else one above the limit could never be translated.
        if waiting and waiting + added > self._max_queued_tokens:
            raise OverloadedError(
                f"{waiting} tokens are waiting (at most {self._max_queued_tokens} may)"
            )
        queued = queue_rows(engine, rows, places, options)
        self._queue.add(queued)
        self._requests += 1
        if not is_background:
            self._last_request = time.monotonic()
        self._wake.set()
        try:
            # Most requests are a sentence, for which `gather` would cost more than the rest.
            if len(queued) == 1:
                return [await queued[0].future]
            return list(await asyncio.gather(*(row.future for row in queued)))
        finally:
            self._requests -= 1
            # After an error or a cancellation, the loop skips rows with a cancelled future.
            for row in queued:
                row.future.cancel()
                self._queue.give_up(row)
            if not self._requests:
                # The loop has looked before the last request woke up.
                self._observe_queue()

    async def measure(self, engine: SearchEngine, rows: Sequence[Row]) -> Measured:
        """Translate rows by themselves, if possible once no request waits, and measure the time.

        Raises:
            TranslationError: the engine failed.
        """
        self.check()
        lengths = [len(row) for row in rows]
        found = Measured([], 0.0)
        for batch in consecutive_batches(lengths, self._max_batch_tokens):
            future: asyncio.Future[Measured] = asyncio.get_running_loop().create_future()
            part = [rows[index] for index in batch]
            self._timed.append(TimedBatch(engine, part, future))
            self._wake.set()
            more = await future
            found = Measured(found.hypotheses + more.hypotheses, found.seconds + more.seconds)
        return found

    def check(self) -> None:
        """Check that batches are still translated.

        Raises:
            TranslationError: the loop has ended.
        """
        if self._task.done():
            raise _ended()

    async def close(self, timeout_seconds: float | None = None) -> None:
        """Translate the waiting rows, then end the loop; at the latest after a time, if given."""
        self._is_closing = True
        self._wake.set()
        _, running = await asyncio.wait([self._task], timeout=timeout_seconds)
        for task in running:
            task.cancel()
        self._worker.close()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            if self._queue:
                await self._gather()
            self._queue.drop_done()
            self._observe_queue()
            if not self._timed and not self._queue:
                if self._is_closing:
                    return
                self._wake.clear()
            else:
                await self._translate_next()

    async def _translate_next(self) -> None:
        """Translate a batch of requests, or of what waits behind them."""
        has_background = self._queue.has(is_background=True)
        has_others = has_background or bool(self._timed)
        is_overdue = has_others and self._overtaken >= _MAX_OVERTAKING
        if self._queue.has(is_background=False) and not is_overdue:
            self._overtaken += has_others
            batch = self._queue.take_batch(self._max_batch_tokens, is_background=False)
            await self._translate_batch(batch)
            return
        self._overtaken = 0
        # By turns, so that neither the comparison of engines nor a document waits for the other.
        self._is_turn_of_timed = not (self._is_turn_of_timed and has_background)
        if self._timed and self._is_turn_of_timed:
            await self._translate_timed(self._timed.popleft())
            return
        budget = self._max_batch_tokens
        if time.monotonic() < self._last_request + _QUIET_SECONDS:
            budget //= _BACKGROUND_SHARE
        await self._translate_batch(self._queue.take_batch(budget, is_background=True))

    async def _gather(self) -> None:
        """Wait while requests keep coming in, but only for a small share of a batch's time."""
        last, seen = self._last_batch_seconds, -1
        end = time.monotonic() + min(_GATHER_SECONDS, _GATHER_SHARE * last)
        # A queue that no longer grows holds all the requests that were sent at the same time.
        while seen != len(self._queue) and time.monotonic() < end:
            seen = len(self._queue)
            await asyncio.sleep(min(_POLL_SECONDS, _POLL_SHARE * last))

    async def _translate_batch(self, batch: list[QueuedRow]) -> None:
        self._observe_batch(batch)
        try:
            first, start = batch[0], time.monotonic()
            found = await self._search(first.engine, [row.tokens for row in batch], first.options)
            for row, hypotheses in zip(batch, found, strict=True):
                if not row.future.done():
                    row.future.set_result(hypotheses)
            self._last_batch_seconds = time.monotonic() - start
        # One bad batch must not end the loop, whatever the engine's library raises.
        except Exception as error:
            _fail(batch, TranslationError(f"the engine failed on a batch: {error}"))
        except asyncio.CancelledError:
            _fail(batch, _ended())
            raise

    async def _translate_timed(self, batch: TimedBatch) -> None:
        if batch.future.done():
            return
        try:
            start = time.monotonic()
            found = await self._search(batch.engine, batch.rows, DEFAULT_SEARCH)
            seconds = time.monotonic() - start
            if not batch.future.done():
                batch.future.set_result(Measured([best[0] for best in found], seconds))
        except Exception as error:
            _fail([batch], TranslationError(f"the engine failed on a batch: {error}"))
        except asyncio.CancelledError:
            _fail([batch], _ended())
            raise

    async def _search(
        self, engine: SearchEngine, rows: list[Row], options: Search
    ) -> list[list[Hypothesis]]:
        return await self._worker.run(engine.search, rows, options, scored=True)

    def _observe_queue(self) -> None:
        if self._metrics:
            self._metrics.set_queue(self._requests, self._queue.tokens())

    def _observe_batch(self, batch: Sequence[QueuedRow]) -> None:
        if self._metrics is None:
            return
        now, lengths = time.monotonic(), [len(row.tokens) for row in batch]
        # A row of a document waits for all requests, and that says nothing about their own time.
        waits = [now - row.since for row in batch if not row.is_background]
        padded = len(lengths) * max(lengths)
        self._metrics.observe_batch(batch[0].engine.digest, len(batch), sum(lengths), padded, waits)

    def _fail_queue(self, _task: "asyncio.Task[None]") -> None:
        _fail([*self._queue, *self._timed], _ended())


def _ended() -> TranslationError:
    return TranslationError("the batcher's loop has ended")


def _fail(waiting: Sequence[QueuedRow | TimedBatch], error: TranslationError) -> None:
    for each in waiting:
        if not each.future.done():
            each.future.set_exception(error)
