"""The reports of replicas, and the counts of a rollout that they hold."""

from datetime import UTC, datetime, timedelta

import pytest

from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import PairCounts, ReplicaReport, add_counts, read_reports, sweep_reports


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(str(tmp_path / "runs"))


NOW = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)


def report(storage: Storage, **fields: object) -> ReplicaReport:
    """Read back a report with these fields."""
    content = {"replica": "one", "host": "a", "digest": "a", "wanted": "a", **fields}
    storage.write_json(f"{layout.replica_reports('default')}/one.json", content)
    (found,) = read_reports(storage, "default")
    return found


@pytest.mark.parametrize(
    ("seconds", "silent"), [(-30, False), (0, False), (130, False), (190, True), (90_000, True)]
)
def test_a_replica_is_silent_once_it_has_missed_three_reports(storage, seconds, silent):
    seen = NOW - timedelta(seconds=seconds)
    found = report(storage, seen=seen.isoformat(timespec="seconds"))
    assert found.is_silent(NOW) is silent
    assert found.age_seconds(NOW) == max(0, seconds)


def test_a_replica_that_looks_rarely_is_not_called_silent_in_between(storage):
    seen = (NOW - timedelta(seconds=500)).isoformat(timespec="seconds")
    assert not report(storage, seen=seen, every_seconds=300).is_silent(NOW)


def test_a_report_that_does_not_say_when_it_was_written_is_not_called_silent(storage):
    assert not report(storage).is_silent(NOW)


def test_a_report_of_a_later_release_is_read(storage):
    assert report(storage, memory_bytes=5).digest == "a"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"replica": 1}', b"\xff"])
def test_a_report_that_cannot_be_read_says_so(storage, content):
    storage.write_bytes(f"{layout.replica_reports('default')}/one.json", content)
    (found,) = read_reports(storage, "default")
    assert found.replica == "one"
    assert "one.json is not the report of a replica" in (found.error or "")


def test_a_replica_that_has_ended_is_not_called_silent(storage):
    seen = (NOW - timedelta(hours=5)).isoformat(timespec="seconds")
    assert not report(storage, seen=seen, ended=True).is_silent(NOW)


# Counts


def counts(rollout: str = "r1", step: int = 0, **numbers: int) -> PairCounts:
    pair = PairCounts(
        rollout=rollout,
        step=step,
        route="eng_Latn-tam_Taml",
        stable="a",
        other="b",
        signal="broken",
    )
    return pair.model_copy(update=numbers)


def test_counts_of_replicas_are_added_by_rollout_step_and_signal():
    reports = [
        ReplicaReport(
            replica="one",
            counts=(counts(plus=1, zero=5, events_stable=2), counts(step=1, minus=1)),
        ),
        ReplicaReport(
            replica="two", counts=(counts(plus=2, zero=7, events_canary=1), counts("r2", zero=9))
        ),
    ]
    sums = add_counts(reports)
    assert dict(sums) == {
        ("r1", 0, "broken"): counts(plus=3, zero=12, events_canary=1, events_stable=2),
        ("r1", 1, "broken"): counts(step=1, minus=1),
        ("r2", 0, "broken"): counts("r2", zero=9),
    }
    assert sums["r1", 0, "broken"].pairs == 15


def test_the_order_of_the_replicas_does_not_matter():
    reports = [
        ReplicaReport(replica=str(number), counts=(counts(plus=number),)) for number in range(4)
    ]
    assert add_counts(reports) == add_counts(reversed(reports))


def test_of_one_replica_only_the_newest_report_counts():
    old, new = (
        ReplicaReport(
            replica="one", seen=NOW + timedelta(seconds=number), counts=(counts(plus=number),)
        )
        for number in (1, 2)
    )
    for reports in ([old, new], [new, old]):
        assert add_counts(reports)["r1", 0, "broken"].plus == 2


def test_the_report_of_a_lost_replica_stays_as_long_as_its_rollout_runs(storage):
    seen = (NOW - timedelta(hours=5)).isoformat(timespec="seconds")
    report(storage, seen=seen, counts=[counts("running").model_dump()])
    sweep_reports(storage, "default", NOW, {"running"})
    assert len(read_reports(storage, "default")) == 1
    sweep_reports(storage, "default", NOW, {"another"})
    assert read_reports(storage, "default") == []


def test_a_report_that_is_deleted_while_reports_are_read_is_left_out(storage, monkeypatch):
    monkeypatch.setattr(Storage, "list", lambda *_: ["gone.json"])
    assert read_reports(storage, "default") == []
