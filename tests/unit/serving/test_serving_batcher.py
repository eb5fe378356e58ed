"""The batcher: which rows share a batch, the queue, and failures."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.settings import Search
from nmt.errors import TranslationError
from nmt.serving.batching.batcher import Batcher
from nmt.serving.batching.rows import Place
from nmt.serving.errors import OverloadedError


class Recorder:
    """An engine that records its batches, waits for a gate, and fails on the token `bad`."""

    card: Any = None
    memory_bytes = 0

    def __init__(self, digest: str = "a") -> None:
        self.digest = digest
        self.batches: list[list[list[str]]] = []
        self.gate = threading.Event()
        self.gate.set()

    def encode(self, sentence: str) -> Any:
        raise NotImplementedError

    def translate(self, rows: Any) -> Any:
        raise NotImplementedError

    def close(self) -> None: ...

    def search(self, rows: Any, *_search: Any, **_options: Any) -> list[list[Hypothesis]]:
        self.batches.append(rows)
        self.gate.wait(5)
        if any("bad" in row for row in rows):
            raise RuntimeError("cannot")
        return [[Hypothesis("+".join(row), len(row), 0.0, True)] for row in rows]


def texts(found: list[list[Hypothesis]]) -> list[str]:
    return [hypotheses[0].text for hypotheses in found]


def row(word: str, length: int = 1) -> list[str]:
    return [word] * length


def with_batcher(
    check: Callable[[Batcher, Recorder], Awaitable[None]],
    *,
    batch: int = 64,
    queued: int = 10_000,
) -> None:
    async def body() -> None:
        engine = Recorder()
        batcher = Batcher(max_batch_tokens=batch, max_queued_tokens=queued)
        await check(batcher, engine)
        engine.gate.set()
        await batcher.close()

    asyncio.run(asyncio.wait_for(body(), 10))


async def block_engine(
    batcher: Batcher, engine: Recorder
) -> "asyncio.Task[list[list[Hypothesis]]]":
    """Keep the engine busy until the gate opens, so that other requests wait."""
    engine.gate.clear()
    task = asyncio.create_task(batcher.submit(engine, [row("first")]))
    while not engine.batches:
        await asyncio.sleep(0.001)
    return task


def submit(
    batcher: Batcher, engine: Recorder, *rows: list[str]
) -> "asyncio.Task[list[list[Hypothesis]]]":
    return asyncio.create_task(batcher.submit(engine, rows))


def test_translations_come_in_the_order_of_the_rows() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        rows = [row(f"w{n}", n % 7 + 1) for n in range(40)]
        assert texts(await batcher.submit(engine, rows)) == ["+".join(r) for r in rows]

    with_batcher(check, batch=16)


def test_batches_stay_in_the_budget_and_hold_rows_of_equal_length() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        await batcher.submit(engine, [row("s", 2), row("l", 30)] * 6)
        for batch in engine.batches:
            assert len(batch) * max(map(len, batch)) <= 64
            assert len({len(r) for r in batch}) == 1

    with_batcher(check)


def test_a_row_above_the_budget_runs_alone() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        await batcher.submit(engine, [row("a", 200), row("b"), row("c", 200)])
        assert sorted(len(batch) for batch in engine.batches) == [1, 1, 1]

    with_batcher(check)


def test_requests_of_many_clients_share_a_batch() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        others = [submit(batcher, engine, row(f"c{n}")) for n in range(10)]
        await asyncio.sleep(0)
        engine.gate.set()
        await asyncio.gather(first, *others)
        assert [len(batch) for batch in engine.batches] == [1, 10]

    with_batcher(check)


def test_a_row_of_unusual_length_does_not_starve() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        odd = submit(batcher, engine, row("odd", 60))
        others = [submit(batcher, engine, *[row("short")] * 64) for _ in range(5)]
        await asyncio.sleep(0)
        engine.gate.set()
        await asyncio.gather(first, odd, *others)
        assert any("odd" in r for batch in engine.batches[1:4] for r in batch)

    with_batcher(check)


def test_a_sentence_overtakes_a_long_document() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        document = submit(batcher, engine, *[row("d", 32) for _ in range(100)])
        await asyncio.sleep(0)
        sentence = submit(batcher, engine, row("s"))
        await asyncio.sleep(0)
        engine.gate.set()
        await sentence
        assert len(engine.batches) < 10
        await asyncio.gather(first, document)

    with_batcher(check)


def test_rows_of_a_cancelled_request_are_dropped() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        dropped = submit(batcher, engine, row("dropped", 9))
        kept = submit(batcher, engine, row("kept"))
        await asyncio.sleep(0)
        assert batcher.queued_tokens == 10
        dropped.cancel()
        await asyncio.wait([dropped])
        assert batcher.queued_tokens == 1
        engine.gate.set()
        await asyncio.gather(first, kept)
        assert not any("dropped" in r for batch in engine.batches for r in batch)

    with_batcher(check)


def test_a_full_queue_refuses_a_request_as_a_whole() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        waiting = submit(batcher, engine, row("a", 15))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="15 tokens"):
            await batcher.submit(engine, [row("b", 5), row("c")])
        assert batcher.queued_tokens == 15
        engine.gate.set()
        await asyncio.gather(first, waiting)
        assert texts(await batcher.submit(engine, [row("b")])) == ["b"]

    with_batcher(check, queued=20)


def test_an_empty_queue_takes_any_request() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        assert len(await batcher.submit(engine, [row("a", 15)] * 4)) == 4

    with_batcher(check, queued=20)


def test_a_failing_batch_fails_only_its_own_request() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        bad = submit(batcher, engine, row("bad", 60), row("fine"))
        good = submit(batcher, engine, row("good"))
        await asyncio.sleep(0)
        engine.gate.set()
        with pytest.raises(TranslationError, match="cannot"):
            await bad
        assert texts(await good) == ["good"]
        await first
        batcher.check()

    with_batcher(check)


def test_a_dead_loop_fails_waiting_and_new_requests() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        waiting = submit(batcher, engine, row("a"))
        await asyncio.sleep(0)
        batcher._task.cancel()
        engine.gate.set()
        with pytest.raises(TranslationError, match="loop"):
            await waiting
        with pytest.raises(TranslationError, match="loop"):
            batcher.check()
        with pytest.raises(TranslationError, match="loop"):
            await batcher.submit(engine, [row("b")])
        first.cancel()

    with_batcher(check)


def test_closing_translates_the_waiting_rows() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        waiting = submit(batcher, engine, row("a"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.close())
        engine.gate.set()
        assert texts(await first) == ["first"]
        assert texts(await waiting) == ["a"]
        await closing
        with pytest.raises(TranslationError):
            batcher.check()

    with_batcher(check)


def test_a_batch_holds_rows_of_one_engine_and_no_engine_starves() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        other = Recorder("b")
        first = await block_engine(batcher, engine)
        documents = [submit(batcher, engine, *[row(f"d{n}", 16)] * 40) for n in range(4)]
        await asyncio.sleep(0)
        late = submit(batcher, other, row("o", 16))
        await asyncio.sleep(0)
        engine.gate.set()
        await late
        assert other.batches == [[row("o", 16)]]
        # Each document begins before it, in every second batch; 40 batches of theirs wait.
        assert len(engine.batches) <= 10
        await asyncio.gather(first, *documents)

    with_batcher(check)


def test_the_queue_limit_counts_the_rows_of_all_engines() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        waiting = submit(batcher, engine, row("a", 15))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="15 tokens"):
            await batcher.submit(Recorder("b"), [row("b", 6)])
        engine.gate.set()
        await asyncio.gather(first, waiting)

    with_batcher(check, queued=20)


def test_a_row_that_is_needed_earlier_does_not_wait_for_its_document() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        rows = [row(f"d{n}", 32) for n in range(100)]
        places = [Place(n) for n in range(100)]
        document = asyncio.create_task(batcher.submit(engine, rows, places))
        await asyncio.sleep(0)
        places[80].index = 0
        engine.gate.set()
        await asyncio.gather(first, document)
        assert any(rows[80] in batch for batch in engine.batches[1:5])

    with_batcher(check)


def test_parts_of_a_long_sentence_do_not_overtake_a_short_one() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        place = Place(0)
        parts = [row(f"p{n}", 64) for n in range(40)]
        long = asyncio.create_task(batcher.submit(engine, parts, [place] * 40))
        await asyncio.sleep(0)
        short = submit(batcher, engine, row("s"))
        await asyncio.sleep(0)
        engine.gate.set()
        await short
        assert len(engine.batches) < 6
        await asyncio.gather(first, long)

    with_batcher(check)


def test_measured_rows_wait_until_no_request_does() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        measured = asyncio.create_task(batcher.measure(engine, [row("m")]))
        await asyncio.sleep(0)
        requests = [submit(batcher, engine, row(f"r{n}", 64)) for n in range(5)]
        await asyncio.sleep(0)
        engine.gate.set()
        found = await measured
        assert [hypothesis.text for hypothesis in found.hypotheses] == ["m"]
        assert found.seconds > 0
        assert engine.batches[-1] == [row("m")]
        await asyncio.gather(first, *requests)

    with_batcher(check)


def test_measured_rows_have_their_turn_in_a_replica_that_is_always_busy() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        measured = asyncio.create_task(batcher.measure(engine, [row("m")]))
        await asyncio.sleep(0)
        document = submit(batcher, engine, *[row("r", 64)] * 100)
        await asyncio.sleep(0)
        engine.gate.set()
        await measured
        assert 15 < engine.batches.index([row("m")]) < 30
        await asyncio.gather(first, document)

    with_batcher(check)


def test_measured_rows_stay_in_the_budget_too() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        rows = [row(f"m{n}", 40) for n in range(3)]
        assert len((await batcher.measure(engine, rows)).hypotheses) == 3
        assert engine.batches == [[each] for each in rows]

    with_batcher(check)


def test_a_failure_of_measured_rows_reaches_only_their_caller() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        with pytest.raises(TranslationError, match="cannot"):
            await batcher.measure(engine, [row("bad")])
        assert texts(await batcher.submit(engine, [row("b")])) == ["b"]

    with_batcher(check)


def test_an_engine_that_hangs_does_not_keep_the_batcher() -> None:
    async def body() -> None:
        engine = Recorder()
        batcher = Batcher(max_batch_tokens=64, max_queued_tokens=100)
        first = await block_engine(batcher, engine)
        await batcher.close(timeout_seconds=0.01)
        with pytest.raises(TranslationError, match="loop"):
            await first
        engine.gate.set()

    asyncio.run(body())


def background(batcher: Batcher, engine: Recorder, *rows: list[str]) -> "asyncio.Task[Any]":
    places = [Place(index, is_background=True) for index in range(len(rows))]
    return asyncio.create_task(batcher.submit(engine, rows, places))


def test_rows_of_the_background_wait_until_no_request_does() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        document = background(batcher, engine, *[row(f"d{n}") for n in range(4)])
        await asyncio.sleep(0)
        requests = [submit(batcher, engine, row(f"r{n}", 64)) for n in range(5)]
        await asyncio.sleep(0)
        engine.gate.set()
        assert texts(await document) == ["d0", "d1", "d2", "d3"]
        assert all(request.done() for request in requests)
        await asyncio.gather(first, *requests)

    with_batcher(check)


def test_rows_of_the_background_have_their_turn_in_a_replica_that_is_always_busy() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        document = background(batcher, engine, row("d"))
        measured = asyncio.create_task(batcher.measure(engine, [row("m")]))
        await asyncio.sleep(0)
        requests = submit(batcher, engine, *[row("r", 64)] * 100)
        await asyncio.sleep(0)
        engine.gate.set()
        await document
        await measured
        assert 15 < engine.batches.index([row("d")]) < 30
        assert 35 < engine.batches.index([row("m")]) < 60
        await asyncio.gather(first, requests)

    with_batcher(check)


def test_batches_of_the_background_are_small_while_requests_come() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        await background(batcher, engine, *[row("d", 8)] * 8)
        assert [len(batch) for batch in engine.batches] == [8]
        await batcher.submit(engine, [row("r")])
        await background(batcher, engine, *[row("d", 8)] * 8)
        assert [len(batch) for batch in engine.batches[2:]] == [2, 2, 2, 2]

    with_batcher(check)


def test_a_request_that_needs_a_row_of_the_background_does_not_wait_behind_others() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        places = [Place(index, is_background=True) for index in range(3)]
        rows = [row(f"d{n}", 64) for n in range(3)]
        document = asyncio.create_task(batcher.submit(engine, rows, places))
        await asyncio.sleep(0)
        places[2].move_up(Place(0))
        engine.gate.set()
        await asyncio.gather(first, document)
        assert engine.batches[1] == [row("d2", 64)]

    with_batcher(check)


def test_the_background_does_not_take_the_queue_of_requests() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        document = background(batcher, engine, row("d", 20))
        await asyncio.sleep(0)
        assert batcher.queued_tokens == 0
        request = submit(batcher, engine, row("r", 20))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await background(batcher, engine, row("e"))
        engine.gate.set()
        await asyncio.gather(first, document, request)

    with_batcher(check, queued=20)


def test_a_batch_has_one_kind_of_search_and_fewer_rows_with_more_beams() -> None:
    async def check(batcher: Batcher, engine: Recorder) -> None:
        first = await block_engine(batcher, engine)
        wide = Search(beam_size=4)
        calls = [
            batcher.submit(engine, [row("w", 8)] * 4, None, wide),
            batcher.submit(engine, [row("g", 8)] * 4),
        ]
        tasks = [asyncio.create_task(call) for call in calls]
        await asyncio.sleep(0)
        engine.gate.set()
        await asyncio.gather(first, *tasks)
        assert sorted(engine.batches[1:]) == [[row("g", 8)] * 4] + [[row("w", 8)] * 2] * 2

    with_batcher(check)
