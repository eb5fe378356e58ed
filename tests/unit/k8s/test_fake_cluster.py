"""The cluster in memory behaves as an API server does; the real one was asked the same."""

from random import Random

import pytest

from k8s.api.cluster import CAMPAIGN, CONFIG_MAP, LEASE, RAY_JOB, JsonObject, version_of
from k8s.api.errors import ConflictError, GoneError
from tests.support.k8s.fake_cluster import FakeCluster


def campaign(name: str = "a", **spec: object) -> JsonObject:
    return {
        "apiVersion": "nmt.internal/v1alpha1",
        "kind": "TranslationCampaign",
        "metadata": {"name": name, "labels": {"team": "x"}},
        "spec": {"release": "nmt", **spec},
    }


def job(name: str, owner: JsonObject) -> JsonObject:
    owners = [{"uid": owner["metadata"]["uid"], "name": "a", "kind": "TranslationCampaign"}]
    metadata = {"name": name, "ownerReferences": owners}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata, "spec": {}}


def lease(**spec: object) -> JsonObject:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "l"},
        "spec": spec,
    }


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def stored(cluster: FakeCluster) -> JsonObject:
    found = cluster.get(CAMPAIGN, "a")
    assert found
    return found


def test_a_second_apply_changes_nothing(cluster):
    first = cluster.apply(campaign(), "m")
    assert cluster.apply(campaign(), "m") == first


def test_a_manager_removes_only_its_own_fields(cluster):
    cluster.apply(campaign(queue="q", suspend=True), "m")
    cluster.apply({**campaign(), "spec": {"priority": 3}}, "n")
    cluster.apply(campaign(suspend=True), "m")
    assert stored(cluster)["spec"] == {"release": "nmt", "suspend": True, "priority": 3}


def test_a_field_of_another_manager_is_taken_only_by_force(cluster):
    cluster.apply(campaign(suspend=True), "m")
    other = {**campaign(), "spec": {"suspend": False}}
    with pytest.raises(ConflictError, match=r"spec\.suspend"):
        cluster.apply(other, "n")
    cluster.apply(other, "n", force=True)
    with pytest.raises(ConflictError, match=r"spec\.suspend"):
        cluster.apply(campaign(suspend=True), "m")


def test_a_field_that_an_update_changed_belongs_to_who_changed_it(cluster):
    made = cluster.apply(campaign(suspend=False), "m")
    made["spec"]["suspend"] = True
    cluster.update(made)
    with pytest.raises(ConflictError, match=r"spec\.suspend"):
        cluster.apply(campaign(suspend=False), "m")
    assert cluster.apply(campaign(suspend=True), "m")["spec"]["suspend"]


def test_conditions_are_merged_by_type(cluster):
    cluster.apply(campaign(), "m")
    for type in ("Ready", "Promoted"):
        status = {"conditions": [{"type": type, "status": "True"}]}
        cluster.apply_status({**campaign(), "status": status}, type)
    conditions = stored(cluster)["status"]["conditions"]
    assert [each["type"] for each in conditions] == ["Ready", "Promoted"]
    cluster.apply_status({**campaign(), "status": {}}, "Ready")
    assert stored(cluster)["status"]["conditions"] == [{"type": "Promoted", "status": "True"}]


def test_the_generation_rises_with_the_spec_and_not_with_the_status(cluster):
    cluster.apply(campaign(), "m")
    cluster.apply_status({**campaign(), "status": {"phase": "Pending"}}, "m")
    assert stored(cluster)["metadata"]["generation"] == 1
    cluster.apply(campaign(queue="q"), "m")
    assert stored(cluster)["metadata"]["generation"] == 2
    assert stored(cluster)["status"] == {"phase": "Pending"}


def test_the_status_is_written_through_the_subresource_only(cluster):
    cluster.apply({**campaign(), "status": {"phase": "Served"}}, "m")
    cluster.update({**stored(cluster), "status": {"phase": "Served"}})
    assert "status" not in stored(cluster)
    missing = {**campaign("b"), "status": {"phase": "Served"}}
    assert cluster.apply_status(missing, "m") is None


def test_a_stale_update_is_a_conflict(cluster):
    first = cluster.create(lease(holderIdentity="a"))
    assert first
    cluster.update({**first, "spec": {"holderIdentity": "b"}})
    with pytest.raises(ConflictError):
        cluster.update({**first, "spec": {"holderIdentity": "c"}})
    cluster.delete(LEASE, "l")
    with pytest.raises(ConflictError):
        cluster.update(first)


def test_an_object_made_again_is_another_one(cluster):
    first = cluster.apply(campaign(), "m")
    cluster.delete(CAMPAIGN, "a")
    again = campaign()
    again["metadata"]["uid"] = first["metadata"]["uid"]
    with pytest.raises(ConflictError):
        cluster.apply(again, "m")
    cluster.apply(campaign(), "m")
    with pytest.raises(ConflictError):
        cluster.apply(again, "m")
    with pytest.raises(ConflictError):
        cluster.delete(CAMPAIGN, "a", uid=first["metadata"]["uid"])


def test_a_taken_name_is_not_created_again(cluster):
    assert cluster.create(campaign())
    assert cluster.create(campaign()) is None


def test_what_an_object_owns_goes_with_it(cluster):
    owner = cluster.apply(campaign(), "m")
    cluster.create(job("one", owner))
    cluster.delete(CAMPAIGN, "a")
    assert cluster.names(RAY_JOB) == []


def test_garbage_may_wait_and_includes_what_is_made_for_a_deleted_owner(cluster):
    cluster.lazy = True
    owner = cluster.apply(campaign(), "m")
    cluster.create(job("one", owner))
    cluster.delete(CAMPAIGN, "a")
    cluster.create(job("late", owner))
    assert cluster.names(RAY_JOB) == ["one", "late"]
    assert cluster.collect_garbage() == 2
    assert cluster.names(RAY_JOB) == []


def test_an_object_with_a_finalizer_keeps_its_name_until_that_is_gone(cluster):
    body = job("one", cluster.apply(campaign(), "m"))
    body["metadata"]["finalizers"] = ["ray.io/rayjob-finalizer"]
    cluster.create(body)
    cluster.delete(RAY_JOB, "one")
    assert cluster.create(body) is None
    cluster.finalize(RAY_JOB, "one")
    assert cluster.create(body)


def test_a_watch_tells_what_has_happened_since_a_version(cluster):
    start = cluster.page(CAMPAIGN).resource_version
    cluster.apply(campaign(), "m")
    cluster.apply(campaign(queue="q"), "m")
    cluster.delete(CAMPAIGN, "a")
    told = list(cluster.watch(CAMPAIGN, resource_version=start))
    assert [type for type, _ in told] == ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    versions = [int(version_of(body)) for _, body in told]
    assert versions == sorted(versions)
    assert list(cluster.watch(CAMPAIGN, resource_version=str(versions[-1])))[:-1] == []


def test_for_a_watch_an_object_ends_with_its_labels(cluster):
    start = cluster.page(CAMPAIGN).resource_version
    cluster.apply(campaign(), "m")
    unlabelled = campaign()
    del unlabelled["metadata"]["labels"]
    cluster.apply(unlabelled, "m")
    told = cluster.watch(CAMPAIGN, "team=x", resource_version=start)
    assert [type for type, _ in told] == ["ADDED", "DELETED", "BOOKMARK"]


def test_a_forgotten_version_cannot_be_watched(cluster):
    start = cluster.page(CAMPAIGN).resource_version
    cluster.apply(campaign(), "m")
    cluster.store.compact()
    with pytest.raises(GoneError):
        list(cluster.watch(CAMPAIGN, resource_version=start))


def test_a_disordered_watch_keeps_the_order_of_each_object(cluster):
    cluster.disorder = Random(1)
    start = cluster.page(CAMPAIGN).resource_version
    for number in range(20):
        for name in ("a", "b"):
            cluster.apply(campaign(name, priority=number), "m")
    told = [body for _, body in cluster.watch(CAMPAIGN, resource_version=start)][:-1]
    names = [body["metadata"]["name"] for body in told]
    assert len(told) > 40
    assert names != sorted(names)
    for name in ("a", "b"):
        numbers = [each["spec"]["priority"] for each in told if each["metadata"]["name"] == name]
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(20))


def test_pages_continue_a_list_until_its_version_is_forgotten(cluster):
    for name in ("a", "b", "c"):
        cluster.apply(campaign(name), "m")
    first = cluster.page(CAMPAIGN, limit=2)
    cluster.apply(campaign("d"), "m")
    last = cluster.page(CAMPAIGN, limit=2, next_page=first.next_page)
    names = [body["metadata"]["name"] for body in first.items + last.items]
    assert (names, last.next_page) == (["a", "b", "c"], "")
    assert first.resource_version == last.resource_version
    first = cluster.page(CAMPAIGN, limit=2)
    cluster.apply(campaign("e"), "m")
    cluster.store.compact()
    with pytest.raises(GoneError):
        cluster.page(CAMPAIGN, limit=2, next_page=first.next_page)


def test_an_earlier_state_can_be_read_for_a_stale_cache(cluster):
    first = cluster.apply(campaign(), "m")
    cluster.apply(campaign(queue="q"), "m")
    assert cluster.store.at(CAMPAIGN, "a", int(version_of(first))) == first
    assert cluster.store.at(CAMPAIGN, "a", 0) is None
    assert cluster.store.at(CONFIG_MAP, "a", 0) is None
