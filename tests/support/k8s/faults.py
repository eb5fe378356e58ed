"""Calls of an operator that fail, and the world in which they do.

Each call to the API server or to the storage is a place where something can happen: the process
dies or sleeps, the answer is lost, somebody else was faster, another operator works, or the world
moves on.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from k8s.api.cluster import CAMPAIGN, RAY_JOB, JsonObject, Kind, Page
from k8s.api.errors import ConflictError
from k8s.objects.campaign.settings import RevisionSettings
from k8s.operator import observe
from k8s.operator.act import Actor
from k8s.operator.data import DataLooker
from k8s.operator.objects import ClusterObjects
from k8s.operator.observe import Observer
from k8s.operator.observed import ObservedData
from k8s.operator.reconcile import Reconciler
from nmt.errors import NmtError, StorageError, UnreachableError
from nmt.storage import Storage
from tests.support.k8s import campaign_world
from tests.support.k8s.campaign_world import NAME, RELEASE, World
from tests.support.k8s.field_owners import Owners
from tests.support.k8s.memory_storage import Content, Disk
from tests.support.k8s.object_store import clone, has_labels
from tests.support.k8s.remembered import pure_functions_remembered

FaultKind = Literal[
    "dies before", "dies after", "fails before", "fails after", "conflicts", "another operator",
    "the world moves", "jobs vanish", "reads are old", "sleeps",
]  # fmt: skip
SLEPT_EVENTS = 2
"""Number of events of a story through which a process sleeps."""
FINALIZER = "ray.io/rayjob-finalizer"


class Died(BaseException):
    """The end of the operator's process, which nothing in it can catch."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens in a story, apart from the operator."""

    name: str
    happen: Callable[["FaultyWorld"], object]
    any_time: bool = True
    """Whether it may also happen while the operator is at work, and not only when it rests."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, and at which call of the operator."""

    kind: FaultKind
    call: int


@dataclass(frozen=True, slots=True)
class State:
    """All that outlives a process: objects, files and the clock. Objects are never changed."""

    act: int
    objects: Mapping[tuple[str, str], JsonObject]
    owners: Mapping[str, Owners]
    uids: Mapping[tuple[str, str], int]
    files: Mapping[str, Content]
    served: tuple[str | None, ...]
    """Every engine that the route has served, in order."""


class FaultyWorld(World):
    """A world in which the calls of an operator are counted, and can fail."""

    def __init__(self, release: JsonObject, events: tuple[Event, ...], disk: Disk) -> None:
        self.disk = disk
        self.identity = "a"
        self.disk.call = self._storage_call
        self.events = events
        self.act = 0
        self.served: tuple[str | None, ...] = (None,)
        self.calls: list[tuple[str, str]] = []
        self._fault: Fault | None = None
        self._counting = False
        self._old: State | None = None
        self._uids: dict[tuple[str, str], int] = {}
        super().__init__(Path("/storage"), release)
        self.cluster.lazy = True
        self.cluster.store.new_uid = self._new_uid  # pyright: ignore[reportAttributeAccessIssue]
        self.cluster.on_create[RAY_JOB.name] = lambda cluster: self._finalize_jobs()
        self.set_time()

    def set_time(self) -> None:
        """Set the clock, which only moves with the acts of a story."""
        self.now = 1_790_000_000.0 + 700.0 * self.act
        self.disk.now = self.now
        stamp = campaign_world._stamp(self.now)  # pyright: ignore[reportPrivateUsage]
        self.cluster.store.time = stamp

    def apply(self, name: str = NAME, **spec: Any) -> None:
        found = self.cluster.objects.get((CAMPAIGN.name, name))
        if found is None:
            super().apply(name, **spec)
        else:
            self.cluster.store.replace(CAMPAIGN, {**clone(found), "spec": found["spec"] | spec})

    # --- one look of an operator

    def attempt(self, fault: Fault | None, old: State | None = None) -> str:
        """Let a new operator look at the campaign once; return how that ended.

        Args:
            fault: what happens to it.
            old: what it reads of objects, if its reads are old.

        Raises:
            Exception: a bug in the operator.
        """
        self.tidy()
        self.calls, self._fault, self._counting, self._old = [], fault, True, old
        try:
            self._operator("a").reconcile(NAME, self.now)
        except Died:
            return "died"
        except NmtError as error:
            return f"failed: {error}"
        finally:
            self._counting = False
        return "done"

    def tidy(self) -> None:
        """Let Kubernetes and KubeRay do their part: jobs end, and what nobody owns goes."""
        self.cluster.collect_garbage()
        for (kind, name), body in list(self.cluster.objects.items()):
            if kind == RAY_JOB.name and "deletionTimestamp" in body["metadata"]:
                self.cluster.finalize(RAY_JOB, name)
        self.cluster.collect_garbage()

    def move_on(self) -> None:
        """Let the next event of the story happen."""
        event = self.events[self.act]
        self.act += 1
        self.set_time()
        self._report_again()
        event.happen(self)

    def _report_again(self) -> None:
        """Let the replicas say that they are still there."""
        seen = datetime.fromtimestamp(self.now, UTC).isoformat()
        for path, (content, _) in list(self.disk.files.items()):
            if "/replicas/" in path:
                report = json.loads(content) | {"seen": seen}
                self.disk.files[path] = (json.dumps(report).encode(), self.now)

    # --- what outlives a process

    def keep(self) -> State:
        """Return the present state."""
        cluster = self.cluster
        return State(
            self.act, dict(cluster.objects), dict(cluster.owners), dict(self._uids),
            dict(self.disk.files), self.served,
        )  # fmt: skip

    def put_back(self, state: State) -> None:
        """Return to a state."""
        self.act = state.act
        self.set_time()
        self.cluster.store.objects = dict(state.objects)
        self.cluster.store.history.clear()
        self.cluster.owners = dict(state.owners)
        self._uids = dict(state.uids)
        self.disk.files = dict(state.files)
        self.served = state.served

    # --- calls

    def call(self, verb: str, place: str, do: Callable[[], Any]) -> Any:
        """Do a call of the operator, or what the fault says."""
        if not self._counting:
            return do()
        number = len(self.calls)
        self.calls.append((verb, place))
        fault = self._fault
        if fault is None or fault.call != number:
            return do()
        return self._hit(fault, verb, place, do)

    def _hit(self, fault: Fault, verb: str, place: str, do: Callable[[], Any]) -> Any:
        storage = place.startswith("/")
        lost = StorageError("the disk is gone") if storage else UnreachableError("no answer")
        match fault.kind:
            case "dies before":
                raise Died
            case "dies after":
                do()
                raise Died
            case "fails before":
                raise lost
            case "fails after":
                do()
                raise lost
            case "conflicts" if verb == "swap":
                return False
            case "conflicts" if verb == "write" and not storage:
                raise ConflictError("somebody was faster")
            case "another operator":
                with self._not_counting():
                    self._operator("b").reconcile(NAME, self.now)
            case "the world moves" if self.act < len(self.events):
                if self.events[self.act].any_time:
                    with self._not_counting():
                        self.move_on()
            case "sleeps":
                with self._not_counting():
                    self._go_on_without_it()
            case "jobs vanish":
                with self._not_counting():
                    for job in self.live_jobs():
                        self.cluster.store.remove(RAY_JOB.name, job["metadata"]["name"])
            case _:
                pass
        return do()

    def _go_on_without_it(self) -> None:
        """Let another operator work to the end, while the story goes on by some events."""
        for event in (*self.events[self.act : self.act + SLEPT_EVENTS], None):
            before = None
            while before != (self.cluster.objects, self.disk.files):
                before = dict(self.cluster.objects), dict(self.disk.files)
                self._operator("b").reconcile(NAME, self.now)
                self.tidy()
            if event is not None:
                self.move_on()

    @contextmanager
    def _not_counting(self) -> Iterator[None]:
        self._counting = False
        try:
            yield
        finally:
            self._counting = True

    def _storage_call(self, verb: str, place: str, do: Callable[[], Any]) -> Any:
        result = self.call(verb, place, do)
        if verb != "read" and place.endswith("traffic.json"):
            with self._not_counting() if self._counting else mock.MagicMock():
                serving = self.serving()
            if serving != self.served[-1]:
                self.served = (*self.served, serving)
        return result

    def _operator(self, identity: str) -> Reconciler:
        cluster: Any = FaultyCluster(self)
        observer = Observer(cluster, ClusterObjects(cluster), RELEASE, data=_Watcher())
        self.identity = identity
        return Reconciler(observer, Actor(cluster, observer.looked_at))

    def _new_uid(self, kind: str, name: str) -> str:
        # The same in all schedules, unless an object is made again.
        number = self._uids[kind, name] = self._uids.get((kind, name), 0) + 1
        return f"{kind}-{name}-{number}"

    def _finalize_jobs(self) -> None:
        for (kind, _), body in list(self.cluster.objects.items()):
            metadata = body["metadata"]
            is_live = not body.get("status") and "deletionTimestamp" not in metadata
            if kind == RAY_JOB.name and is_live and "finalizers" not in metadata:
                metadata = metadata | {"finalizers": [FINALIZER]}
                self.cluster.store.replace(RAY_JOB, body | {"metadata": dict(metadata)})


class _Watcher(DataLooker):
    """Has looked at the data before, although each look of a story is by another process."""

    def look(
        self, name: str, settings: RevisionSettings, storage: Storage, now: float
    ) -> ObservedData:
        super().look(name, settings, storage, now - 60)
        return super().look(name, settings, storage, now)


class FaultyCluster:
    """The cluster as the operator reaches it: each call is counted, and can fail."""

    def __init__(self, world: FaultyWorld) -> None:
        self._world = world
        self.namespace = world.cluster.namespace
        self.where = world.cluster.where

    def get(self, kind: Kind, name: str) -> JsonObject | None:
        def read() -> JsonObject | None:
            old = self._world._old  # pyright: ignore[reportPrivateUsage]
            counting = self._world._counting  # pyright: ignore[reportPrivateUsage]
            seen = old if old and counting else self._world.cluster
            # Not copied: the operator changes nothing that it has read.
            return seen.objects.get((kind.name, name))

        return self._world.call("read", f"{kind.plural}/{name}", read)

    def select(self, kind: Kind, selector: str = "", **options: Any) -> list[JsonObject]:
        def read() -> list[JsonObject]:
            found = self._world.cluster.objects.items()
            return [
                body
                for (name, _), body in found
                if name == kind.name and has_labels(body, selector)
            ]

        return self._world.call("read", kind.plural, read)

    def page(self, kind: Kind, selector: str = "", **options: Any) -> Page:
        return self._world.call(
            "read", kind.plural, lambda: self._world.cluster.page(kind, selector, **options)
        )

    def create(self, body: JsonObject, *, dry_run: bool = False) -> JsonObject | None:
        return self._world.call(
            "write", f"create {body['metadata']['name']}", lambda: self._world.cluster.create(body)
        )

    def apply_status(
        self, body: JsonObject, manager: str, *, force: bool = False
    ) -> JsonObject | None:
        def write() -> JsonObject | None:
            # The operator alone writes it, so what it leaves out is gone.
            store = self._world.cluster.store
            before = store.objects.get((CAMPAIGN.name, body["metadata"]["name"]))
            return store.replace(CAMPAIGN, before | {
                "metadata": dict(before["metadata"]), "status": body["status"]
            }) if before else None  # fmt: skip

        return self._world.call("write", "status", write)

    def delete(self, kind: Kind, name: str, *, uid: str = "") -> bool:
        return self._world.call(
            "write", f"delete {name}", lambda: self._world.cluster.delete(kind, name, uid=uid)
        )


@contextmanager
def faulty_world(release: JsonObject, events: tuple[Event, ...]) -> Iterator[FaultyWorld]:
    """Provide a world whose storage is in memory and whose ids are the same each time."""
    world: FaultyWorld | None = None
    disk = Disk()

    def token(size: int) -> str:
        # Two operators that begin at the same moment must not have the same one.
        assert world
        number = len([each for each in disk.files if "/rollouts/" in each])
        return f"{world.identity}{number}"

    with (
        pure_functions_remembered(),
        mock.patch.object(observe, "Storage", disk.open),
        mock.patch.object(campaign_world, "Storage", disk.open),
        mock.patch.object(secrets, "token_hex", token),
    ):
        world = FaultyWorld(release, events, disk)
        yield world
