"""The engines that a replica holds, and the routes that they answer."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from nmt.engines.engine import SearchEngine
from nmt.engines.memory import return_free_memory
from nmt.errors import TranslationError
from nmt.serving.engines.failures import Failures
from nmt.serving.engines.plan import Holdings, Plan, make_plan
from nmt.serving.engines.routes import ActiveRoute, HeldEngine, activate, translates
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.worker import Worker
from nmt.traffic import Traffic

log = logging.getLogger(__name__)

_GIB = 2**30

_Step = Callable[[], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class EngineSource:
    """Where engines come from; both functions are called in a thread and may raise anything."""

    load: Callable[[str], SearchEngine]
    """Loads and checks the engine of a digest."""
    estimate: Callable[[str], int]
    """Estimates the memory that this engine will take."""


class EngineSet:
    """The engines that the traffic file asks for, as far as they are intact and fit into memory.

    Whole engines are loaded and unloaded, one at a time, beside those that answer.
    """

    def __init__(
        self,
        source: EngineSource,
        *,
        max_gib: float,
        retry_seconds: float,
        clock: Callable[[], float] = time.time,
        metrics: ServingMetrics | None = None,
        on_change: Callable[[], None] = lambda: None,
        on_unload: Callable[[str], None] = lambda _digest: None,
    ) -> None:
        """Set up an empty set.

        Args:
            source: loads engines.
            max_gib: memory that the engines may take together.
            retry_seconds: half the time until a broken engine is tried again; doubles each time.
            clock: returns the seconds since 1970.
            metrics: receive the time of each load and swap.
            on_change: called after the routes or the loaded engines have changed.
            on_unload: called with the digest of an engine that is gone.
        """
        self._source = source
        self._max_gib = max_gib
        self._clock = clock
        self._metrics = metrics
        self._on_change = on_change
        self._on_unload = on_unload
        self._worker = Worker("loader")
        self._traffic: Traffic | None = None
        self._changed_at = 0.0
        self._held: dict[str, HeldEngine] = {}
        self._routes: dict[str, ActiveRoute] = {}
        self._bytes_of: dict[str, int] = {}
        self._failures = Failures(retry_seconds, clock)
        self._task: asyncio.Task[None] | None = None
        self._stepped = asyncio.Event()

    @property
    def traffic(self) -> Traffic | None:
        """Return the traffic file that is followed."""
        return self._traffic

    @property
    def routes(self) -> Mapping[str, ActiveRoute]:
        """Return the routes that are answered, by key."""
        return MappingProxyType(self._routes)

    @property
    def held(self) -> Mapping[str, HeldEngine]:
        """Return the loaded engines, by digest."""
        return MappingProxyType(self._held)

    def follow(self, traffic: Traffic) -> None:
        """Answer the routes of a traffic file, and load and unload in the background."""
        if traffic != self._traffic:
            self._changed_at = time.monotonic()
            self._traffic = traffic
            # An engine that was taken back and is wanted again is tried at once.
            named = set(traffic.engines).union(*(r.previous for r in traffic.routes.values()))
            self._failures.keep_only(named)
            self._bytes_of = {d: b for d, b in self._bytes_of.items() if d in named | {*self._held}}
            self._refresh()
        self._settle()

    def retry(self) -> None:
        """Try broken engines again whose time has come."""
        self._settle()

    def error_of(self, key: str, digest: str) -> str | None:
        """Explain why an engine does not answer a route; None if it does, or may soon do so."""
        if held := self._held.get(digest):
            if translates(held, key):
                return None
            card = held.engine.card
            pair = f"{card.source_language} to {card.target_language}"
            return f"{digest}: the engine translates {pair}, which is not {key}: remove the route"
        if error := self._failures.error_of(digest):
            return f"{digest}: {error}"
        needed = self._plan().unfit.get(digest)
        return self._explain_unfit(digest, needed) if needed else None

    async def wait_for_stable(self) -> None:
        """Wait until each route is answered by its stable engine, or that engine has failed."""
        while self._task and not self._task.done() and self._lacks_stable():
            self._stepped.clear()
            await self._stepped.wait()

    async def wait_until_settled(self) -> None:
        """Wait until nothing more can be loaded or unloaded."""
        while self._task and not self._task.done():
            await asyncio.wait([self._task])

    def check(self) -> None:
        """Check that engines are still loaded.

        Raises:
            TranslationError: the task that loads them has died.
        """
        task = self._task
        if task and task.done() and (task.cancelled() or task.exception()):
            raise TranslationError("engines are no longer loaded")

    def close(self) -> None:
        """Load nothing more."""
        self._on_change, self._traffic = lambda: None, None
        if self._task:
            self._task.cancel()
        self._worker.close()

    def _settle(self) -> None:
        """Load and unload until nothing is left to do, unless that is being done already."""
        if self._traffic and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run_steps())

    async def _run_steps(self) -> None:
        try:
            while step := self._next_step():
                await step()
                self._refresh()
                self._stepped.set()
        finally:
            self._stepped.set()

    def _next_step(self) -> _Step | None:
        """Choose what to do next, by the traffic file as it is now."""
        if self._traffic is None:
            return None
        plan = self._plan()
        for digest, held in self._held.items():
            held.is_wanted = digest in plan.keep
            # One in use is unloaded later: `on_idle` comes back here.
            if not held.is_wanted and not held.users:
                return partial(self._unload, digest)
        loaded = sum(held.memory_bytes for held in self._held.values())
        for digest in plan.keep:
            if digest in self._held or not self._failures.may_try(digest):
                continue
            if digest not in self._bytes_of:
                return partial(self._estimate, digest)
            if loaded + self._bytes_of[digest] <= self._max_gib * _GIB:
                return partial(self._load, digest)
            # Memory that is to be freed is still in use: a request ends soon, but a document has to
            # give way.
            for held in self._held.values():
                held.is_in_the_way = not held.is_wanted
        return None

    def _plan(self) -> Plan:
        if self._traffic is None:
            return Plan((), {})
        holdings = Holdings(
            answering={key: active.stable.digest for key, active in self._routes.items()},
            last_used={digest: held.last_used for digest, held in self._held.items()},
            failed=self._failures.digests,
            # An engine that is broken until its next try takes no memory away from another one.
            bytes_of={
                digest: size
                for digest, size in self._bytes_of.items()
                if digest in self._held or self._failures.may_try(digest)
            },
        )
        return make_plan(self._traffic, holdings, int(self._max_gib * _GIB))

    def _lacks_stable(self) -> bool:
        """Tell whether a stable engine may still be loaded."""
        if self._traffic is None:
            return False
        unfit = self._plan().unfit
        return any(
            key not in self._routes
            and any(
                digest not in unfit and self._failures.may_try(digest)
                for digest in (route.stable, *route.previous)
            )
            for key, route in self._traffic.routes.items()
        )

    def _explain_unfit(self, digest: str, needed: int) -> str:
        size = self._bytes_of.get(digest, 0) / _GIB
        # Rounded up, so that the setting is enough.
        enough = -(-needed * 10 // _GIB) / 10
        return (
            f"{digest}: the engine takes {size:.2f} GiB and does not fit beside the other engines "
            f"into serving.max_engine_gib={self._max_gib:g}: set it to {enough:g} or more, or "
            "serve fewer routes"
        )

    async def _estimate(self, digest: str) -> None:
        try:
            self._bytes_of[digest] = await self._worker.run(self._source.estimate, digest)
        except Exception as error:
            self._fail(digest, error)

    async def _load(self, digest: str) -> None:
        start = time.monotonic()
        try:
            engine = await self._worker.run(self._source.load, digest)
        # Libraries may raise anything for a damaged file.
        except Exception as error:
            self._fail(digest, error)
            seconds, ok = time.monotonic() - start, False
        else:
            seconds, ok = time.monotonic() - start, True
            size = self._bytes_of[digest] = engine.memory_bytes
            self._failures.forget(digest)
            held = HeldEngine(engine, size, seconds, self._clock(), self._settle)
            self._held[digest] = held
            log.info("engine %s is loaded", digest)
            # The estimate may have been too low. It must not answer then: the engine that answers
            # a route is never unloaded for another one.
            if digest not in self._plan().keep:
                await self._unload(digest)
        if self._metrics:
            self._metrics.observe_load(digest, seconds, ok)

    def _fail(self, digest: str, error: Exception) -> None:
        log.warning("engine %s cannot be served: %s", digest, error)
        self._failures.add(digest, str(error))

    async def _unload(self, digest: str) -> None:
        held = self._held.pop(digest)
        # A canary that makes room must not get another request while it is closed.
        self._refresh()
        self._on_unload(digest)
        try:
            await self._worker.run(_free, held.engine)
        except Exception as error:
            log.warning("engine %s was not closed: %s", digest, error)
        else:
            log.info("engine %s is unloaded", digest)

    def _refresh(self) -> None:
        """Let each route be answered by the engines that are loaded."""
        if self._traffic is None:
            return
        routes: dict[str, ActiveRoute] = {}
        for key, route in self._traffic.routes.items():
            old = self._routes.get(key)
            if active := activate(key, route, self._held, old, self._clock()):
                routes[key] = active
        self._observe_swaps(routes)
        self._routes = routes
        self._on_change()

    def _observe_swaps(self, routes: Mapping[str, ActiveRoute]) -> None:
        if self._metrics is None:
            return
        for key, active in routes.items():
            old = self._routes.get(key)
            is_new = old is None or old.stable is not active.stable
            if is_new and active.stable.digest == active.route.stable:
                self._metrics.observe_swap(time.monotonic() - self._changed_at)


def _free(engine: SearchEngine) -> None:
    engine.close()
    # An engine in torch is part of reference cycles.
    gc.collect()
    return_free_memory()
