"""An operator that was paused, while another one took over, changes nothing when it goes on."""

from collections.abc import Callable

import pytest

from k8s.api.cluster import CAMPAIGN, RAY_JOB
from k8s.api.errors import ConflictError
from k8s.operator import observe
from k8s.operator.plan.actions import DeleteJob
from k8s.operator.plan.campaign import plan_campaign
from k8s.operator.record import change_campaign_record
from nmt.runs import layout
from tests.support.k8s.campaign_world import CONFIG, NAME, World, engine_of


def _paused_operator(world: World) -> Callable[[], None]:
    """Let an operator decide what to do now; return what lets it do that."""
    operator, now = world.reconciler, world.now
    observed = operator.observer.observe(NAME, now)
    [action] = plan_campaign(observed, now).actions
    world.restart()
    return lambda: operator.actor.act(observed, action, now)


def test_a_retried_revision_is_not_ended_by_an_operator_that_saw_it_fail(world: World) -> None:
    world.apply()
    world.reconcile()
    world.fail_jobs()
    go_on = _paused_operator(world)
    assert world.wait(5).phase == "Failed"
    world.tell("1", "retry")
    world.wait(5)
    with pytest.raises(ConflictError):
        go_on()
    assert world.run_until_rest().phase == "Served"


def test_a_retry_counts_that_was_said_before_the_operator_saw_the_failure(world: World) -> None:
    world.apply()
    world.reconcile()
    world.fail_jobs()
    world.tell("1", "retry")
    assert world.run_until_rest().phase == "Served"


def test_a_resumed_canary_is_not_paused_again(world: World) -> None:
    world.begin_canary()
    world.tell("1", "pause")
    go_on = _paused_operator(world)
    world.wait(5)
    world.tell("2", "resume")
    world.wait(5)
    with pytest.raises(ConflictError):
        go_on()
    assert world.wait(5).phase == "Canary"


def test_an_engine_that_people_took_back_is_not_promoted_again(world: World) -> None:
    world.begin_canary()
    world.tell("1", "abort", "too early")
    world.wait(5)
    world.tell("2", "promote", "now")
    go_on = _paused_operator(world)
    assert world.wait(5).phase == "Served"
    world.tell("3", "rollback", "users complain")
    world.wait(5)
    with pytest.raises(ConflictError):
        go_on()
    world.wait(60)
    assert world.serving() == engine_of("clinic-r1")


def test_a_change_of_an_older_record_is_refused(world: World) -> None:
    world.apply()
    world.reconcile()
    old = world.record()
    change_campaign_record(world.storage, NAME, lambda found: found.with_schedule(1.0), old)
    with pytest.raises(ConflictError, match="another operator has changed the record"):
        change_campaign_record(world.storage, NAME, lambda found: found.with_schedule(2.0), old)
    assert world.record().last_schedule == 1.0


def test_an_observation_during_which_the_record_changes_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.apply()
    operator, read_steps = world.reconciler, observe.done_records

    def after_the_other(*words: object) -> object:
        monkeypatch.undo()
        world.tell("1", "abort", "wrong data")
        world.reconcile()
        return read_steps(*words)  # type: ignore[arg-type]

    world.reconcile()
    world.restart()
    monkeypatch.setattr(observe, "done_records", after_the_other)
    with pytest.raises(ConflictError):
        operator.observer.observe(NAME, world.now)


def test_settings_that_were_replaced_start_no_revision(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.apply()
    world.reconcile()
    operator, read = world.reconciler, observe.read_campaign_record
    world.restart()

    def after_the_other(*words: object) -> object:
        monkeypatch.undo()
        world.apply(config=CONFIG | {"seed": 5})
        world.reconcile()
        return read(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(observe, "read_campaign_record", after_the_other)
    operator.reconcile(NAME, world.now)
    assert [each.number for each in world.record().revisions] == [1, 2]


def test_a_job_that_was_made_anew_is_not_deleted_in_place_of_the_one_before(world: World) -> None:
    world.apply()
    world.reconcile()
    [job] = world.jobs()
    observed = world.reconciler.observer.observe(NAME, world.now)
    action = DeleteJob(job["metadata"]["name"], "uid-of-the-one-before")
    world.reconciler.actor.act(observed, action, world.now)
    assert world.jobs() == [job]


def test_a_job_that_is_being_deleted_is_said_to_be(world: World) -> None:
    world.apply()
    world.reconcile()
    [job] = world.jobs()
    name = job["metadata"]["name"]
    world.cluster.objects[RAY_JOB.name, name]["metadata"]["finalizers"] = ["ray.io/cleanup"]
    world.cluster.delete(RAY_JOB, name)
    assert world.wait(5).message == f"RayJob {name} is being deleted"


def test_a_failed_job_of_a_deleted_campaign_does_not_fail_the_one_made_again(world: World) -> None:
    world.cluster.lazy = True
    world.apply()
    world.reconcile()
    world.cluster.delete(CAMPAIGN, NAME)
    world.fail_jobs()
    # As by hand, on the advice for a damaged record: the next revision has the same number again.
    world.storage.delete(layout.campaign(NAME))
    world.apply()
    # Its own job has the same name, and waits until the cluster has removed the old one.
    with pytest.raises(ConflictError, match="of a campaign of the same name that was deleted"):
        world.reconcile()
    world.cluster.collect_garbage()
    assert world.run_until_rest().phase == "Served"


def test_a_job_that_belongs_to_nobody_is_named_with_what_to_do(world: World) -> None:
    world.apply()
    world.reconcile()
    [job] = world.jobs()
    name = job["metadata"]["name"]
    # As `kubectl delete --cascade=orphan` leaves it.
    world.cluster.objects[RAY_JOB.name, name]["metadata"].pop("ownerReferences")
    world.cluster.delete(CAMPAIGN, NAME)
    world.storage.delete(layout.campaign(NAME))
    world.apply()
    status = world.wait(5)
    assert status.phase == "Stalled"
    assert f"RayJob {name} is there already and belongs to no campaign" in status.message
    assert f"kubectl delete rayjob {name}" in status.message
    world.cluster.delete(RAY_JOB, name)
    assert world.run_until_rest().phase == "Served"
