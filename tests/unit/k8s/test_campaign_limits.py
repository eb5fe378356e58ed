"""The operator's own limit of active campaigns, deadlines, and what a campaign cannot have."""

from itertools import count
from pathlib import Path

import pytest

from k8s.objects.campaign.status import CampaignStatus
from nmt.errors import ClusterError
from tests.support.k8s.campaign_world import CONFIG, DATA, World, engine_of
from tests.support.k8s.release_fields import release_fields
from tests.support.rollouts import HARM


def is_at_rest(status: CampaignStatus) -> bool:
    """Tell whether kstatus, and so `helm --wait` and Flux, find nothing left to do."""
    found = {each.type: each.status for each in status.conditions}
    return (found["Ready"], found["Reconciling"], found["Stalled"]) == ("True", "False", "False")


@pytest.fixture
def one_place(tmp_path: Path) -> World:
    return World(tmp_path, release_fields(), limit=1)


def test_campaigns_wait_for_a_place(one_place: World) -> None:
    world = one_place
    for name in ("clinic", "news"):
        world.apply(name)
        world.reconcile(name)
    assert world.status("clinic").phase == "Preparing"
    status = world.status("news")
    assert status.phase == "Queued"
    assert "1 of 1 campaigns work" in status.message
    assert world.run_until_rest("clinic").phase == "Served"
    assert world.wait(15, "news").phase == "Preparing"


def test_a_suspended_campaign_has_come_to_rest(world: World) -> None:
    world.apply()
    world.reconcile()
    assert not is_at_rest(world.status())
    world.apply(suspend=True)
    assert is_at_rest(world.wait(5))


def test_a_campaign_that_goes_on_after_a_suspension_waits_for_a_place(one_place: World) -> None:
    world = one_place
    world.apply("clinic")
    world.reconcile("clinic")
    world.apply("clinic", suspend=True)
    world.wait(5, "clinic")
    world.apply("news")
    assert world.wait(5, "news").phase == "Preparing"
    world.apply("clinic", suspend=False)
    status = world.wait(5, "clinic")
    assert status.phase == "Queued"
    assert "1 of 1 campaigns work" in status.message
    assert len(world.live_jobs()) == 1
    world.run_until_rest("news")
    assert world.wait(15, "clinic").phase == "Preparing"


def test_a_campaign_that_is_tried_again_waits_for_a_place(one_place: World) -> None:
    world = one_place
    world.apply("clinic")
    world.reconcile("clinic")
    world.fail_jobs()
    assert world.wait(5, "clinic").phase == "Failed"
    world.apply("news")
    assert world.wait(5, "news").phase == "Preparing"
    world.tell("1", "retry", name="clinic")
    assert world.wait(5, "clinic").phase == "Queued"
    assert len(world.live_jobs()) == 1
    world.run_until_rest("news")
    assert world.wait(15, "clinic").phase == "Preparing"


def test_a_campaign_keeps_its_place_between_its_jobs(one_place: World) -> None:
    world = one_place
    world.apply("clinic")
    world.reconcile("clinic")
    world.apply("news", priority=9)
    world.wait(5, "news")
    world.finish_jobs()
    assert world.wait(5, "clinic").phase == "Searching"
    assert world.wait(5, "news").phase == "Queued"


def test_the_highest_priority_is_the_first_to_get_a_place(one_place: World) -> None:
    world = one_place
    for name, priority in (("clinic", 0), ("low", 0), ("high", 5)):
        world.apply(name, priority=priority)
        world.reconcile(name)
    world.run_until_rest("clinic")
    assert world.wait(15, "low").phase == "Queued"
    assert world.wait(1, "high").phase == "Preparing"
    assert world.wait(1, "low").phase == "Queued"


def test_the_places_are_known_after_a_restart(one_place: World) -> None:
    world = one_place
    world.apply("clinic")
    world.reconcile("clinic")
    world.restart()
    world.apply("news")
    assert world.wait(1, "news").phase == "Queued"


def test_a_campaign_of_kueue_takes_no_place(one_place: World) -> None:
    world = one_place
    world.apply("clinic", queue="team-queue")
    world.reconcile("clinic")
    world.apply("news")
    assert world.wait(1, "news").phase == "Preparing"


def test_a_revision_that_takes_too_long_fails_and_its_job_ends(world: World) -> None:
    world.apply(deadlineSeconds=3600)
    world.reconcile()
    assert world.wait(3599).phase == "Preparing"
    status = world.wait(2)
    assert status.phase == "Failed"
    assert "spec.deadlineSeconds=3600" in status.message
    assert world.jobs() == []


def test_a_deadline_waits_while_the_campaign_is_suspended(world: World) -> None:
    world.apply(deadlineSeconds=3600)
    world.reconcile()
    world.wait(3000)
    world.apply(suspend=True)
    world.wait(5)
    world.wait(86_400)
    world.apply(suspend=False)
    assert world.wait(5).phase == "Preparing"
    assert world.wait(500).phase == "Preparing"
    assert world.wait(200).phase == "Failed"


def test_a_deadline_waits_while_a_campaign_waits_for_its_place_again(one_place: World) -> None:
    world = one_place
    world.apply("clinic", deadlineSeconds=3600)
    world.reconcile("clinic")
    world.apply("clinic", suspend=True)
    world.wait(5, "clinic")
    world.apply("news")
    world.wait(5, "news")
    world.apply("clinic", suspend=False)
    assert world.wait(5, "clinic").phase == "Queued"
    assert world.wait(86_400, "clinic").phase == "Queued"
    world.run_until_rest("news")
    assert world.wait(15, "clinic").phase == "Preparing"
    assert world.wait(3700, "clinic").phase == "Failed"


def test_a_deadline_that_is_set_later_does_not_count_a_suspension_before(world: World) -> None:
    world.apply()
    world.reconcile()
    world.apply(suspend=True)
    world.wait(5)
    world.wait(86_400)
    world.apply(suspend=False, deadlineSeconds=3600)
    assert world.wait(5).phase == "Preparing"
    assert world.wait(3700).phase == "Failed"


def test_no_deadline_ends_a_revision_after_its_gate(world: World) -> None:
    world.apply(deadlineSeconds=3600)
    world.begin_canary()
    world.wait(7200)
    current = world.record().current
    assert current
    assert (world.status().phase, current.outcome) == ("Canary", None)


def test_a_campaign_that_waits_for_people_is_not_looked_at_for_its_deadline(world: World) -> None:
    world.verdicts["clinic-r1"] = "undecided"
    world.apply(deadlineSeconds=3600)
    assert world.run_until_rest().phase == "Undecided"
    world.wait(7200)
    again = world.reconcile()
    assert again is None or again >= 600


def test_a_suspended_campaign_plans_no_look(world: World) -> None:
    world.apply(deadlineSeconds=3600)
    world.reconcile()
    world.apply(suspend=True)
    world.wait(5)
    assert world.reconcile() is None


def test_an_attempt_after_a_suspension_is_not_held(world: World) -> None:
    world.apply(deadlineSeconds=3600)
    world.reconcile()
    world.apply(suspend=True)
    world.wait(5)
    world.tell("1", "abort")
    world.wait(5)
    world.apply(suspend=False)
    world.tell("2", "retry")
    assert world.wait(86_400).phase == "Preparing"
    assert world.wait(3700).phase == "Failed"


def test_an_attempt_has_the_whole_time_again(world: World) -> None:
    world.apply(deadlineSeconds=3600)
    world.reconcile()
    world.apply(suspend=True)
    world.wait(5)
    world.apply(suspend=False)
    world.wait(100)
    assert world.wait(3700).phase == "Failed"
    world.tell("1", "retry")
    assert world.wait(5).phase == "Preparing"
    assert world.wait(3500).phase == "Preparing"
    assert world.wait(200).phase == "Failed"


def test_a_worker_group_that_is_missing_stalls_until_something_changes(world: World) -> None:
    world.apply(workers={"training": "tpu"})
    status = world.wait(5)
    assert status.phase == "Stalled"
    assert status.message == (
        "--workers tpu: release 'demo' has no such worker group; it has cpu, gpu"
    )
    conditions = {each.type: each.status for each in status.conditions}
    assert (conditions["Stalled"], conditions["Reconciling"]) == ("True", "False")
    before = world.cluster.store.version
    assert world.reconcile() is None
    assert world.cluster.store.version == before
    world.apply(workers={"training": "gpu"})
    assert world.run_until_rest().phase == "Served"


def test_a_setting_that_cannot_be_used_stalls(world: World) -> None:
    world.apply(config={"data": {"path": "/etc/passwd"}})
    assert "spec.config.data.path '/etc/passwd'" in world.wait(5).message
    world.apply(config={"storage": "elsewhere"})
    assert "spec.config.storage belongs to the release" in world.wait(5).message


def test_data_that_is_not_there_is_waited_for(world: World) -> None:
    world.apply(config=CONFIG | DATA)
    status = world.wait(5)
    assert status.phase == "Pending"
    assert "spec.config.data.path 'corpora/mine.tsv' is not in" in status.message
    assert {each.type: each.status for each in status.conditions}["DataReady"] == "False"
    world.write_corpus("first")
    assert world.run_until_rest().phase == "Served"


def test_data_that_is_still_read_is_not_missing(world: World) -> None:
    world.write_corpus("first")
    world.write_corpus("second", "mine.train.tsv")
    times = count(0.0, 15.0)
    world.reconciler.observer.data.clock = lambda: next(times)
    world.apply(config=CONFIG | {"data": {"path": "corpora"}})
    status = world.wait(5)
    assert status.message == "1 of 2 files of the data are read; nothing starts before all are"
    [ready] = [each for each in status.conditions if each.type == "DataReady"]
    assert (ready.status, ready.reason) == ("False", "Reading")
    assert world.wait(60).phase == "Preparing"


def test_data_with_old_times_is_looked_at_twice(world: World) -> None:
    world.write_corpus("half of the first")
    world.apply(config=CONFIG | DATA)
    again = world.reconcile()
    assert again is not None
    assert again <= 30
    assert world.record().revisions == ()
    world.write_corpus("the first")
    world.wait(0)
    world.wait(again)
    assert world.record().revisions == ()
    world.wait(again)
    assert len(world.record().revisions) == 1


def test_a_job_that_the_cluster_refuses_stalls_with_its_words(world: World) -> None:
    def refuse(body: object) -> None:
        raise ClusterError("a policy of the cluster refuses to create rayjobs.ray.io: no root")

    world.apply()
    world.cluster.admit = refuse
    status = world.wait(5)
    assert status.phase == "Stalled"
    assert status.message.endswith("no root")
    world.cluster.admit = None
    assert world.run_until_rest().phase == "Served"


def test_a_campaign_of_another_release_is_left_alone(world: World) -> None:
    world.apply(release="other")
    assert world.reconcile() is None
    assert world.status().phase == "Pending"
    assert world.jobs() == []


def test_a_release_is_named_by_its_objects_alone(tmp_path: Path) -> None:
    """The policy knows who may use that name; the Helm name may be that of another's objects."""
    labels = {"app.kubernetes.io/instance": "helm-name"}
    world = World(tmp_path, release_fields(labels=labels))
    world.apply(release="helm-name")
    world.reconcile()
    assert world.jobs() == []


def test_a_damaged_record_is_named_and_nothing_is_done(world: World) -> None:
    world.apply()
    world.run_until_rest()
    world.storage.write_bytes("campaigns/clinic/campaign.json", b"{}x")
    world.tell("1", "rollback")
    status = world.wait(5)
    assert status.phase == "Stalled"
    assert "campaign.json" in status.message
    assert world.serving() == engine_of("clinic-r1")


def test_a_gate_that_compared_with_another_engine_is_asked_again(world: World) -> None:
    world.write_corpus("first")
    world.apply(config=CONFIG | DATA)
    world.run_until_rest()
    world.write_corpus("second")
    world.verdicts["clinic-r2"] = "undecided"
    world.run_until_rest()
    # Meanwhile somebody else serves another engine there.
    world.serve_other("0123456789ab")
    world.verdicts["clinic-r2"] = "accept"
    world.leave("clinic-r2", "gate")
    world.change_baseline("clinic-r2", engine_of("clinic-r1"))
    world.wait(600)
    assert [job["metadata"]["labels"]["nmt/step"] for job in world.live_jobs()] == [
        "train.variants.export.evaluate.gate"
    ]
    assert world.run_until_rest().phase == "Canary"


def test_an_engine_that_is_not_to_be_rolled_out_waits_for_that(world: World) -> None:
    world.apply(config=CONFIG | {"rollout": {"mode": "none"}})
    status = world.run_until_rest()
    assert (status.phase, world.status().serves) == ("Accepted", None)
    assert "rollout.mode" in status.message
    assert is_at_rest(status)
    world.apply(config=CONFIG)
    assert world.wait(5).phase == "Served"
    assert world.serving() == engine_of("clinic-r1")


def test_a_campaign_that_people_have_to_decide_on_is_at_rest(world: World) -> None:
    world.verdicts["clinic-r1"] = "undecided"
    world.apply()
    status = world.run_until_rest()
    assert status.phase == "Undecided"
    assert is_at_rest(status)


def test_a_canary_is_watched_although_nothing_else_of_the_campaign_can_be_read(
    world: World,
) -> None:
    world.write_corpus("first")
    world.apply(config=CONFIG | DATA)
    world.run_until_rest()
    world.write_corpus("second")
    world.run_until_rest()
    world.count(HARM)
    world.storage.write_bytes("campaigns/clinic/campaign.json", b"{}x")
    assert world.wait(60).phase == "Stalled"
    assert world.route().canary is None


def test_a_canary_is_watched_although_the_settings_cannot_be_used(world: World) -> None:
    world.write_corpus("first")
    world.apply(config=CONFIG | DATA)
    world.run_until_rest()
    world.write_corpus("second")
    world.run_until_rest()
    world.count(HARM)
    world.apply(config={"storage": "elsewhere"})
    assert world.wait(60).phase == "Stalled"
    assert world.route().canary is None
