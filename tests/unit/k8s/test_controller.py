"""Tests of one replica of the operator: its threads, its Lease and its end."""

import _thread
import signal
import threading
import time
from collections.abc import Callable
from random import Random

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra k8s")

from k8s.api.cluster import CAMPAIGN, LEASE, JsonObject
from k8s.operator.loop import controller as module
from k8s.operator.loop.controller import Controller, LostLeaseError
from k8s.operator.loop.lease import Clocks
from nmt.cli.signals import restored_handlers
from nmt.errors import StorageError
from tests.support.alerts import families_of, metrics_of_alerts
from tests.support.k8s.fake_cluster import FakeCluster


class PatientCluster(FakeCluster):
    """A cluster whose watches take a moment, so that a thread does not spin."""

    def watch(self, *words, **options):
        time.sleep(0.002)
        yield from list(super().watch(*words, **options))


def campaign(name: str) -> JsonObject:
    return {
        "apiVersion": CAMPAIGN.api_version,
        "kind": CAMPAIGN.name,
        "metadata": {"name": name},
        "spec": {},
    }


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(module, "_SHORT_WATCH_SECONDS", 0.0)


@pytest.fixture
def cluster() -> FakeCluster:
    return PatientCluster()


@pytest.fixture
def start(cluster) -> Callable[..., Controller]:
    def make(reconcile, identity: str = "a", **options) -> Controller:
        clocks = Clocks(time.monotonic, time.time)
        return Controller(
            cluster, reconcile, "nmt-operator", identity, clocks, Random(1), **options
        )

    return make


def steal(cluster: FakeCluster) -> None:
    """Let another replica have the Lease, as after a pause of this one."""
    while True:
        lease = cluster.get(LEASE, "nmt-operator")
        assert lease
        lease["spec"]["holderIdentity"] = "other"
        try:
            cluster.update(lease)
        except Exception:
            continue
        return


def run_until_stolen(controller: Controller) -> None:
    with pytest.raises(LostLeaseError, match="another replica works now"):
        controller.run()


def test_each_campaign_is_looked_at_also_one_that_comes_later(cluster, start):
    cluster.apply(campaign("first"), "m")
    seen: list[str] = []

    def reconcile(name: str) -> None:
        seen.append(name)
        if name == "first" and seen.count("first") == 1:
            cluster.apply(campaign("second"), "m")
        if name == "second":
            steal(cluster)

    run_until_stolen(start(reconcile))
    assert seen[:2] == ["first", "second"]


def test_a_campaign_that_was_deleted_while_no_operator_worked_is_looked_at(
    cluster, start, monkeypatch
):
    monkeypatch.setattr(module, "_LONGEST_PAUSE_SECONDS", 0.01)
    answers = [StorageError("the disk is away"), ["gone"]]
    seen: list[str] = []

    def held() -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reconcile(name: str) -> None:
        seen.append(name)
        steal(cluster)

    run_until_stolen(start(reconcile, held=held))
    assert seen == ["gone"]


def test_a_failure_or_a_bug_at_one_campaign_keeps_no_other_from_its_turn(cluster, start, caplog):
    for name in ("a", "b", "c"):
        cluster.apply(campaign(name), "m")

    def reconcile(name: str) -> None:
        if name == "a":
            raise StorageError("the disk is full")
        if name == "b":
            raise ZeroDivisionError
        steal(cluster)

    controller = start(reconcile)
    run_until_stolen(controller)
    assert "the disk is full; tried again in" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert 'nmt_operator_reconciles_total{result="failed"} 2.0' in text(controller)
    assert 'nmt_operator_reconciles_total{result="done"} 1.0' in text(controller)


def test_a_campaign_comes_again_when_it_said(cluster, start):
    cluster.apply(campaign("a"), "m")
    seen: list[float] = []

    def reconcile(name: str) -> float:
        seen.append(time.monotonic())
        if len(seen) == 3:
            steal(cluster)
        return 0.01

    run_until_stolen(start(reconcile))
    assert seen[1] - seen[0] >= 0.01


def test_a_deleted_campaign_that_holds_nothing_is_not_looked_at_again(cluster, start):
    cluster.apply(campaign("a"), "m")
    seen: list[str] = []

    def reconcile(name: str) -> float | None:
        seen.append(name)
        if len(seen) == 1:
            cluster.delete(CAMPAIGN, "a")
            cluster.apply(campaign("b"), "m")
        if seen.count("b") == 5:
            steal(cluster)
        return None if name == "a" else 0.0

    run_until_stolen(start(reconcile))
    # It may have been queued again while it was worked on.
    assert seen[seen.index("b") :].count("a") <= 1


def test_what_campaigns_hold_is_listed_again_at_each_resync(cluster, start, monkeypatch):
    monkeypatch.setattr(module, "RESYNC_SECONDS", 0.01)
    cluster.apply(campaign("a"), "m")
    lists: list[list[str]] = [[], [], ["gone"]]
    seen: list[str] = []

    def reconcile(name: str) -> float:
        seen.append(name)
        if name == "gone" or len(seen) == 100:
            steal(cluster)
        return 0.005

    run_until_stolen(start(reconcile, held=lambda: lists.pop(0) if lists else []))
    assert seen[-1] == "gone"


def test_a_campaign_is_not_woken_by_the_status_that_is_written_for_it(cluster, start):
    for name in ("a", "b"):
        cluster.apply(campaign(name), "m")
    seen: list[str] = []

    def reconcile(name: str) -> float:
        seen.append(name)
        if name == "a":
            status = {"message": f"look {len(seen)} was refused"}
            cluster.apply_status({**campaign("a"), "status": status}, "m")
            return 60.0
        if seen.count("b") == 10:
            steal(cluster)
        return 0.005

    run_until_stolen(start(reconcile))
    assert seen.count("a") == 1


def test_a_watch_that_the_server_ends_at_once_is_not_repeated_without_a_pause(
    cluster, start, monkeypatch
):
    monkeypatch.setattr(module, "_SHORT_WATCH_SECONDS", 60.0)
    cluster.apply(campaign("a"), "m")
    watched: list[str] = []
    watch = cluster.watch

    def count(kind, *words, **options):
        watched.append(kind.name)
        return watch(kind, *words, **options)

    cluster.watch = count
    looks = 0

    def reconcile(name: str) -> float:
        nonlocal looks
        looks += 1
        if looks == 10:
            steal(cluster)
        return 0.005

    run_until_stolen(start(reconcile))
    assert len(watched) == len(set(watched))


def test_a_stop_finishes_what_is_begun_and_gives_the_lease_back(cluster, start):
    cluster.apply(campaign("a"), "m")
    ended: list[str] = []

    def reconcile(name: str) -> None:
        _thread.interrupt_main()
        time.sleep(0.05)
        assert cluster.objects["Lease", "nmt-operator"]["spec"]["holderIdentity"] == "a"
        ended.append(name)

    run_until_interrupted(start(reconcile))
    assert ended == ["a"]
    assert cluster.objects["Lease", "nmt-operator"]["spec"]["holderIdentity"] == ""


def run_until_interrupted(controller: Controller) -> None:
    with restored_handlers([signal.SIGINT]):
        # A shell starts what runs in the background with the signal ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            controller.run()


def test_a_stop_keeps_the_lease_while_work_goes_on_that_takes_too_long(cluster, start, monkeypatch):
    monkeypatch.setattr(module, "_FINISH_SECONDS", 0.01)
    cluster.apply(campaign("a"), "m")
    may_end = threading.Event()

    def reconcile(name: str) -> None:
        _thread.interrupt_main()
        may_end.wait()

    run_until_interrupted(start(reconcile))
    holder = cluster.objects["Lease", "nmt-operator"]["spec"]["holderIdentity"]
    may_end.set()
    assert holder == "a"


def test_a_replica_without_the_lease_does_nothing(cluster, start):
    fields = {"holderIdentity": "other", "leaseDurationSeconds": 3600}
    cluster.add(LEASE, "nmt-operator", spec=fields)
    cluster.apply(campaign("a"), "m")
    controller = start(lambda name: pytest.fail("it is not the leader"))
    looks = 0
    step = controller.election.step

    def three_looks() -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise KeyboardInterrupt
        return step()

    controller.election.step = three_looks  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(KeyboardInterrupt):
        controller.run()
    assert "nmt_operator_leader 0.0" in text(controller)
    assert cluster.objects["Lease", "nmt-operator"]["spec"] == fields


def text(controller: Controller) -> str:
    return controller.metrics.exposition().decode()


def test_the_metrics_count_campaigns_by_phase_and_are_all_that_an_alert_asks_for(cluster, start):
    for name, phase in (("a", "Served"), ("b", "Served"), ("c", "")):
        cluster.apply(campaign(name), "m")
        cluster.apply_status({**campaign(name), "status": {"phase": phase} if phase else {}}, "m")
    seen: list[str] = []

    def reconcile(name: str) -> None:
        seen.append(name)
        if len(seen) == 3:
            steal(cluster)

    controller = start(reconcile)
    run_until_stolen(controller)
    found = text(controller)
    assert 'nmt_operator_campaigns{phase="Pending"} 1.0' in found
    assert 'nmt_operator_campaigns{phase="Served"} 2.0' in found
    assert "nmt_operator_reconcile_seconds_count 3.0" in found
    assert "nmt_operator_queue_depth 0.0" in found
    asked = metrics_of_alerts(operator=True)
    assert asked
    assert asked - families_of(found) == set()
