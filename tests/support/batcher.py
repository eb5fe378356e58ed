"""A batcher with an engine that records its batches and can be kept busy."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from nmt.decoding.hypothesis import Hypothesis
from nmt.serving.batching.batcher import Batcher


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
