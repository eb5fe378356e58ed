"""Tests of following objects: nothing is missed, whatever happens to the watch."""

from random import Random

import pytest

from k8s.api.cluster import CAMPAIGN, RAY_JOB, JsonObject
from k8s.objects.campaign.names import LABEL_CAMPAIGN
from k8s.operator.loop.controller import campaign_of, phase_of
from k8s.operator.loop.follow import Follower
from nmt.errors import UnreachableError
from tests.support.k8s.fake_cluster import FakeCluster


def campaign(name: str, **spec: object) -> JsonObject:
    return {
        "apiVersion": CAMPAIGN.api_version,
        "kind": CAMPAIGN.name,
        "metadata": {"name": name},
        "spec": spec,
    }


def job(name: str, campaign: str) -> JsonObject:
    metadata = {"name": name, "labels": {LABEL_CAMPAIGN: campaign}}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata, "spec": {}}


class Seen:
    """A follower of campaigns, and what it has said since it was asked last."""

    def __init__(self, cluster: FakeCluster, *, ignores_status: bool = False) -> None:
        self.told: list[str] = []
        self.follower = Follower(
            cluster, CAMPAIGN, "", phase_of, self.tell, ignores_status=ignores_status
        )

    def tell(self, name: str, note: str) -> None:
        self.told.append(name)

    def names(self) -> list[str]:
        told, self.told = self.told, []
        return told


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def seen(cluster) -> Seen:
    return Seen(cluster)


def test_objects_that_are_there_are_told_once(cluster, seen):
    cluster.apply(campaign("a"), "m")
    assert seen.follower.follow()
    assert seen.names() == ["a"]
    assert "a" in seen.follower
    assert seen.follower.follow()
    assert seen.names() == []


def test_a_list_of_several_pages_is_complete(cluster, seen):
    for number in range(250):
        cluster.apply(campaign(f"c{number}"), "m")
    seen.follower.follow()
    assert len(set(seen.names())) == 250


def test_each_change_is_told(cluster, seen):
    seen.follower.follow()
    cluster.apply(campaign("a"), "m")
    cluster.apply_status({**campaign("a"), "status": {"phase": "Training"}}, "m")
    seen.follower.follow()
    assert seen.names() == ["a", "a"]
    assert seen.follower.notes == {"a": "Training"}
    cluster.delete(CAMPAIGN, "a")
    seen.follower.follow()
    assert seen.names() == ["a"]
    assert "a" not in seen.follower


@pytest.fixture
def careless(cluster) -> Seen:
    """A follower that ignores the status, of a campaign that it knows."""
    cluster.apply(campaign("a"), "m")
    seen = Seen(cluster, ignores_status=True)
    seen.follower.follow()
    assert seen.names() == ["a"]
    return seen


def test_a_change_of_nothing_but_the_status_is_noted_and_not_told(cluster, careless):
    cluster.apply_status({**campaign("a"), "status": {"phase": "Training"}}, "m")
    careless.follower.follow()
    assert careless.names() == []
    assert careless.follower.notes == {"a": "Training"}


def test_a_status_that_somebody_takes_away_is_told(cluster, careless):
    for status in ({"phase": "Training"}, {}):
        cluster.apply_status({**campaign("a"), "status": status}, "m")
    careless.follower.follow()
    assert careless.names() == ["a"]


def test_a_change_of_anything_but_the_status_is_told(cluster, careless):
    cluster.apply(campaign("a", release="demo"), "m")
    careless.follower.follow()
    assert careless.names() == ["a"]
    cluster.apply({**campaign("a"), "metadata": {"name": "a", "labels": {"x": "y"}}}, "other")
    careless.follower.follow()
    assert careless.names() == ["a"]


def test_a_deletion_that_waits_for_a_finalizer_is_told_at_its_begin_and_end(cluster, careless):
    finalizers = {"name": "a", "finalizers": ["nmt.internal/x"]}
    cluster.apply({**campaign("a"), "metadata": finalizers}, "m")
    careless.follower.follow()
    careless.names()
    cluster.delete(CAMPAIGN, "a")
    careless.follower.follow()
    assert careless.names() == ["a"]
    cluster.finalize(CAMPAIGN, "a")
    careless.follower.follow()
    assert careless.names() == ["a"]


def test_an_object_of_the_same_name_and_generation_is_told(cluster, careless):
    cluster.delete(CAMPAIGN, "a")
    cluster.apply(campaign("a"), "m")
    careless.follower.follow()
    assert careless.names() == ["a", "a"]


def test_a_new_list_tells_what_has_not_changed_as_well(cluster, careless):
    cluster.store.compact()
    cluster.apply_status({**campaign("a"), "status": {"phase": "Training"}}, "m")
    cluster.store.compact()
    assert not careless.follower.follow()
    assert careless.follower.follow()
    assert careless.names() == ["a"]


def test_an_object_without_a_generation_is_always_told(cluster):
    seen = Seen(cluster, ignores_status=True)
    seen.follower.follow()
    for phase in ("Training", "Served"):
        body = cluster.add(CAMPAIGN, "a", status={"phase": phase})
        del body["metadata"]["generation"]
        body["metadata"]["uid"] = "u"
    seen.follower.follow()
    assert seen.names() == ["a", "a"]


def test_a_watch_goes_on_where_a_broken_one_ended(cluster, seen):
    seen.follower.follow()
    cluster.apply(campaign("a"), "m")
    cluster.fails = [UnreachableError("reset")]
    with pytest.raises(UnreachableError):
        seen.follower.follow()
    assert seen.follower.follow()
    assert seen.names() == ["a"]


def test_after_a_forgotten_version_everything_is_told_and_what_vanished_too(cluster, seen):
    for name in ("a", "b"):
        cluster.apply(campaign(name), "m")
    seen.follower.follow()
    seen.names()
    cluster.delete(CAMPAIGN, "a")
    cluster.apply(campaign("c"), "m")
    cluster.store.compact()
    assert not seen.follower.follow()
    assert seen.follower.follow()
    assert sorted(seen.names()) == ["a", "b", "c"]
    assert seen.follower.notes.keys() == {"b", "c"}


def test_a_list_that_gets_too_old_between_its_pages_begins_again(cluster, seen):
    for number in range(250):
        cluster.apply(campaign(f"c{number}"), "m")
    page = cluster.page

    def compact_once(*words, **options):
        found = page(*words, **options)
        cluster.page = page
        cluster.apply(campaign("late"), "m")
        cluster.store.compact()
        return found

    cluster.page = compact_once
    assert not seen.follower.follow()
    assert seen.follower.follow()
    assert len(set(seen.names())) == 251


def test_a_change_that_could_not_be_passed_on_comes_again(cluster):
    told: list[str] = []

    def tell(name: str, note: str) -> None:
        told.append(name)
        if len(told) == 1:
            raise RuntimeError

    follower = Follower(cluster, CAMPAIGN, "", phase_of, tell)
    follower.follow()
    cluster.apply(campaign("a"), "m")
    with pytest.raises(RuntimeError):
        follower.follow()
    follower.follow()
    assert told == ["a", "a"]


def test_repeated_and_swapped_changes_end_in_the_right_notes(cluster, seen):
    cluster.disorder = Random(3)
    seen.follower.follow()
    for phase in ("Preparing", "Training", "Served"):
        for name in ("a", "b", "c"):
            cluster.apply(campaign(name), "m")
            cluster.apply_status({**campaign(name), "status": {"phase": phase}}, "m")
    cluster.delete(CAMPAIGN, "b")
    seen.follower.follow()
    assert seen.follower.notes == {"a": "Served", "c": "Served"}


def test_a_job_wakes_its_campaign_even_when_it_goes_or_loses_its_label(cluster):
    told: list[str] = []
    follower = Follower(
        cluster, RAY_JOB, LABEL_CAMPAIGN, campaign_of, lambda name, note: told.append(note)
    )
    follower.follow()
    cluster.create(job("one", "a"))
    cluster.create(job("two", "b"))
    cluster.create({**job("three", "c"), "metadata": {"name": "three"}})
    follower.follow()
    unlabelled = cluster.get(RAY_JOB, "one")
    assert unlabelled
    unlabelled["metadata"]["labels"] = {}
    cluster.update(unlabelled)
    cluster.delete(RAY_JOB, "two")
    follower.follow()
    assert told == ["a", "b", "a", "b"]
