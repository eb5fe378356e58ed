"""Two namespaces whose releases share one storage root."""

from pathlib import Path

import pytest

from k8s.api.cluster import CAMPAIGN
from k8s.objects.campaign.names import rollout_owner
from k8s.operator.record import CAMPAIGN_RECORD
from nmt.errors import StorageError
from nmt.rollout import newest_rollout
from nmt.runs import layout
from nmt.storage import Storage
from tests.support.k8s.campaign_world import CONFIG, DATA, NAME, ROUTE, World, engine_of
from tests.support.k8s.release_fields import release_fields
from tests.support.rollouts import CLEAN, HARM


@pytest.fixture
def other(tmp_path: Path) -> World:
    """The other namespace, on the same storage root as `world`."""
    return World(tmp_path, release_fields(namespace="other"))


def test_the_canary_of_another_namespace_is_left_alone(world: World, other: World) -> None:
    world.begin_canary()
    before = world.record()
    other.now = world.now
    assert other.reconciler.held() == []
    assert other.reconcile() is None
    assert world.record() == before
    assert world.wait(5).phase == "Canary"
    assert world.roll_out(CLEAN).phase == "Served"


def test_a_deleted_campaign_of_the_own_namespace_is_given_up(world: World) -> None:
    world.begin_canary()
    world.cluster.delete(CAMPAIGN, NAME)
    world.restart()
    assert world.reconciler.held() == [NAME]
    world.reconcile()
    assert world.route().canary is None
    assert world.route().owner is None


def test_a_name_that_another_namespace_has_on_the_storage_is_refused(
    world: World, other: World
) -> None:
    world.begin_canary()
    other.now = world.now
    before = world.record()
    other.apply(config=CONFIG | DATA, suspend=True)
    status = other.wait(5)
    assert status.phase == "Stalled"
    assert status.message.startswith(
        "campaign clinic of namespace team (release demo) has this name on the same storage root"
    )
    assert "prefix of its own" in status.message
    assert other.jobs() == []
    assert world.record() == before
    route = world.route()
    assert (route.canary, route.owner) == (engine_of("clinic-r2"), rollout_owner(NAME))
    assert world.wait(5).phase == "Canary"


def test_another_name_on_the_same_storage_works(world: World, other: World) -> None:
    world.apply()
    assert world.run_until_rest().phase == "Served"
    other.now = world.now
    other.apply("news")
    assert other.wait(5, "news").phase == "Preparing"
    assert [world.record(name).namespace for name in (NAME, "news")] == ["team", "other"]


def test_a_record_of_an_older_release_counts_as_own_and_gets_its_namespace(world: World) -> None:
    world.apply()
    world.run_until_rest()
    old = world.record().model_copy(update={"namespace": "", "release": ""})
    CAMPAIGN_RECORD.write(world.storage, layout.campaign(NAME), old)
    assert world.wait(5).phase == "Served"
    assert world.reconciler.held() == [NAME]
    world.apply(config=CONFIG | {"seed": 5})
    world.wait(5)
    record = world.record()
    assert len(record.revisions) == 2
    assert (record.namespace, record.release) == ("team", "demo")


def make_record_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(storage: Storage, path: str) -> bytes:
        if path == layout.campaign(NAME):
            raise StorageError("permission denied")
        return read(storage, path)

    read = Storage.read_bytes
    monkeypatch.setattr(Storage, "read_bytes", fail)


def rollout_state(world: World) -> str | None:
    found = newest_rollout(world.storage, "default", ROUTE)
    return found.state if found else None


def test_a_record_that_cannot_be_read_now_lets_nobody_change_the_rollout(
    world: World, other: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.begin_canary()
    other.now = world.now
    other.apply(suspend=True)
    make_record_unreadable(monkeypatch)
    assert "permission denied" in other.wait(5).message
    assert other.reconciler.held() == [NAME]
    monkeypatch.undo()
    assert rollout_state(world) == "running"


def test_a_harmful_canary_is_rolled_back_though_its_record_cannot_be_read_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.begin_canary()
    world.count(HARM)
    make_record_unreadable(monkeypatch)
    world.wait(60)
    monkeypatch.undo()
    assert rollout_state(world) == "rolled_back"


def test_a_damaged_record_is_looked_at_all_the_same(world: World) -> None:
    world.apply()
    world.run_until_rest()
    world.storage.write_bytes(layout.campaign(NAME), b"{}x")
    assert world.reconciler.held() == [NAME]
