"""Which revisions the record of a campaign keeps."""

from collections.abc import Sequence

from k8s.operator.record import CampaignRecord
from k8s.operator.revision_record import RevisionRecord

_LIMIT = 50


def _revision(number: int, *, removed: bool = False) -> RevisionRecord:
    return RevisionRecord(
        number=number, trigger="data", inputs="i", run=f"clinic-r{number}", started=number,
        attempt_started=number, outcome="rejected", removed=removed,
    )  # fmt: skip


def _record(count: int, removed: Sequence[int]) -> CampaignRecord:
    revisions = (_revision(n, removed=n in removed) for n in range(1, count + 1))
    return CampaignRecord(revisions=tuple(revisions))


def _numbers(record: CampaignRecord) -> list[int]:
    return [each.number for each in record.revisions]


def test_of_many_revisions_the_oldest_whose_run_was_removed_is_forgotten() -> None:
    record = _record(_LIMIT, removed=[3, 4]).with_started(_revision(51), "uid", None)
    assert _numbers(record) == [1, 2, *range(4, 52)]


def test_a_revision_whose_run_is_there_is_never_forgotten() -> None:
    record = _record(_LIMIT, removed=[]).with_started(_revision(51), "uid", None)
    assert _numbers(record) == list(range(1, 52))


def test_a_record_above_the_limit_is_brought_back_to_it_once_runs_were_removed() -> None:
    record = _record(_LIMIT + 5, removed=range(2, 12)).with_started(_revision(56), "uid", None)
    assert _numbers(record) == [1, *range(8, 57)]
