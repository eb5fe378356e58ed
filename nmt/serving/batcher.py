"""Requests of many clients, translated together: batches of like length under a token budget."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmt.engines.engine import Row
from nmt.errors import TranslationError
from nmt.serving.errors import OverloadedError
from nmt.text.packing import consecutive_batches

# Without a wait, clients that answer at once settle into half batches. Each value is the lesser
# of a time in seconds and a share of the last batch's time, so that a lone client hardly waits.
_GATHER_SECONDS, _GATHER_SHARE = 0.02, 0.15
_LOOK_SECONDS, _LOOK_SHARE = 0.004, 0.05


@dataclass(eq=False, slots=True)
class _Job:
    tokens: Row
    rank: int
    """Position in its request."""
    future: asyncio.Future[str]


class TokenBatcher:
    """Queue before one engine. Lives in one event loop; the engine runs in a thread."""

    def __init__(
        self,
        translate: Callable[[list[Row]], Sequence[str]],
        *,
        max_batch_tokens: int,
        max_queued_tokens: int,
    ) -> None:
        """Start the loop that takes batches; needs a running event loop.

        Args:
            translate: token lists to texts, in order; called in a thread, one call at a time.
            max_batch_tokens: rows times the longest row. A longer row runs alone.
            max_queued_tokens: tokens that may wait; an empty queue takes any request.
        """
        self._translate = translate
        self._budget = max_batch_tokens
        self._cap = max_queued_tokens
        self._queue: list[_Job] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._last_batch_seconds = 0.0
        self._by_age = False
        self._task = asyncio.create_task(self._loop())
        self._task.add_done_callback(self._fail_waiting)

    @property
    def queued_tokens(self) -> int:
        """Tokens that wait for a batch; those of cancelled requests do not count."""
        return sum(len(job.tokens) for job in self._queue if not job.future.done())

    async def submit(self, rows: Sequence[Row]) -> list[str]:
        """Translations of a request's token lists, in order. Cancelling it drops what waits.

        Raises:
            OverloadedError: the queue is full; nothing of the request was taken.
            TranslationError: the engine failed on a batch that held one of the rows.
        """
        self.check()
        waiting, more = self.queued_tokens, sum(map(len, rows))
        if waiting and waiting + more > self._cap:
            raise OverloadedError(f"{waiting} tokens are waiting (at most {self._cap} may)")
        loop = asyncio.get_running_loop()
        jobs = [_Job(row, rank, loop.create_future()) for rank, row in enumerate(rows)]
        self._queue += jobs
        self._wake.set()
        try:
            return list(await asyncio.gather(*(job.future for job in jobs)))
        finally:
            for job in jobs:
                job.future.cancel()

    def check(self) -> None:
        """Tell whether batches are still taken.

        Raises:
            TranslationError: the loop has ended.
        """
        if self._task.done():
            raise TranslationError("the batcher's loop has ended")

    async def close(self) -> None:
        """End the loop when all that waits is translated."""
        self._closing = True
        self._wake.set()
        await asyncio.wait([self._task])

    async def _loop(self) -> None:
        while True:
            await self._wake.wait()
            await self._gather()
            self._queue = [job for job in self._queue if not job.future.done()]
            if self._queue:
                await self._run(self._take())
            elif self._closing:
                return
            else:
                self._wake.clear()

    async def _gather(self) -> None:
        """Wait as long as requests keep coming in, within a small share of a batch's time."""
        last, seen = self._last_batch_seconds, -1
        end = time.monotonic() + min(_GATHER_SECONDS, _GATHER_SHARE * last)
        while seen != len(self._queue) and time.monotonic() < end:
            seen = len(self._queue)
            await asyncio.sleep(min(_LOOK_SECONDS, _LOOK_SHARE * last))

    def _take(self) -> list[_Job]:
        """Remove a batch from the queue: one job that is due, and those nearest to its length."""
        seed = self._seed()
        rest = [job for job in self._queue if job is not seed]
        rest.sort(key=lambda job: abs(len(job.tokens) - len(seed.tokens)))
        nearest = [seed, *rest]
        first = next(consecutive_batches((len(job.tokens) for job in nearest), self._budget))
        batch = nearest[: len(first)]
        taken = set(batch)
        self._queue = [job for job in self._queue if job not in taken]
        return batch

    def _seed(self) -> _Job:
        """By turns the oldest job, so that none starves, and the one earliest in its request.

        The second lets a sentence pass a document whose hundreds of sentences came before it.
        """
        self._by_age = not self._by_age
        return self._queue[0] if self._by_age else min(self._queue, key=lambda job: job.rank)

    async def _run(self, batch: list[_Job]) -> None:
        start = time.monotonic()
        try:
            texts = await asyncio.to_thread(self._translate, [job.tokens for job in batch])
            for job, text in zip(batch, texts, strict=True):
                if not job.future.done():
                    job.future.set_result(text)
        except Exception as error:  # one bad batch must not stop the loop
            self._fail(batch, TranslationError(f"the engine failed on a batch: {error}"))
        self._last_batch_seconds = time.monotonic() - start

    def _fail_waiting(self, _task: "asyncio.Task[None]") -> None:
        self._fail(self._queue, TranslationError("the batcher's loop has ended"))

    @staticmethod
    def _fail(jobs: Sequence[_Job], error: TranslationError) -> None:
        for job in jobs:
            if not job.future.done():
                job.future.set_exception(error)
