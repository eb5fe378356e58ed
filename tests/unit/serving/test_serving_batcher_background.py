"""The batcher: rows that wait until no request does, measured ones and those of the background."""

import asyncio
from typing import Any

import pytest

from nmt.errors import TranslationError
from nmt.serving.batching.batcher import Batcher
from nmt.serving.batching.rows import Place
from nmt.serving.errors import OverloadedError
from tests.support.batcher import Recorder, block_engine, row, submit, texts, with_batcher


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
