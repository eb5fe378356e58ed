"""Tests of the worker: which names it takes again, and when."""

from random import Random

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra k8s")

from k8s.operator.loop.metrics import Metrics
from k8s.operator.loop.queue import WorkQueue
from k8s.operator.loop.worker import RESYNC_SECONDS, Worker


class Watched:
    """A worker with a clock, of names that all belong to deleted objects or all to live ones."""

    def __init__(self, answers: list[float | None], *, exists: bool) -> None:
        self.now = 0.0
        self.answers = answers
        self.queue = WorkQueue(lambda: self.now, Random(1))
        metrics = Metrics(lambda: 0.0, lambda: True, list[str])
        self.worker = Worker(
            self.queue, self.reconcile, metrics, lambda: self.now, lambda name: exists
        )
        self.queue.add("a")

    def reconcile(self, name: str) -> float | None:
        return self.answers.pop(0)

    def looks_after(self, seconds: float) -> bool:
        """Let time pass, and tell whether the name was due."""
        self.now += seconds
        return self.worker.work()


def test_a_deleted_campaign_is_looked_at_until_it_holds_nothing():
    watched = Watched([60.0, 0.0, None], exists=False)
    assert watched.looks_after(0)
    assert not watched.looks_after(59)
    assert watched.looks_after(1)
    assert watched.looks_after(0)
    assert not watched.looks_after(RESYNC_SECONDS)


def test_a_campaign_that_says_no_time_is_looked_at_at_the_next_resync():
    watched = Watched([None, None], exists=True)
    assert watched.looks_after(0)
    assert not watched.looks_after(RESYNC_SECONDS - 1)
    assert watched.looks_after(1)


def test_no_campaign_waits_longer_than_for_the_next_resync():
    watched = Watched([86400.0, None], exists=True)
    assert watched.looks_after(0)
    assert watched.looks_after(RESYNC_SECONDS)
