"""Of two processes that change a rollout, one that decided on an older state changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from nmt.config import RolloutConfig
from nmt.rollout import OvertakenError, command, rollouts_of, run, settle, start
from nmt.rollout import begin as beginning
from nmt.storage import Storage
from tests.support.rollouts import CLEAN, NAME, OWNER, QUICK, ROUTE, Rollouts, quick_storage


class Crash(Exception):
    """The end of a process."""


class MortalStorage(Storage):
    """A storage root whose process dies before a write, if it is told which."""

    dies_at = 0
    tried = 0

    @override
    def replace_if(self, path: str, content: bytes, token: str | None) -> bool:
        self.tried += 1
        if self.tried == self.dies_at:
            raise Crash
        return super().replace_if(path, content, token)


def beside(root: Path, storage: Storage | None = None) -> Rollouts:
    hourly = RolloutConfig(seconds_per_step=3600, seconds_before_all=3600)
    return Rollouts(storage or Storage(str(root)), settings=hourly)


def test_a_rollout_that_begins_just_before_the_record_is_written_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_storage(tmp_path)
    mine, other = beside(tmp_path), beside(tmp_path)
    read = beginning.rollouts_of

    def after_the_other(*words: Any) -> Any:
        monkeypatch.setattr(beginning, "rollouts_of", read)
        other.start()
        return read(*words)

    monkeypatch.setattr(beginning, "rollouts_of", after_the_other)
    assert mine.start() == other.running()
    assert [each.id for each in rollouts_of(mine.storage, NAME, ROUTE)] == [other.running().id]


def test_what_another_process_ends_meanwhile_is_not_taken_for_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_storage(tmp_path)
    storage = MortalStorage(str(tmp_path))
    mine, other = beside(tmp_path), beside(tmp_path, storage)
    write = settle.change_traffic

    def and_then_the_other(*words: Any, **options: Any) -> Any:
        monkeypatch.setattr(settle, "change_traffic", write)
        write(*words, **options)
        # After the record of the abort, and before the traffic file follows it.
        storage.dies_at = 4
        with pytest.raises(Crash):
            other.command("abort")
        [record] = rollouts_of(storage, NAME, ROUTE)
        assert (record.state, other.route.canary) == ("aborted", "b")

    monkeypatch.setattr(settle, "change_traffic", and_then_the_other)
    rollout = mine.start().id
    mine.look(rollout)
    assert (mine.route.stable, mine.route.canary) == ("a", None)


def test_a_command_that_was_decided_on_before_another_one_is_refused(tmp_path: Path) -> None:
    quick_storage(tmp_path)
    rollouts = beside(tmp_path)
    seen = rollouts.start()
    rollouts.command("pause")
    rollouts.command("resume")
    with pytest.raises(OvertakenError, match="has changed meanwhile"):
        command(
            rollouts.storage, NAME, seen.id, "pause", by="ann", reason="late",
            after=seen.events[-1], now=rollouts.now,
        )  # fmt: skip
    assert rollouts.running().state == "running"


def test_a_start_that_was_decided_on_before_another_rollout_is_refused(tmp_path: Path) -> None:
    quick_storage(tmp_path)
    rollouts = beside(tmp_path)
    rollouts.command("abort", rollouts.start().id)
    with pytest.raises(OvertakenError, match="has begun meanwhile"):
        start(rollouts.storage, NAME, "b", QUICK, owner=OWNER, by="ann", after="", now=rollouts.now)
    assert len(rollouts_of(rollouts.storage, NAME, ROUTE)) == 1


def test_counts_that_were_read_before_another_look_do_not_seem_to_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_storage(tmp_path)
    mine, other = beside(tmp_path), beside(tmp_path)
    rollout = mine.start().id
    read = run.read_reports

    def and_then_the_other(*words: Any) -> Any:
        monkeypatch.setattr(run, "read_reports", read)
        reports = read(*words)
        other.report(CLEAN)
        other.look(rollout)
        return reports

    monkeypatch.setattr(run, "read_reports", and_then_the_other)
    mine.look(rollout)
    found = mine.running()
    assert (found.state, found.pairs) == ("running", other.running().pairs)
    assert found.pairs > 0
