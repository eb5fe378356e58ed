"""What people tell a campaign: suspend, and actions that are done once for each id."""

from typing import Any

import pytest

from k8s.operator.record import CampaignRecord
from nmt.rollout import settle
from nmt.runs import layout
from tests.support.k8s.campaign_world import CONFIG, DATA, World, engine_of
from tests.support.rollouts import CLEAN, HARM, UNALIKE


class Killed(BaseException):
    """The end of the operator's process."""


def die(*_: object, **__: object) -> None:
    raise Killed


def kill_operator_in(world: World, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Let the operator work once more, and end its process where it calls this function."""
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, die)
        with pytest.raises(Killed):
            world.wait(60)


def test_a_suspended_campaign_deletes_its_job_and_starts_nothing(world: World) -> None:
    world.apply()
    world.reconcile()
    [job] = world.jobs()
    world.apply(suspend=True)
    assert world.wait(5).phase == "Suspended"
    assert world.wait(600).phase == "Suspended"
    assert world.jobs() == []
    world.apply(suspend=False)
    world.wait(5)
    assert [again["metadata"]["name"] for again in world.jobs()] == [job["metadata"]["name"]]
    assert world.run_until_rest().phase == "Served"


def test_a_suspended_rollout_waits_and_goes_on(world: World) -> None:
    world.begin_canary()
    world.apply(suspend=True)
    status = world.wait(5)
    assert (status.phase, status.rollout and status.rollout.state) == ("Suspended", "paused")
    world.count(CLEAN)
    world.wait(600)
    assert world.route().percent == 1
    world.apply(suspend=False)
    assert world.wait(5).phase == "Canary"
    assert world.roll_out(CLEAN).phase == "Served"


def test_a_pause_by_a_person_outlasts_a_suspension(world: World) -> None:
    world.begin_canary()
    world.tell("1", "pause", "let us look")
    assert world.wait(5).phase == "Paused"
    world.apply(suspend=True)
    world.wait(5)
    world.apply(suspend=False)
    assert world.wait(60).phase == "Paused"
    world.tell("2", "resume")
    assert world.wait(60).phase == "Canary"


def test_a_pause_for_lost_reports_outlasts_a_suspension(world: World) -> None:
    _lose_reports(world)
    world.apply(suspend=True)
    world.wait(60)
    world.apply(suspend=False)
    status = world.wait(60)
    assert status.phase == "Paused"
    assert "reports that had counts of this rollout are gone" in status.message
    world.tell("1", "resume", "the node was replaced")
    assert world.wait(60).phase == "Canary"


def _lose_reports(world: World) -> None:
    """Let the report of the only replica be deleted in the middle of a canary."""
    world.begin_canary()
    world.count(CLEAN)
    world.wait(60)
    world.storage.delete(layout.replica_report("default", "r1"))
    assert world.wait(60).phase == "Paused"


def test_a_pause_by_the_tail_outlasts_a_suspension(world: World) -> None:
    world.begin_canary()
    world.count(UNALIKE)
    assert world.wait(60).phase == "Paused"
    world.apply(suspend=True)
    world.wait(60)
    world.apply(suspend=False)
    assert world.wait(60).phase == "Paused"


def test_a_replica_that_is_silent_in_a_suspension_pauses_again_after_it(world: World) -> None:
    world.begin_canary()
    world.count(CLEAN)
    world.apply(suspend=True)
    world.wait(600)
    world.apply(suspend=False)
    world.wait(5)
    status = world.wait(60)
    assert (status.phase, world.route().percent) == ("Paused", 1)
    assert "no report of r1" in status.message
    world.count(CLEAN)
    assert world.wait(60).phase == "Canary"


def test_a_pause_by_a_person_in_a_suspension_outlasts_it(world: World) -> None:
    world.begin_canary()
    world.apply(suspend=True)
    world.wait(5)
    world.tell("1", "pause", "let us look")
    world.wait(5)
    world.apply(suspend=False)
    status = world.wait(60)
    assert (status.phase, status.message) == ("Paused", "1 % of the clients: let us look")


def test_an_action_is_done_once_for_each_id(world: World) -> None:
    world.begin_canary()
    world.tell("1", "pause")
    world.wait(5)
    world.tell("2", "resume")
    world.wait(5)
    world.tell("1", "pause")
    assert world.wait(5).phase == "Canary"
    world.restart()
    assert world.wait(5).phase == "Canary"
    assert [each.id for each in world.record().actions] == ["1", "2"]


def test_promote_ends_a_canary_at_once(world: World) -> None:
    world.begin_canary()
    world.tell("1", "promote", "users wait for it")
    status = world.wait(5)
    assert (status.phase, world.serving()) == ("Served", engine_of("clinic-r2"))
    assert status.action
    assert status.action.result == f"engine {engine_of('clinic-r2')} serves all clients"


def test_abort_ends_a_canary_in_favour_of_the_stable_engine(world: World) -> None:
    world.begin_canary()
    world.tell("1", "abort", "a release is near")
    status = world.wait(5)
    assert (status.phase, status.message) == ("RolledBack", "a release is near")
    assert world.serving() == engine_of("clinic-r1")
    assert world.route().canary is None


def test_rollback_returns_to_the_engine_before(world: World) -> None:
    world.begin_canary()
    assert world.roll_out(CLEAN).phase == "Served"
    world.tell("1", "rollback", "users complain")
    status = world.wait(5)
    assert (status.phase, status.message) == ("RolledBack", "users complain (spec.action 1)")
    assert world.serving() == engine_of("clinic-r1")
    world.restart()
    world.wait(600)
    assert world.serving() == engine_of("clinic-r1")


def test_abort_ends_a_revision_at_work(world: World) -> None:
    world.apply()
    world.reconcile()
    world.tell("1", "abort", "wrong data")
    status = world.wait(5)
    assert (status.phase, status.message) == ("Failed", "aborted by spec.action 1: wrong data")
    assert world.jobs() == []
    assert world.wait(600).phase == "Failed"


def test_an_engine_that_the_gate_did_not_accept_needs_a_reason(world: World) -> None:
    world.verdicts["clinic-r1"] = "undecided"
    world.apply()
    assert world.run_until_rest().phase == "Undecided"
    world.tell("1", "promote")
    status = world.wait(5)
    assert status.phase == "Undecided"
    assert status.action
    assert "set spec.action.reason" in status.action.result
    world.tell("2", "promote", "three translators prefer it")
    assert world.wait(5).phase == "Served"
    assert world.route().forced == {engine_of("clinic-r1"): "three translators prefer it"}


def test_people_who_decide_end_the_wait(world: World) -> None:
    world.verdicts["clinic-r1"] = "undecided"
    world.apply()
    world.run_until_rest()
    world.verdicts["clinic-r1"] = "accept"
    world.leave("clinic-r1", "gate")
    assert world.wait(600).phase == "Served"


def test_a_failed_revision_is_done_again_only_when_it_is_told_to(world: World) -> None:
    world.apply()
    world.reconcile()
    world.fail_jobs()
    status = world.wait(5)
    assert status.phase == "Failed"
    assert "the job ended with exit code 1" in status.message
    assert world.wait(86_400).phase == "Failed"
    assert len(world.jobs()) == 1
    world.tell("1", "retry")
    assert world.run_until_rest().phase == "Served"
    current = world.record().current
    assert current
    assert (current.number, current.attempt) == (1, 1)


def test_retry_of_a_finished_revision_starts_the_next_one(world: World) -> None:
    world.apply()
    world.run_until_rest()
    world.tell("1", "retry", "once more")
    status = world.run_until_rest()
    assert status.revision
    assert (status.revision.number, status.revision.trigger) == (2, "action")


def test_a_retry_waits_until_new_data_is_complete(world: World) -> None:
    world.serve_first()
    world.write_corpus("half of the sec")
    world.tell("1", "retry")
    status = world.wait(5)
    assert status.revision
    assert (status.revision.number, status.action) == (1, None)
    world.write_corpus("the second")
    status = world.wait(5)
    assert status.revision
    assert (status.revision.number, status.action) == (1, None)
    status = world.wait(60)
    assert status.revision
    assert (status.revision.number, status.revision.trigger) == (2, "action")
    assert status.action
    assert status.action.result == "revision 2 has started"


def test_a_campaign_says_that_a_retry_waits(world: World) -> None:
    world.serve_first()
    world.write_corpus("half of the sec")
    world.tell("1", "retry")
    assert "spec.action waits until the new data is complete" in world.wait(5).message
    assert "spec.action waits" not in world.wait(60).message


def test_a_retry_of_a_failed_prepare_waits_until_new_data_is_complete(world: World) -> None:
    world.write_corpus("first")
    world.apply(config=CONFIG | DATA)
    world.let_data_settle()
    world.reconcile()
    world.fail_jobs()
    world.wait(5)
    world.write_corpus("half of the sec")
    world.tell("1", "retry")
    assert world.wait(5).phase == "Failed"
    assert world.live_jobs() == []
    assert world.wait(60).phase == "Preparing"


def test_a_retry_without_data_says_what_is_missing(world: World) -> None:
    world.serve_first()
    (world.root / "corpora/mine.tsv").unlink()
    world.tell("1", "retry")
    action = world.wait(5).action
    assert action
    assert "no revision was started: spec.config.data.path 'corpora/mine.tsv'" in action.result


def test_an_action_that_cannot_be_done_says_why_and_changes_nothing(world: World) -> None:
    world.apply()
    world.run_until_rest()
    for number, do in enumerate(["pause", "resume", "abort"]):
        world.tell(str(number), do)
        status = world.wait(5)
        assert status.phase == "Served"
        assert status.action
        assert status.action.result.startswith("nothing was ")


def test_the_first_engine_cannot_be_rolled_back(world: World) -> None:
    world.apply()
    world.run_until_rest()
    world.tell("1", "rollback", "it is bad")
    status = world.wait(5)
    assert status.action
    assert "there is nothing to roll back to" in status.action.result
    assert world.serving() == engine_of("clinic-r1")


def test_an_abort_that_was_cut_short_says_what_it_did(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.apply()
    world.reconcile()
    world.tell("1", "abort", "wrong data")
    kill_operator_in(world, monkeypatch, CampaignRecord, "with_action")
    world.restart()
    status = world.wait(5)
    assert status.action
    assert status.action.result == "revision 1 has ended"


def test_a_rollout_of_a_suspended_campaign_is_not_resumed(world: World) -> None:
    world.begin_canary()
    world.apply(suspend=True)
    world.wait(60)
    world.tell("1", "resume", "go on")
    status = world.wait(60)
    assert status.action
    assert status.action.result.startswith("nothing was resumed: set spec.suspend to false")
    assert status.rollout
    assert status.rollout.state == "paused"


def roll_back_after_harm(world: World) -> None:
    """Serve two engines one after the other, and roll back the canary of the third."""
    world.begin_canary()
    assert world.roll_out(CLEAN).phase == "Served"
    world.write_corpus("third")
    assert world.run_until_rest().phase == "Canary"
    assert world.roll_out(HARM).phase == "RolledBack"
    assert world.serving() == engine_of("clinic-r2")


def test_the_engine_that_serves_is_rolled_back_although_a_later_canary_was(world: World) -> None:
    roll_back_after_harm(world)
    world.tell("1", "rollback", "users complain")
    status = world.wait(60)
    assert world.serving() == engine_of("clinic-r1")
    assert status.action
    assert status.action.result == f"engine {engine_of('clinic-r2')} no longer serves"
    assert [each.phase for each in status.history if each.run == "clinic-r2"] == ["RolledBack"]
    # Once for each id.
    world.wait(60)
    assert world.serving() == engine_of("clinic-r1")


def test_a_rollback_that_was_cut_short_rolls_nothing_else_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll_back_after_harm(world)
    world.tell("1", "rollback", "users complain")
    kill_operator_in(world, monkeypatch, CampaignRecord, "with_action")
    assert world.serving() == engine_of("clinic-r1")
    world.restart()
    status = world.wait(60)
    assert world.serving() == engine_of("clinic-r1")
    assert status.action
    assert status.action.result == f"engine {engine_of('clinic-r2')} no longer serves"


def test_a_rollback_that_was_cut_short_in_the_traffic_is_finished(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll_back_after_harm(world)
    world.tell("1", "rollback", "users complain")
    kill_operator_in(world, monkeypatch, settle, "change_traffic")
    assert world.serving() == engine_of("clinic-r2")
    world.restart()
    world.wait(60)
    assert world.wait(60).action
    assert world.serving() == engine_of("clinic-r1")


def test_a_second_rollback_of_an_ended_canary_says_that_nothing_was_done(world: World) -> None:
    world.begin_canary()
    world.tell("1", "abort", "not now")
    world.wait(60)
    world.tell("2", "rollback", "users complain")
    status = world.wait(60)
    # The first engine of a route has none before it.
    assert status.action
    assert status.action.result.startswith("refused: engine ")
    assert world.serving() == engine_of("clinic-r1")


def test_the_rollback_of_an_earlier_revision_is_in_the_history(world: World) -> None:
    world.begin_canary()
    assert world.roll_out(CLEAN).phase == "Served"
    world.verdicts["clinic-r3"] = "reject"
    world.write_corpus("third")
    assert world.run_until_rest().phase == "Rejected"
    world.tell("1", "rollback", "users complain")
    world.wait(60)
    status = world.wait(60)
    assert world.serving() == engine_of("clinic-r1")
    assert [each.phase for each in status.history if each.run == "clinic-r2"] == ["RolledBack"]
