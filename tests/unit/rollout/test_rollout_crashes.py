"""A rollout survives a crash before any write, and another process between any two of them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from nmt.config import RolloutConfig
from nmt.errors import InputError
from nmt.rollout import RolloutRecord, newest_rollout, rollouts_of, settle
from nmt.rollout import begin as beginning
from nmt.rollout.follow import follow
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import read_traffic
from tests.support.rollouts import CLEAN, HARM, NAME, ROUTE, Rollouts, quick_storage

MOST_WRITES = 6


class Crash(Exception):
    """The end of a process."""


class WatchedStorage(Storage):
    """A storage root that calls a function before each write of a record or the traffic file."""

    before_write: Callable[[], None] = staticmethod(lambda: None)

    @override
    def replace_if(self, path: str, content: bytes, token: str | None) -> bool:
        self.before_write()
        return super().replace_if(path, content, token)


def begin(root: Path) -> Rollouts:
    quick_storage(root)
    hourly = RolloutConfig(seconds_per_step=3600, seconds_before_all=3600)
    return Rollouts(WatchedStorage(str(root)), settings=hourly)


def start(rollouts: Rollouts) -> None:
    rollouts.start()


def promote_at_once(rollouts: Rollouts) -> None:
    rollouts.start(mode="direct")


def advance(rollouts: Rollouts) -> None:
    look_with(rollouts, CLEAN)


def roll_back(rollouts: Rollouts) -> None:
    look_with(rollouts, HARM)


def look_with(rollouts: Rollouts, counts: dict) -> None:
    record = newest(rollouts)
    if record.is_active and rollouts.now == record.started:
        rollouts.later(hours=1)
        rollouts.report(counts)
    rollouts.look(record.id)


def commanded(do: str) -> Callable[[Rollouts], None]:
    def give(rollouts: Rollouts) -> None:
        rollouts.command(do, newest(rollouts).id)  # type: ignore[arg-type]

    return give


def newest(rollouts: Rollouts) -> RolloutRecord:
    found = newest_rollout(rollouts.storage, NAME, ROUTE)
    assert found
    return found


def finish(rollouts: Rollouts) -> None:
    """Do what the operator does later: look at the newest rollout."""
    rollouts.look(newest(rollouts).id)


OPERATIONS = {
    "start": ([], start),
    "direct": ([], promote_at_once),
    "advance": ([start], advance),
    "rollback": ([start], roll_back),
    "pause": ([start], commanded("pause")),
    "resume": ([start, commanded("pause")], commanded("resume")),
    "promote": ([start], commanded("promote")),
    "abort": ([start], commanded("abort")),
    "undo": ([promote_at_once], commanded("abort")),
}


def outcome(rollouts: Rollouts) -> tuple[object, ...]:
    """Return what a rollout has come to, without ids that are drawn at random."""
    record, route = newest(rollouts), rollouts.route
    traffic = read_traffic(rollouts.storage, NAME)
    assert record.settled
    assert follow(record, traffic) == traffic
    told = [event.what for event in record.events]
    return (
        record.id, record.state, record.step, record.reason, told, route.stable, route.canary,
        route.percent, route.previous, route.owner, bool(route.rollout),
    )  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_after_a_crash_before_any_write_the_same_call_comes_to_the_same_end(tmp_path, name):
    before, operation = OPERATIONS[name]
    ends, writes = [], 0
    for crash_at in range(MOST_WRITES + 1):
        rollouts = begin(tmp_path / str(crash_at))
        for each in before:
            each(rollouts)
        writes = crash_after(rollouts, operation, crash_at)
        operation(rollouts)
        finish(rollouts)
        ends.append(outcome(rollouts))
    assert writes < MOST_WRITES, "the operation writes more often than the test crashes it"
    assert len(set(map(str, ends))) == 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_after_a_crash_one_look_makes_record_and_traffic_agree(tmp_path, name):
    before, operation = OPERATIONS[name]
    for crash_at in range(1, MOST_WRITES):
        rollouts = begin(tmp_path / str(crash_at))
        for each in before:
            each(rollouts)
        crash_after(rollouts, operation, crash_at)
        if newest_rollout(rollouts.storage, NAME, ROUTE):
            finish(rollouts)
            outcome(rollouts)


@pytest.mark.parametrize("name", ["start", "advance", "rollback", "promote", "resume"])
def test_a_process_that_sleeps_brings_back_nothing_that_was_aborted(tmp_path, name):
    before, operation = OPERATIONS[name]
    first = 1 if before else 2
    for sleep_at in range(first, MOST_WRITES):
        rollouts = begin(tmp_path / str(sleep_at))
        for each in before:
            each(rollouts)
        other = Rollouts(Storage(str(tmp_path / str(sleep_at))))

        if not interrupt(rollouts, operation, sleep_at, partial(commanded("abort"), other)):
            assert sleep_at > first, "no write was interrupted"
            return
        finish(rollouts)
        outcome(rollouts)
        record = newest(rollouts)
        assert not record.is_active
        # An engine that was promoted before the abort is rolled back.
        assert (rollouts.route.stable, rollouts.route.canary) == ("a", None)


def crash_after(rollouts: Rollouts, operation: Callable[[Rollouts], None], writes: int) -> int:
    """Do an operation that crashes before one of its writes, from 1; 0: it does not crash.

    Returns:
        The number of writes that it tried.
    """
    tried = 0

    def count() -> None:
        nonlocal tried
        tried += 1
        if tried == writes:
            raise Crash

    rollouts.storage.before_write = count  # type: ignore[attr-defined]
    try:
        operation(rollouts)
    except Crash:
        pass
    finally:
        del rollouts.storage.before_write  # type: ignore[attr-defined]
    return tried


def interrupt(
    rollouts: Rollouts,
    operation: Callable[[Rollouts], None],
    at: int,
    other: Callable[[], None],
) -> bool:
    """Do an operation, and another one before one of its writes, from 1.

    Returns:
        Whether there was such a write.
    """
    tried = 0

    def meet() -> None:
        nonlocal tried
        tried += 1
        if tried == at:
            other()

    rollouts.storage.before_write = meet  # type: ignore[attr-defined]
    try:
        operation(rollouts)
    except InputError:
        # The other process has ended what this one would change.
        pass
    finally:
        del rollouts.storage.before_write  # type: ignore[attr-defined]
    return tried >= at


def test_of_two_processes_that_begin_the_same_rollout_one_begins_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = begin(tmp_path), begin_beside(tmp_path)
    judge = beginning.judge_candidate

    def after_the_other(*words: Any, **options: Any) -> Any:
        monkeypatch.setattr(beginning, "judge_candidate", judge)
        other.start()
        return judge(*words, **options)

    monkeypatch.setattr(beginning, "judge_candidate", after_the_other)
    assert mine.start() == other.running()
    assert [each.id for each in rollouts_of(mine.storage, NAME, ROUTE)] == [other.running().id]


def test_a_process_with_an_old_traffic_file_does_not_take_the_canary_for_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = begin(tmp_path), begin_beside(tmp_path)
    die_before_write(mine, 2)
    with pytest.raises(Crash):
        mine.start()
    read, reads = settle.read_existing, 0

    def after_the_other(*words: Any) -> Any:
        nonlocal reads
        reads += 1
        # The first one follows the traffic file that was read.
        if reads == 1:
            other.look()
        return read(*words)

    mine.storage = Storage(str(tmp_path))
    rollout = other.running().id
    monkeypatch.setattr(settle, "read_existing", after_the_other)
    assert mine.look(rollout).state == "running"
    assert mine.route.canary == "b"


def test_a_report_that_cannot_be_read_for_a_while_is_not_lost(tmp_path: Path) -> None:
    rollouts = begin(tmp_path)
    rollouts.start()
    rollouts.report(CLEAN)
    pairs = rollouts.look().pairs
    path = layout.replica_report(NAME, "r1")
    report = rollouts.storage.read_bytes(path)
    rollouts.storage.write_bytes(path, b"{")
    assert rollouts.look().pause_cause == "silent"
    rollouts.storage.write_bytes(path, report)
    again = rollouts.look()
    assert (again.state, again.pairs) == ("running", pairs)


def begin_beside(root: Path) -> Rollouts:
    hourly = RolloutConfig(seconds_per_step=3600, seconds_before_all=3600)
    return Rollouts(Storage(str(root)), settings=hourly)


def die_before_write(rollouts: Rollouts, number: int) -> None:
    written = 0

    def count() -> None:
        nonlocal written
        written += 1
        if written == number:
            raise Crash

    rollouts.storage.before_write = count  # pyright: ignore[reportAttributeAccessIssue]
