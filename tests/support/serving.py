"""Fake engines, and a storage root with a clock for the parts of a replica."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nmt.config import ServingConfig
from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.settings import DEFAULT_SEARCH, Search
from nmt.engines.card import EngineCard, Golden
from nmt.errors import StorageError
from nmt.runs import layout
from nmt.serving.engines.engine_set import EngineSet, EngineSource
from nmt.serving.follower import Follower
from nmt.serving.replica import Replica
from nmt.serving.types import ServedRoute, Translation
from nmt.storage import Storage

NAME = "default"
KEY = "eng_Latn-tam_Taml"
ROUTE = ServedRoute(KEY, "eng_Latn", "tam_Taml", None, "a", "tiny", "mit")
MIB = 2**20


class FakeEngine:
    """An engine that returns each row after its own digest, and fails on the row `bad`."""

    def __init__(self, digest: str, target: str = "tam_Taml", memory_bytes: int = MIB) -> None:
        self.digest = digest
        self.memory_bytes = memory_bytes
        self.is_closed = False
        self.batches: list[list[Any]] = []
        self.searches: list[Search] = []
        self.gate = threading.Event()
        self.gate.set()
        self.card = EngineCard(
            run="r",
            base="tiny",
            license="mit",
            source_language="eng_Latn",
            target_language=target,
            max_source_tokens=8,
            golden=Golden(source="a", target="b"),
        )

    def encode(self, sentence: str) -> list[list[str]]:
        return [[part] for part in sentence.split("|") if part]

    def translate(self, rows: Any) -> list[str]:
        return [found[0].text for found in self.search(rows)]

    def search(
        self, rows: Any, options: Search = DEFAULT_SEARCH, **_options: Any
    ) -> list[list[Hypothesis]]:
        self.batches.append(list(rows))
        self.searches.append(options)
        self.gate.wait(5)
        assert not self.is_closed
        if ["bad"] in rows:
            raise RuntimeError("cannot")
        return [self._hypotheses(row[0], options.count) for row in rows]

    def _hypotheses(self, word: str, count: int) -> list[Hypothesis]:
        """Return the row, and with more marks each, further hypotheses that are less probable."""
        return [
            Hypothesis(f"{self.digest}:{word}{'!' * n}", 1, -1.0 - n, word != "long", -1.0 - n)
            for n in range(count)
        ]

    def close(self) -> None:
        self.is_closed = True


@dataclass
class World:
    """A storage root, a clock, engines that load or fail, and a record of what was loaded."""

    storage: Storage
    now: float = 1_800_000_000.0
    broken: set[str] = field(default_factory=set)
    sizes: dict[str, int] = field(default_factory=dict)
    """Memory of engines that do not take one MiB."""
    targets: dict[str, str] = field(default_factory=dict)
    """Target languages that are not Tamil."""
    loads: list[str] = field(default_factory=list)
    engines: dict[str, FakeEngine] = field(default_factory=dict)
    """Those that were loaded last, by digest."""
    on_load: Callable[[str], None] = lambda _digest: None

    def load(self, digest: str) -> Any:
        self.loads.append(digest)
        self.on_load(digest)
        if digest in self.broken:
            raise StorageError(f"{digest} differs from its manifest")
        target = self.targets.get(digest, "tam_Taml")
        self.engines[digest] = FakeEngine(digest, target, self.sizes.get(digest, MIB))
        return self.engines[digest]

    def estimate(self, digest: str) -> int:
        return self.sizes.get(digest, MIB)

    def engine_set(self, max_mib: float = 100) -> EngineSet:
        return EngineSet(
            EngineSource(self.load, self.estimate),
            max_gib=max_mib / 1024,
            retry_seconds=2.0,
            clock=lambda: self.now,
        )

    def follower(
        self, replica_id: str = "replica1", poll_seconds: float = 2.0, **options: Any
    ) -> Follower:
        options = {"engines": self.engine_set()} | options
        return Follower(
            self.storage,
            NAME,
            replica_id,
            poll_seconds=poll_seconds,
            clock=lambda: self.now,
            **options,
        )

    def replica(self, replica_id: str = "replica1", **settings: Any) -> Replica:
        return Replica(
            self.storage,
            ServingConfig.model_validate({"poll_seconds": 0.01} | settings),
            replica_id,
            load=self.load,
            estimate=self.estimate,
            clock=lambda: self.now,
        )

    def report(self, replica_id: str = "replica1") -> dict[str, Any]:
        return self.storage.read_json(layout.replica_report(NAME, replica_id))

    def has_report(self, replica_id: str = "replica1") -> bool:
        return self.storage.exists(layout.replica_report(NAME, replica_id))


def poll(follower: Follower, count: int = 1) -> None:
    """Poll, and wait until the engines are loaded and reported."""

    async def body() -> None:
        for _ in range(count):
            await poll_once(follower)

    asyncio.run(asyncio.wait_for(body(), 60))


async def poll_once(follower: Follower) -> None:
    """Poll, and wait until the engines are loaded and reported."""
    await follower.poll()
    await follower.engines.wait_until_settled()
    await follower.write_report()


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait until something is true, at most some seconds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def translate(
    replica: Replica, sentences: Sequence[str], route: ServedRoute = ROUTE, client: str = "client"
) -> Translation:
    """Translate the sentences of one request."""
    with replica.session(route, client) as session:
        return await session.translate(sentences)
