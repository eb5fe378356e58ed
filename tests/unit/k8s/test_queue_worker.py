"""Tests of the worker: which names it takes again, and when."""

from random import Random

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra k8s")

from k8s.api.cluster import CAMPAIGN
from k8s.operator.loop.metrics import Metrics
from k8s.operator.loop.queue import WorkQueue
from k8s.operator.loop.worker import RESYNC_SECONDS, Reconcile, Worker
from nmt.errors import StorageError
from nmt.traffic import read_traffic
from tests.support.k8s.campaign_world import NAME, ROUTE, World


class Watched:
    """A worker with a clock, of names that all belong to deleted objects or all to live ones."""

    def __init__(self, reconcile: Reconcile, *, exists: bool) -> None:
        self.now = 0.0
        self.queue = WorkQueue(lambda: self.now, Random(1))
        metrics = Metrics(lambda: 0.0, lambda: True, list[str])
        self.worker = Worker(self.queue, reconcile, metrics, lambda: self.now, lambda name: exists)
        self.queue.add(NAME)

    def looks_after(self, seconds: float) -> bool:
        """Let time pass, and tell whether the name was due."""
        self.now += seconds
        return self.worker.work()


def answering(*answers: float | None) -> Reconcile:
    """Return what says these times, one at each look."""
    left = list(answers)
    return lambda name: left.pop(0)


def test_a_deleted_campaign_is_looked_at_until_it_holds_nothing():
    watched = Watched(answering(60.0, 0.0, None), exists=False)
    assert watched.looks_after(0)
    assert not watched.looks_after(59)
    assert watched.looks_after(1)
    assert watched.looks_after(0)
    assert not watched.looks_after(RESYNC_SECONDS)


def test_a_campaign_that_says_no_time_is_looked_at_at_the_next_resync():
    watched = Watched(answering(None, None), exists=True)
    assert watched.looks_after(0)
    assert not watched.looks_after(RESYNC_SECONDS - 1)
    assert watched.looks_after(1)


def test_no_campaign_waits_longer_than_for_the_next_resync():
    watched = Watched(answering(86400.0, None), exists=True)
    assert watched.looks_after(0)
    assert watched.looks_after(RESYNC_SECONDS)


def test_a_canary_ends_though_the_storage_fails_when_its_campaign_is_deleted(world, monkeypatch):
    world.begin_canary()
    world.cluster.delete(CAMPAIGN, NAME)
    observer, failures = type(world.reconciler.observer), [StorageError("the disk is away")]
    observe = observer.observe

    def fail_once(self, name: str, now: float):
        if failures:
            raise failures.pop()
        return observe(self, name, now)

    monkeypatch.setattr(observer, "observe", fail_once)
    watched = Watched(world.reconcile, exists=False)
    assert watched.looks_after(0)
    assert has_canary(world)
    watched.looks_after(RESYNC_SECONDS)
    assert not has_canary(world)


def has_canary(world: World) -> bool:
    """Tell whether a canary takes part of the clients of the route."""
    traffic = read_traffic(world.storage, "default")
    return bool(traffic and traffic.route(ROUTE).canary)
