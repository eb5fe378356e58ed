"""The batcher: which rows share a batch, the queue, and failures."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from nmt.decoding.hypothesis import Hypothesis
from nmt.errors import TranslationError
from nmt.serving.batcher import TokenBatcher
from nmt.serving.errors import OverloadedError


class Recorder:
    """An engine that records its batches, waits for a gate, and fails on the token `bad`."""

    def __init__(self) -> None:
        self.batches: list[list[list[str]]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, rows: list[list[str]]) -> list[Hypothesis]:
        self.batches.append(rows)
        self.gate.wait(5)
        if any("bad" in row for row in rows):
            raise RuntimeError("cannot")
        return [Hypothesis("+".join(row), len(row), 0.0, True) for row in rows]


def texts(found: list[Hypothesis]) -> list[str]:
    return [hypothesis.text for hypothesis in found]


def row(word: str, length: int = 1) -> list[str]:
    return [word] * length


def with_batcher(
    check: Callable[[TokenBatcher, Recorder], Awaitable[None]],
    *,
    batch: int = 64,
    queued: int = 10_000,
) -> None:
    async def body() -> None:
        engine = Recorder()
        batcher = TokenBatcher(engine, max_batch_tokens=batch, max_queued_tokens=queued)
        await check(batcher, engine)
        engine.gate.set()
        await batcher.close()

    asyncio.run(asyncio.wait_for(body(), 10))


async def block_engine(batcher: TokenBatcher, engine: Recorder) -> "asyncio.Task[list[Hypothesis]]":
    """Keep the engine busy until the gate opens, so that other requests wait."""
    engine.gate.clear()
    task = asyncio.create_task(batcher.submit([row("first")]))
    while not engine.batches:
        await asyncio.sleep(0.001)
    return task


def submit(batcher: TokenBatcher, *rows: list[str]) -> "asyncio.Task[list[Hypothesis]]":
    return asyncio.create_task(batcher.submit(rows))


def test_translations_come_in_the_order_of_the_rows() -> None:
    async def check(batcher: TokenBatcher, _engine: Recorder) -> None:
        rows = [row(f"w{n}", n % 7 + 1) for n in range(40)]
        assert texts(await batcher.submit(rows)) == ["+".join(r) for r in rows]

    with_batcher(check, batch=16)


def test_batches_stay_in_the_budget_and_hold_rows_of_equal_length() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        await batcher.submit([row("s", 2), row("l", 30)] * 6)
        for batch in engine.batches:
            assert len(batch) * max(map(len, batch)) <= 64
            assert len({len(r) for r in batch}) == 1

    with_batcher(check)


def test_a_row_above_the_budget_runs_alone() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        await batcher.submit([row("a", 200), row("b"), row("c", 200)])
        assert sorted(len(batch) for batch in engine.batches) == [1, 1, 1]

    with_batcher(check)


def test_requests_of_many_clients_share_a_batch() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        others = [submit(batcher, row(f"c{n}")) for n in range(10)]
        await asyncio.sleep(0)
        engine.gate.set()
        await asyncio.gather(first, *others)
        assert [len(batch) for batch in engine.batches] == [1, 10]

    with_batcher(check)


def test_a_row_of_unusual_length_does_not_starve() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        odd = submit(batcher, row("odd", 60))
        others = [submit(batcher, *[row("short")] * 64) for _ in range(5)]
        await asyncio.sleep(0)
        engine.gate.set()
        await asyncio.gather(first, odd, *others)
        assert any("odd" in r for batch in engine.batches[1:4] for r in batch)

    with_batcher(check)


def test_a_sentence_overtakes_a_long_document() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        document = submit(batcher, *[row("d", 32) for _ in range(100)])
        await asyncio.sleep(0)
        sentence = submit(batcher, row("s"))
        await asyncio.sleep(0)
        engine.gate.set()
        await sentence
        assert len(engine.batches) < 10
        await asyncio.gather(first, document)

    with_batcher(check)


def test_rows_of_a_cancelled_request_are_dropped() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        dropped = submit(batcher, row("dropped", 9))
        kept = submit(batcher, row("kept"))
        await asyncio.sleep(0)
        assert batcher.queued_tokens == 10
        dropped.cancel()
        await asyncio.sleep(0)
        assert batcher.queued_tokens == 1
        engine.gate.set()
        await asyncio.gather(first, kept)
        assert not any("dropped" in r for batch in engine.batches for r in batch)

    with_batcher(check)


def test_a_full_queue_refuses_a_request_as_a_whole() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        waiting = submit(batcher, row("a", 15))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="15 tokens"):
            await batcher.submit([row("b", 5), row("c")])
        assert batcher.queued_tokens == 15
        engine.gate.set()
        await asyncio.gather(first, waiting)
        assert texts(await batcher.submit([row("b")])) == ["b"]

    with_batcher(check, queued=20)


def test_an_empty_queue_takes_any_request() -> None:
    async def check(batcher: TokenBatcher, _engine: Recorder) -> None:
        assert len(await batcher.submit([row("a", 15)] * 4)) == 4

    with_batcher(check, queued=20)


def test_a_failing_batch_fails_only_its_own_request() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        bad = submit(batcher, row("bad", 60), row("fine"))
        good = submit(batcher, row("good"))
        await asyncio.sleep(0)
        engine.gate.set()
        with pytest.raises(TranslationError, match="cannot"):
            await bad
        assert texts(await good) == ["good"]
        await first
        batcher.check()

    with_batcher(check)


def test_a_dead_loop_fails_waiting_and_new_requests() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        waiting = submit(batcher, row("a"))
        await asyncio.sleep(0)
        batcher._task.cancel()
        engine.gate.set()
        with pytest.raises(TranslationError, match="loop"):
            await waiting
        with pytest.raises(TranslationError, match="loop"):
            batcher.check()
        with pytest.raises(TranslationError, match="loop"):
            await batcher.submit([row("b")])
        first.cancel()

    with_batcher(check)


def test_closing_translates_the_waiting_rows() -> None:
    async def check(batcher: TokenBatcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        waiting = submit(batcher, row("a"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.close())
        engine.gate.set()
        assert texts(await first) == ["first"]
        assert texts(await waiting) == ["a"]
        await closing
        with pytest.raises(TranslationError):
            batcher.check()

    with_batcher(check)
