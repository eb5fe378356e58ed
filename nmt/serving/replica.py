"""A replica: engines that follow the traffic file, and the translation of requests with them."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from nmt.config import ServingConfig
from nmt.engines.engine import SearchEngine, load_engine
from nmt.engines.memory import estimate_memory
from nmt.errors import TranslationError, shortened
from nmt.runs import layout
from nmt.serving.batching.batcher import Batcher
from nmt.serving.batching.cache import TranslationCache
from nmt.serving.engines.engine_set import EngineSet, EngineSource
from nmt.serving.engines.routes import ActiveRoute, HeldEngine, translates
from nmt.serving.errors import NoEngineError, StoppingError, UnknownEngineError
from nmt.serving.follower import Follower
from nmt.serving.monitoring.metrics import EngineInfo, Role, ServingMetrics
from nmt.serving.session import EngineSession, Sampled, Shared
from nmt.serving.shadow import Pairs
from nmt.serving.types import Served, ServedRoute
from nmt.storage import Storage
from nmt.traffic import Traffic, choose_arm, open_engine
from nmt.traffic.engines import explain_damage

log = logging.getLogger(__name__)

_MIB = 2**20
_POLL_WORK_SECONDS = 0.02
_MAX_PAIR_SECONDS = 5.0
"""Time that a replica which stops gives the pairs of a rollout."""
_MAX_REPORT_SECONDS = 2.0
"""Time for the last reports, which storage that does not answer must not prolong."""
_MAX_CLOSE_SECONDS = 2.0
"""Time that it gives a batch which no request waits for any more."""


class Replica:
    """A translator that answers the routes of the traffic file, each with one of its engines."""

    def __init__(
        self,
        storage: Storage,
        serving: ServingConfig,
        replica_id: str,
        *,
        metrics: ServingMetrics | None = None,
        load: Callable[[str], SearchEngine] | None = None,
        estimate: Callable[[str], int] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up the replica in a running event loop; `start` reads the traffic file.

        Args:
            storage: the storage root.
            serving: batching, memory, polling and the name of the endpoint.
            replica_id: the name of the replica's report.
            metrics: receive what the replica does.
            load: loads the engine of a digest; by default from the storage root.
            estimate: estimates its memory in bytes; by default from the sizes of its files.
            clock: returns the seconds since 1970.
        """
        self._storage = storage
        self._serving = serving
        self._metrics = metrics
        self._served = Served()
        self._is_stopped = False
        self._following: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._batcher = Batcher(
            max_batch_tokens=serving.max_batch_tokens,
            max_queued_tokens=serving.max_queued_tokens,
            metrics=metrics,
        )
        self._cache = TranslationCache(serving.cache_mib * _MIB, metrics)
        self._pairs = Pairs(self._batcher, clock)
        self._shared = Shared(self._batcher, self._cache, self._pairs, metrics)
        self._engines = EngineSet(
            EngineSource(load or self._load, estimate or self._estimate),
            max_gib=serving.max_engine_gib,
            retry_seconds=serving.poll_seconds,
            clock=clock,
            metrics=metrics,
            on_change=self._update,
            on_unload=self._cache.forget,
        )
        self._follower = Follower(
            storage,
            serving.name,
            replica_id,
            engines=self._engines,
            poll_seconds=serving.poll_seconds,
            counts=self._pairs.counts,
            clock=clock,
            metrics=metrics,
        )

    async def start(self) -> None:
        """Follow the traffic file, and wait until its stable engines are loaded or have failed."""
        await self._follower.poll()
        self._following = asyncio.create_task(self._follower.run())
        # A replica that joined earlier would refuse requests that the others can answer.
        await self._engines.wait_for_stable()
        await self._follower.write_report()

    def served(self) -> Served:
        """Return what is served at the moment."""
        return self._served

    def session(
        self,
        route: ServedRoute,
        client: str,
        *,
        engine: str | None = None,
        is_background: bool = False,
        glossary: Mapping[str, str] | None = None,
    ) -> EngineSession:
        """Choose the engine of a request, which stays loaded, whatever is promoted meanwhile.

        Args:
            route: one of those that `served` returned.
            client: who asks; the same client always gets the same engine of a canary step.
            engine: `stable`, `canary`, or the digest of one of them or of an earlier engine that is
                still loaded; None for the engine that the client gets.
            is_background: whether the sentences of others go first.
            glossary: terms that the client wants, for the comparison of a canary or shadow.

        Raises:
            StoppingError: the replica has stopped.
            NoEngineError: the route is not answered at the moment.
            UnknownEngineError: the route has no such engine.
        """
        if self._is_stopped:
            raise StoppingError("this replica has stopped")
        active = self._engines.routes.get(route.key)
        if active is None:
            raise NoEngineError(f"no engine for {route.key} is loaded at the moment")
        sampled: Sampled | None = None
        if engine:
            held = self._engine_by_name(active, engine)
        else:
            arm = choose_arm(active.route, client)
            held = active.engine_of(arm)
            answering = "stable" if held is active.stable else arm
            sampled = Sampled(active, answering, client, glossary)
        return EngineSession(self._shared, held, sampled, is_background=is_background)

    def count_correction(self, engine: str, client: str) -> None:
        """Count for a running rollout that a client has corrected a translation.

        Only one of the engine that the client gets says something: the text may be older, and
        clients can write any engine into their feedback.

        Args:
            engine: digest of the engine that has translated, as the client says.
            client: who has sent the correction, as in `session`.
        """
        for active in self._engines.routes.values():
            arm = choose_arm(active.route, client)
            held = active.engine_of(arm)
            if held.digest == engine:
                self._pairs.count_correction(
                    active, "stable" if held is active.stable else arm, client
                )

    def check(self) -> None:
        """Check that the replica still works.

        Raises:
            TranslationError: it no longer follows the traffic file, loads engines or translates.
        """
        if self._following is None or self._following.done():
            raise TranslationError("the traffic file is no longer followed")
        self._engines.check()
        self._batcher.check()

    async def leave(self) -> int:
        """Say from now on that the replica stops; return the number of sessions in work."""
        if not self._served.is_stopping:
            self._served = Served(self._served.routes, self._served.default, is_stopping=True)
            # The replica may be killed before it has ended properly.
            with suppress(TimeoutError):
                async with asyncio.timeout(_MAX_REPORT_SECONDS):
                    await self._follower.write_now()
        return self._shared.sessions

    async def stop(self) -> None:
        """Finish the accepted requests and the pairs, and report their counts."""
        # Called twice: by a drain, and by Serve as it ends a replica.
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        await self.leave()
        self._is_stopped = True
        if self._following:
            self._following.cancel()
        end = time.monotonic() + self._serving.request_timeout_seconds
        while self._shared.sessions and time.monotonic() < end:
            await asyncio.sleep(_POLL_WORK_SECONDS)
        await self._pairs.finish(_MAX_PAIR_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(_MAX_REPORT_SECONDS):
                await self._follower.stop()
        self._engines.close()
        # An engine that hangs must not keep the replica.
        await self._batcher.close(timeout_seconds=_MAX_CLOSE_SECONDS)

    def _engine_by_name(self, active: ActiveRoute, name: str) -> HeldEngine:
        """Find a loaded engine of a route, but never a shadow, which answers nobody.

        Raises:
            UnknownEngineError: there is none of this name; the message lists those that there are.
        """
        found = {"stable": active.stable, active.stable.digest: active.stable}
        if active.canary:
            found |= {"canary": active.canary, active.canary.digest: active.canary}
        for digest in active.route.previous:
            earlier = self._engines.held.get(digest)
            # One in the way is about to be unloaded, and must get no more work.
            if earlier and not earlier.is_in_the_way and translates(earlier, active.served.key):
                found[digest] = earlier
        if name not in found:
            raise UnknownEngineError(
                f"{active.served.key} has no engine {shortened(name)!r} at the moment: use one of "
                f"{', '.join(found)}"
            )
        return found[name]

    def _load(self, digest: str) -> SearchEngine:
        with open_engine(self._storage, digest, self._serving.public_key) as folder:
            return load_engine(folder, self._serving, digest)

    def _estimate(self, digest: str) -> int:
        with explain_damage(self._storage, digest):
            # Loading verifies the files.
            folder = self._storage.fetch(layout.engine(digest), verify=False)
        return estimate_memory(folder)

    def _update(self) -> None:
        """Offer the routes that are answered now."""
        traffic, active = self._engines.traffic, self._engines.routes
        if traffic is None:
            return
        routes = {key: active[key].served for key in traffic.routes if key in active}
        # Without its default route, a replica must not translate into another language instead.
        default = routes.get(traffic.default)
        self._served = Served(tuple(routes.values()), default, self._served.is_stopping)
        self._pairs.keep_only(traffic.rollouts)
        if self._metrics:
            current = {
                key: key in active and active[key].stable.digest == route.stable
                for key, route in traffic.routes.items()
            }
            self._metrics.set_routes(current)
            self._metrics.set_engines(self._infos())
            self._metrics.set_failing(len(self._failing(traffic)))

    def _failing(self, traffic: Traffic) -> set[str]:
        """Return the engines that the traffic file names and that cannot answer their routes."""
        return {
            digest
            for key, route in traffic.routes.items()
            for digest in (route.stable, route.canary, route.shadow)
            if digest and self._engines.error_of(key, digest)
        }

    def _infos(self) -> list[EngineInfo]:
        """Say what each loaded engine is loaded for."""
        infos: list[EngineInfo] = []
        used: set[str] = set()
        for key, active in self._engines.routes.items():
            roles: tuple[tuple[Role, HeldEngine | None], ...]
            roles = (
                ("stable", active.stable),
                ("canary", active.canary),
                ("shadow", active.shadow),
            )
            for role, held in roles:
                if held:
                    infos.append(_info(held, key, role))
                    used.add(held.digest)
        held_engines = self._engines.held.items()
        unused = [held for digest, held in held_engines if digest not in used]
        return infos + [_info(held, "", "unused") for held in unused]


def _info(held: HeldEngine, route: str, role: Role) -> EngineInfo:
    card = held.engine.card
    languages = card.source_language, card.target_language
    return EngineInfo(held.digest, route, *languages, role, held.memory_bytes)
