"""Tests of the election among replicas of the operator."""

from datetime import UTC, datetime

import pytest

from k8s.api.cluster import LEASE
from k8s.api.errors import ConflictError
from k8s.operator.loop.lease import DURATION_SECONDS, RENEW_SECONDS, Clocks, Election
from nmt.errors import ClusterError, UnreachableError
from tests.support.k8s.fake_cluster import FakeCluster


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def candidate(cluster, clock):
    def stand(identity: str) -> Election:
        return Election(cluster, "nmt-operator", identity, Clocks(clock, lambda: 1.8e9 + clock()))

    return stand


def spec(cluster: FakeCluster) -> dict[str, object]:
    return cluster.objects["Lease", "nmt-operator"]["spec"]


def test_the_first_candidate_gets_the_lease(candidate, cluster):
    first = candidate("a")
    assert first.step()
    assert first.is_leader()
    assert spec(cluster)["holderIdentity"] == "a"
    time = str(spec(cluster)["renewTime"])
    assert datetime.fromisoformat(time) == datetime.fromtimestamp(1.8e9 + 1000, UTC)
    assert time.endswith(".000000Z")


def test_others_wait_while_the_holder_renews(candidate, clock):
    first, second = candidate("a"), candidate("b")
    assert first.step()
    for _ in range(30):
        clock.seconds += 2
        assert first.step()
        assert not second.step()
        assert not second.is_leader()


def test_a_holder_that_is_silent_loses_the_lease_after_its_duration(candidate, cluster, clock):
    first, second = candidate("a"), candidate("b")
    first.step()
    assert not second.step()
    clock.seconds += DURATION_SECONDS - 0.1
    assert not second.step()
    clock.seconds += 0.1
    assert second.step()
    assert spec(cluster)["leaseTransitions"] == 1
    assert not first.step()


def test_a_holder_stops_before_others_may_begin(candidate, clock):
    first = candidate("a")
    first.step()
    clock.seconds += RENEW_SECONDS
    assert not first.is_leader()
    assert RENEW_SECONDS < DURATION_SECONDS


def test_the_lease_counts_from_before_the_request(candidate, cluster, clock):
    first = candidate("a")
    first.step()
    update = cluster.update

    def slow(body):
        clock.seconds += RENEW_SECONDS
        return update(body)

    cluster.update = slow
    first.step()
    assert not first.is_leader()


def test_the_time_that_another_machine_wrote_does_not_count(candidate, cluster, clock):
    first, second = candidate("a"), candidate("b")
    first.step()
    body = cluster.get(LEASE, "nmt-operator")
    assert body
    body["spec"]["renewTime"] = "1999-01-01T00:00:00.000000Z"
    cluster.update(body)
    assert not second.step()


def test_of_two_that_want_a_free_lease_one_gets_it(candidate, cluster, clock):
    first, second = candidate("a"), candidate("b")
    get = cluster.get
    cluster.get = lambda kind, name: None
    assert first.step()
    assert not second.step()
    cluster.get = get
    assert not second.step()
    assert first.step()


def test_of_two_that_want_a_lease_that_is_over_one_gets_it(candidate, cluster, clock):
    candidate("dead").step()
    first, second = candidate("a"), candidate("b")
    first.step()
    second.step()
    clock.seconds += DURATION_SECONDS
    old = cluster.get(LEASE, "nmt-operator")
    assert first.step()
    get = cluster.get
    cluster.get = lambda kind, name: old
    assert not second.step()
    cluster.get = get
    assert not second.step()
    assert first.step()


def test_a_change_by_somebody_else_does_not_end_the_term(candidate, cluster, clock):
    first = candidate("a")
    first.step()
    cluster.fails = [ConflictError("modified")]
    assert first.step()
    clock.seconds += 2
    assert first.step()


def test_a_leader_outlives_a_cluster_that_does_not_answer_for_a_while(candidate, cluster, clock):
    first = candidate("a")
    first.step()
    clock.seconds += 5
    cluster.fails = [UnreachableError("down")]
    assert first.step()
    clock.seconds += 5
    cluster.fails = [UnreachableError("down")]
    assert not first.step()
    assert first.step()


def test_a_missing_right_is_an_error(candidate, cluster):
    cluster.denied.add(("get", "leases"))
    with pytest.raises(ClusterError, match="you may not get leases"):
        candidate("a").step()


def test_a_lease_that_is_given_back_is_taken_at_once(candidate, cluster):
    first, second = candidate("a"), candidate("b")
    first.step()
    first.release()
    assert not first.is_leader()
    assert second.step()


def test_a_lease_of_another_is_not_given_back(candidate, cluster, clock):
    first, second = candidate("a"), candidate("b")
    first.step()
    second.step()
    clock.seconds += DURATION_SECONDS
    second.step()
    first.release()
    assert spec(cluster)["holderIdentity"] == "b"


def test_what_others_keep_in_the_lease_stays(candidate, cluster):
    fields = {"holderIdentity": "", "strategy": "OldestEmulationVersion"}
    cluster.add(LEASE, "nmt-operator", spec=fields)
    assert candidate("a").step()
    assert spec(cluster)["strategy"] == "OldestEmulationVersion"
    assert spec(cluster)["holderIdentity"] == "a"
