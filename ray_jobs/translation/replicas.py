"""Replicas of an engine on Ray, which translate the shards that they are given."""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from nmt.config import ScalingConfig
from nmt.errors import DataError, TranslationError
from ray_jobs.runtime.connection import cause_of
from ray_jobs.runtime.logs import setup_logging
from ray_jobs.translation.shards import Shard
from ray_jobs.translation.translator import ShardResult, Translator, TranslatorSetup

log = logging.getLogger(__name__)

# The next shard waits at the replica while this process stores the one before.
_SHARDS_PER_REPLICA = 2


class _Engine:
    """The process of a replica."""

    def __init__(self, setup: TranslatorSetup) -> None:
        setup_logging()
        self._setup = setup
        self._translator: Translator | None = None

    def load(self) -> None:
        """Load the engine."""
        # Not in `__init__`, whose errors Ray reports without their cause.
        self._translator = Translator(self._setup)

    def translate(self, texts: list[str]) -> ShardResult:
        """Translate the texts of a shard."""
        assert self._translator is not None  # noqa: S101 - it is loaded before the first shard
        return self._translator.translate(texts)


@dataclass(eq=False)
class _Replica:
    """A replica as this process sees it."""

    actor: Any  # of `_Engine`; Ray's own type of it knows no methods
    is_ready: bool = False
    tasks: dict[ray.ObjectRef, Shard | None] = field(default_factory=dict)
    """The shard of each task, in order; None for the loading of the engine."""


class Replicas:
    """A number of replicas, each of which is replaced when it dies."""

    def __init__(
        self, setup: TranslatorSetup, scaling: ScalingConfig, on_ready: Callable[[], None]
    ) -> None:
        """Describe the replicas, which `translate` starts.

        Args:
            setup: what each of them loads.
            scaling: how many there are, and what each of them reserves.
            on_ready: called when the first of them has loaded its engine.
        """
        self._on_ready = on_ready
        self._setup, self._scaling = setup, scaling
        self._replicas: list[_Replica] = []
        self._again: deque[Shard] = deque()
        self._deaths: Counter[str] = Counter()
        self._input_error: DataError | None = None
        self._is_read = False

    def translate(self, shards: Iterable[Shard]) -> Iterator[tuple[Shard, ShardResult]]:
        """Translate shards, and yield each when it is finished, in any order.

        Raises:
            DataError: the input cannot be read further; the shards before are yielded first.
            NmtError: the one of a replica, such as that the engine is damaged.
            TranslationError: replicas keep dying.
        """
        remaining = iter(shards)
        for _ in range(self._scaling.workers):
            self._start()
        try:
            while self._hand_out(remaining):
                tasks = {task: replica for replica in self._replicas for task in replica.tasks}
                (task,), _ = ray.wait(list(tasks), num_returns=1)
                finished = self._collect(tasks[task], task)
                if finished:
                    yield finished
        finally:
            # On a cluster that others use, their GPUs would stay reserved until this process ends.
            for replica in self._replicas:
                ray.kill(replica.actor)
        if self._input_error:
            raise self._input_error

    def _start(self) -> None:
        scaling = self._scaling
        actor: Any = (
            ray.remote(_Engine)
            .options(num_cpus=scaling.cpus_per_worker, num_gpus=scaling.gpus_per_worker)
            .remote(self._setup)
        )
        # No restarts by Ray: it would wait for the same resources, while other replicas are free.
        self._replicas.append(_Replica(actor, tasks={actor.load.remote(): None}))

    def _hand_out(self, remaining: Iterator[Shard]) -> bool:
        """Give shards to replicas that can take one; return False when all are translated."""
        # One for each before the second one for any, so that a few shards are spread evenly.
        for load in range(_SHARDS_PER_REPLICA):
            for replica in self._replicas:
                if replica.is_ready and len(replica.tasks) <= load:
                    shard = self._next(remaining)
                    if shard is not None:
                        task = replica.actor.translate.remote(shard.rows.texts)
                        replica.tasks[task] = shard
        open_shards = (shard for each in self._replicas for shard in each.tasks.values())
        return not self._is_read or bool(self._again) or any(open_shards)

    def _next(self, remaining: Iterator[Shard]) -> Shard | None:
        if self._again:
            return self._again.popleft()
        if self._is_read:
            return None
        try:
            shard = next(remaining, None)
        except DataError as error:
            # What replicas are translating is finished first, so that it need not be done again.
            self._input_error, shard = error, None
        self._is_read = shard is None
        return shard

    def _collect(self, replica: _Replica, task: ray.ObjectRef) -> tuple[Shard, ShardResult] | None:
        """Take the result of a task; replace the replica if it has died."""
        try:
            result: ShardResult = ray.get(task)
        except RayActorError:
            self._replace(replica)
            return None
        except RayTaskError as error:
            raise cause_of(error) from None
        shard = replica.tasks.pop(task)
        if shard is not None:
            return shard, result
        if not any(each.is_ready for each in self._replicas):
            self._on_ready()
        replica.is_ready = True
        return None

    def _replace(self, dead: _Replica) -> None:
        """Start another replica, and give the shards of a dead one to the next that is free.

        Raises:
            TranslationError: too many have died at the same shard, or while they loaded.
        """
        self._replicas.remove(dead)
        shards = [shard for shard in dead.tasks.values() if shard is not None]
        # The first one was being translated; the others were waiting.
        what = f"translating shard {shards[0].key}" if shards else "loading the engine"
        if not dead.is_ready or shards:
            self._deaths[what] += 1
        if self._deaths[what] > self._scaling.max_failures:
            raise TranslationError(
                f"replicas died while {what}, {self._deaths[what]} in all: does one need more "
                "memory? See the log above"
            )
        log.warning("a replica died while %s: it is replaced", what)
        self._again.extendleft(reversed(shards))
        self._start()
