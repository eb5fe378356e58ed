"""The command `nmt rollout` from its first look to its exit code, on a real storage root."""

import time
from collections.abc import Callable

import pytest

from nmt.rollout import newest_rollout, running_rollout
from ray_jobs.cli import main
from tests.support.rollouts import CLEAN, HARM, NAME, ROUTE, UNALIKE, Rollouts

Command = Callable[..., int]
QUICK = ("rollout.seconds_per_step=0", "rollout.seconds_before_all=0", "run=b")


@pytest.fixture
def nmt(rollouts) -> Command:
    return lambda *words: main.main([*words, f"storage={rollouts.storage.url}"])


@pytest.fixture
def replicas(monkeypatch) -> list[Callable[[], object]]:
    """What happens while the command waits, in order."""
    actions: list[Callable[[], object]] = []

    def act(seconds: float) -> None:
        assert actions, "the command waits for nothing"
        actions.pop(0)()

    monkeypatch.setattr(time, "sleep", act)
    return actions


def reports(rollouts: Rollouts, counts: dict) -> Callable[[], object]:
    def write() -> None:
        record = running_rollout(rollouts.storage, NAME, ROUTE)
        assert record
        rollouts.now = record.started
        rollouts.report(counts)

    return write


def test_an_engine_without_harm_is_promoted_and_the_exit_code_is_0(rollouts, nmt, replicas, caplog):
    replicas += [reports(rollouts, CLEAN)] * 3
    assert nmt("rollout", *QUICK) == 0
    assert (rollouts.route.stable, rollouts.route.owner) == ("b", None)


def test_an_engine_with_harm_is_rolled_back_and_the_exit_code_is_1(rollouts, nmt, replicas, capsys):
    replicas += [reports(rollouts, CLEAN), reports(rollouts, HARM)]
    assert nmt("rollout", *QUICK) == 1
    said = capsys.readouterr().err
    assert "rolled back: unusable outputs" in said
    assert "stays on engine a" in said
    assert (rollouts.route.stable, rollouts.route.canary) == ("a", None)


def test_a_stopped_command_goes_on_with_the_same_rollout(rollouts, nmt, replicas):
    def interrupt() -> None:
        raise KeyboardInterrupt

    replicas += [reports(rollouts, CLEAN), interrupt]
    assert nmt("rollout", *QUICK) == 130
    assert rollouts.route.percent == 10
    replicas += [reports(rollouts, CLEAN)] * 2
    assert nmt("rollout", *QUICK) == 0
    found = newest_rollout(rollouts.storage, NAME, ROUTE)
    assert found
    assert (found.id, found.tries) == (f"{ROUTE}-0001", 1)


def test_another_terminal_pauses_resumes_and_promotes_it(rollouts, nmt, replicas):
    replicas += [
        lambda: nmt("rollout", "run=b", "--pause"),
        lambda: nmt("rollout", "run=b", "--resume"),
        lambda: nmt("rollout", "run=b", "--promote", "the fair begins"),
    ]
    assert nmt("rollout", *QUICK) == 0
    found = newest_rollout(rollouts.storage, NAME, ROUTE)
    assert found
    assert [event.what for event in found.events] == ["start", "pause", "resume", "promote"]
    assert found.reason == "the fair begins"


def test_an_engine_that_was_promoted_can_still_be_given_up(rollouts, nmt, capsys):
    assert nmt("rollout", "run=b", "rollout.mode=direct") == 0
    assert nmt("rollout", "run=b", "--abort", "clients complain") == 0
    assert rollouts.route.stable == "a"
    assert nmt("rollout", "run=b", "--abort", "clients complain") == 0


def test_an_unalike_engine_waits_for_a_person(rollouts, nmt, replicas):
    replicas += [
        reports(rollouts, UNALIKE),
        lambda: nmt("rollout", "run=b", "--abort", "they are of another domain"),
    ]
    assert nmt("rollout", *QUICK) == 1


def test_the_status_shows_evidence_and_events(rollouts, nmt, replicas, capsys):
    replicas += [reports(rollouts, HARM)]
    nmt("rollout", *QUICK)
    capsys.readouterr()
    assert nmt("rollout", "run=b", "--status") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "broken unusable outputs 800 80 0" in shown
    assert "evidence of harm, all together:" in shown
    assert "rollback rollout unusable outputs" in shown


@pytest.mark.parametrize("option", ["--status", "--pause", "--resume"])
def test_without_a_rollout_there_is_nothing_to_do(nmt, capsys, option):
    assert nmt("rollout", "run=b", option) == 2
    assert "run 'b' has no rollout" in capsys.readouterr().err


def test_a_command_without_a_reason_is_refused(rollouts, nmt, capsys):
    rollouts.start()
    assert nmt("rollout", "run=b", "--abort", " ") == 2
    assert "--abort needs a reason" in capsys.readouterr().err


def test_promote_and_rollback_of_a_running_rollout_say_what_to_do(rollouts, nmt, capsys):
    rollouts.owner, rollouts.keep_route = "rollout/b", False
    rollouts.start()
    for words in (("promote", "run=b"), ("rollback",), ("promote", "run=b", "--canary", "20")):
        assert nmt(*words) == 2
        assert "nmt rollout run=b" in capsys.readouterr().err
