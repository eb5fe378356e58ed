"""The whole story of a campaign: applied, served, better, worse, harmful."""

import pytest

from k8s.api.cluster import CAMPAIGN, RAY_JOB
from k8s.operator.observe import Observer
from nmt.errors import StorageError
from tests.support.k8s.campaign_world import CONFIG, DATA, World, engine_of
from tests.support.rollouts import CLEAN, HARM


def test_an_applied_campaign_is_served(world: World) -> None:
    world.apply()
    status = world.run_until_rest()
    assert status.phase == "Served", status.message
    assert world.serving() == engine_of("clinic-r1") == status.serves
    assert [step.state for step in status.steps] == ["done"] * 8


def test_new_data_makes_a_better_engine_which_is_promoted_after_its_canary(world: World) -> None:
    world.serve_first()
    world.write_corpus("second")
    status = world.run_until_rest()
    assert (status.phase, status.revision and status.revision.trigger) == ("Canary", "data")
    assert world.serving() == engine_of("clinic-r1")
    status = world.roll_out(CLEAN)
    assert status.phase == "Served"
    assert world.serving() == engine_of("clinic-r2")
    assert [past.run for past in status.history] == ["clinic-r1"]


def test_the_jobs_of_a_revision_take_over_what_the_one_before_has_done(world: World) -> None:
    world.serve_first()
    world.write_corpus("second")
    world.run_until_rest()
    words = {
        name: job["spec"]["entrypoint"].split()
        for (kind, name), job in world.cluster.objects.items()
        if kind == "RayJob"
    }
    earlier = "campaign.reuse=%5B%22clinic-r1%22%5D"
    assert any("run=clinic-r2" in found for found in words.values())
    for found in words.values():
        assert (earlier in found) == ("run=clinic-r2" in found)


def test_a_worse_engine_is_rejected_with_the_reason_of_the_gate(world: World) -> None:
    world.serve_first()
    world.verdicts["clinic-r2"] = "reject"
    world.write_corpus("second")
    status = world.run_until_rest()
    assert status.phase == "Rejected"
    assert status.message == "gain: +1.50 chrF++"
    assert world.serving() == engine_of("clinic-r1")


def test_a_harmful_canary_is_rolled_back_and_not_tried_again(world: World) -> None:
    world.serve_first()
    world.write_corpus("second")
    world.run_until_rest()
    status = world.roll_out(HARM)
    assert status.phase == "RolledBack"
    assert status.message.startswith("unusable outputs: 80 of 800 pairs only in the canary")
    assert world.serving() == engine_of("clinic-r1")
    assert world.wait(86_400).phase == "RolledBack"
    assert len(world.record().revisions) == 2


def test_the_same_settings_and_data_start_nothing(world: World) -> None:
    world.serve_first()
    before = world.cluster.store.version
    for _ in range(5):
        world.wait(600)
    assert world.cluster.store.version == before
    assert len(world.record().revisions) == 1


def test_a_deleted_status_is_made_again(world: World) -> None:
    world.serve_first()
    status = world.status()
    world.cluster.objects["TranslationCampaign", "clinic"].pop("status")
    world.restart()
    made = world.wait(5)
    times = {"conditions": ()}
    assert made.model_copy(update=times) == status.model_copy(update=times)
    assert [each.status for each in made.conditions] == [each.status for each in status.conditions]


def test_an_operator_that_dies_at_any_write_leads_to_the_same_end(world: World) -> None:
    world.apply()
    seen = set()
    while (status := world.status()).phase != "Served":
        seen.add(status.phase)
        world.restart()
        world.reconcile()
        world.finish_jobs()
    assert len(world.record().revisions) == 1
    assert len(world.jobs()) == 3
    assert {"Preparing", "Searching", "Training"} <= seen


def test_a_changed_spec_ends_the_revision_that_works(world: World) -> None:
    world.apply()
    world.reconcile()
    world.apply(config={"seed": 2})
    status = world.run_until_rest()
    assert status.phase == "Served"
    assert status.revision
    assert (status.revision.number, status.revision.trigger) == (2, "spec")
    assert world.record().revisions[0].outcome == "replaced"
    assert not world.exported("clinic-r1")


def test_a_deleted_campaign_gives_up_its_canary(world: World) -> None:
    world.serve_first()
    world.write_corpus("second")
    world.run_until_rest()
    del world.cluster.objects["TranslationCampaign", "clinic"]
    world.reconcile()
    route = world.route()
    assert (route.stable, route.canary, route.owner) == (engine_of("clinic-r1"), None, None)


def test_a_campaign_that_is_made_again_goes_on_with_the_next_number(world: World) -> None:
    world.serve_first()
    del world.cluster.objects["TranslationCampaign", "clinic"]
    world.restart()
    world.reconcile()
    world.apply(config=CONFIG | DATA | {"seed": 9})
    status = world.run_until_rest()
    assert status.revision
    assert status.revision.run == "clinic-r2"


def test_a_campaign_whose_record_is_lost_does_not_take_a_run_twice(world: World) -> None:
    world.serve_first()
    world.storage.delete("campaigns/clinic/campaign.json")
    world.wait(60)
    current = world.record().current
    assert current
    assert current.number == 2


def test_a_changed_spec_ends_the_canary_of_the_revision_before(world: World) -> None:
    world.serve_first()
    world.write_corpus("second")
    assert world.run_until_rest().phase == "Canary"
    world.apply(config=CONFIG | DATA | {"seed": 5})
    world.reconcile()
    assert world.route().canary is None
    assert world.run_until_rest().phase == "Canary"
    assert world.route().canary == engine_of("clinic-r3")


def test_the_next_job_waits_until_the_one_before_is_gone(world: World) -> None:
    world.apply()
    world.reconcile()
    [job] = world.jobs()
    name = job["metadata"]["name"]
    world.cluster.objects[RAY_JOB.name, name]["metadata"]["finalizers"] = ["ray.io/cleanup"]
    world.apply(config=CONFIG | {"seed": 5})
    world.reconcile()
    world.wait(30)
    assert [each["metadata"]["name"] for each in world.jobs()] == [name]
    world.cluster.finalize(RAY_JOB, name)
    world.wait(5)
    [after] = world.jobs()
    assert after["metadata"]["labels"]["nmt/run"] == "clinic-r2"


def test_a_read_that_fails_does_not_bring_a_suspended_canary_further(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*words: object) -> None:
        raise StorageError("the disk is gone")

    world.serve_first()
    world.write_corpus("second")
    world.run_until_rest()
    world.count(CLEAN)
    world.apply(suspend=True)
    monkeypatch.setattr(Observer, "observe", fail)
    world.wait(60)
    monkeypatch.undo()
    assert (world.route().percent, world.wait(60).phase) == (1, "Suspended")


def test_the_log_says_in_words_what_the_operator_does(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "k8s")
    world.serve_first()
    assert "revision 1 starts, run clinic-r1 (because of: spec)" in caplog.messages
    assert not [line for line in caplog.messages if "(number=" in line or "planned=" in line]


def test_a_job_that_still_runs_after_its_last_step_ends_by_itself(world: World) -> None:
    world.apply()
    world.reconcile("clinic")
    [job] = world.live_jobs()
    while "gate" not in job["metadata"]["labels"]["nmt/step"]:
        world.finish_jobs()
        world.reconcile("clinic")
        [job] = world.live_jobs()
    for step in job["metadata"]["labels"]["nmt/step"].split("."):
        world.leave("clinic-r1", step)
    assert world.wait(15).phase == "Served"
    assert world.live_jobs() == [job]


def test_the_status_has_the_time_of_every_step_after_its_job_is_gone(world: World) -> None:
    world.serve_first()
    for job in world.jobs():
        world.cluster.delete(RAY_JOB, job["metadata"]["name"])
    for step in world.wait(60).steps:
        if step.name != "gate":
            assert step.start_time
            assert step.end_time
            assert (step.end_time - step.start_time).total_seconds() == step.seconds


def test_a_campaign_that_was_deleted_still_holds_something_until_it_is_looked_at(
    world: World,
) -> None:
    world.serve_first()
    assert world.route().owner == "campaign/clinic"
    del world.cluster.objects[CAMPAIGN.name, "clinic"]
    for name in world.reconciler.held():
        world.reconcile(name)
    assert world.route().owner is None
