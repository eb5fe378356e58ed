"""The batcher: which rows share a batch, the queue, and failures."""

import asyncio

import pytest

from nmt.decoding.settings import Search
from nmt.errors import TranslationError
from nmt.serving.batching.batcher import Batcher
from nmt.serving.batching.rows import Place
from nmt.serving.errors import OverloadedError
from tests.support.batcher import Recorder, block_engine, row, submit, texts, with_batcher


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
