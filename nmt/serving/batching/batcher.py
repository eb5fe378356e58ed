"""Batches rows of many requests by similar length, under a token budget."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from nmt.decoding.hypothesis import Hypothesis
from nmt.engines.engine import Row, SearchEngine
from nmt.errors import TranslationError
from nmt.serving.batching.rows import BackgroundBatch, Measured, Place, QueuedRow, queue_rows
from nmt.serving.errors import OverloadedError
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.worker import Worker
from nmt.text.packing import consecutive_batches

# Clients that wait for their answers send the next requests right after a batch. Without a short
# wait for these, the batches would stay half empty. Each time is the smaller one of a number of
# seconds and a share of the last batch's time, so that a single client hardly waits.
_GATHER_SECONDS, _GATHER_SHARE = 0.02, 0.15
_POLL_SECONDS, _POLL_SHARE = 0.004, 0.05
# A canary or shadow that is compared should not delay requests. But a replica that is always busy
# would then never compare, and a canary that is too slow would hide that itself.
_MAX_OVERTAKING = 20


class Batcher:
    """The queue of a replica's engines, in one event loop.

    The engines share the processors, so that one batch runs at a time, in a thread. A batch holds
    rows of one engine. Which engine is next follows from the age of the rows.
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
            max_queued_tokens: tokens that may wait, of all engines; an empty queue takes any
                request.
            metrics: receive the batches and the length of the queue.
        """
        self._max_batch_tokens = max_batch_tokens
        self._max_queued_tokens = max_queued_tokens
        self._metrics = metrics
        self._queue: list[QueuedRow] = []
        self._background: deque[BackgroundBatch] = deque()
        self._queued_tokens = 0
        self._requests = 0
        self._wake = asyncio.Event()
        self._is_closing = False
        self._last_batch_seconds = 0.0
        self._take_oldest = False
        self._overtaken = 0
        self._worker = Worker("engines")
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._fail_queue)

    @property
    def queued_tokens(self) -> int:
        """Count the tokens that wait for a batch, without those of cancelled requests."""
        return self._queued_tokens

    async def submit(
        self, engine: SearchEngine, rows: Sequence[Row], places: Sequence[Place] | None = None
    ) -> list[Hypothesis]:
        """Translate the rows of a request, in order; on cancellation, drop those that wait.

        Args:
            engine: translates the rows.
            rows: as the engine encodes them.
            places: the place of each row's sentence; by default each row is a sentence.

        Raises:
            OverloadedError: the queue is full; no row of the request was taken.
            TranslationError: the engine failed on a batch with one of the rows.
        """
        self.check()
        waiting, added = self._queued_tokens, sum(map(len, rows))
        # An empty queue takes any request, else one above the limit could never be translated.
        if waiting and waiting + added > self._max_queued_tokens:
            raise OverloadedError(
                f"{waiting} tokens are waiting (at most {self._max_queued_tokens} may)"
            )
        queued = queue_rows(engine, rows, places or [Place(index) for index in range(len(rows))])
        self._queue += queued
        self._queued_tokens += added
        self._requests += 1
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
                self._leave_queue(row)
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
            self._background.append(BackgroundBatch(engine, part, future))
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
            self._queue = [row for row in self._queue if not row.future.done()]
            self._observe_queue()
            if self._background and (not self._queue or self._overtaken >= _MAX_OVERTAKING):
                self._overtaken = 0
                await self._translate_background(self._background.popleft())
            elif self._queue:
                self._overtaken += bool(self._background)
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

    def _take_batch(self) -> list[QueuedRow]:
        """Remove a batch from the queue: a first row, and those of its engine nearest in length."""
        first = self._choose_first()
        rest = [row for row in self._queue if row.engine is first.engine and row is not first]
        rest.sort(key=lambda row: abs(len(row.tokens) - len(first.tokens)))
        nearest = [first, *rest]
        lengths = (len(row.tokens) for row in nearest)
        batch = nearest[: len(next(consecutive_batches(lengths, self._max_batch_tokens)))]
        for row in batch:
            self._leave_queue(row)
        self._queue = [row for row in self._queue if row.is_waiting]
        return batch

    def _choose_first(self) -> QueuedRow:
        """Choose the oldest row, or, in every second batch, the one earliest in its request."""
        # The oldest, so that rows of an unusual length or of a rarely used engine do not starve.
        # The earliest, so that a sentence need not wait for a document of hundreds of sentences
        # that came before it.
        self._take_oldest = not self._take_oldest
        return self._queue[0] if self._take_oldest else min(self._queue, key=lambda row: row.rank)

    async def _translate_batch(self, batch: list[QueuedRow]) -> None:
        self._observe_batch(batch)
        try:
            found = await self._search(batch[0].engine, [row.tokens for row in batch])
            for row, hypothesis in zip(batch, found.hypotheses, strict=True):
                if not row.future.done():
                    row.future.set_result(hypothesis)
            self._last_batch_seconds = found.seconds
        # One bad batch must not end the loop, whatever the engine's library raises.
        except Exception as error:
            _fail(batch, TranslationError(f"the engine failed on a batch: {error}"))
        except asyncio.CancelledError:
            _fail(batch, _ended())
            raise

    async def _translate_background(self, batch: BackgroundBatch) -> None:
        if batch.future.done():
            return
        try:
            found = await self._search(batch.engine, batch.rows)
            if not batch.future.done():
                batch.future.set_result(found)
        except Exception as error:
            _fail([batch], TranslationError(f"the engine failed on a batch: {error}"))
        except asyncio.CancelledError:
            _fail([batch], _ended())
            raise

    async def _search(self, engine: SearchEngine, rows: list[Row]) -> Measured:
        start = time.monotonic()
        found = await self._worker.run(engine.search, rows, scored=True)
        return Measured([hypotheses[0] for hypotheses in found], time.monotonic() - start)

    def _leave_queue(self, row: QueuedRow) -> None:
        if row.is_waiting:
            row.is_waiting = False
            self._queued_tokens -= len(row.tokens)

    def _observe_queue(self) -> None:
        if self._metrics:
            self._metrics.set_queue(self._requests, self._queued_tokens)

    def _observe_batch(self, batch: Sequence[QueuedRow]) -> None:
        if self._metrics is None:
            return
        now, lengths = time.monotonic(), [len(row.tokens) for row in batch]
        waits = [now - row.since for row in batch]
        padded = len(lengths) * max(lengths)
        self._metrics.observe_batch(batch[0].engine.digest, len(batch), sum(lengths), padded, waits)

    def _fail_queue(self, _task: "asyncio.Task[None]") -> None:
        _fail([*self._queue, *self._background], _ended())


def _ended() -> TranslationError:
    return TranslationError("the batcher's loop has ended")


def _fail(waiting: Sequence[QueuedRow | BackgroundBatch], error: TranslationError) -> None:
    for each in waiting:
        if not each.future.done():
            each.future.set_exception(error)
