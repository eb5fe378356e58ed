"""What the operator finds out about the data of a campaign."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from k8s.objects.campaign.settings import revision_settings
from k8s.objects.campaign.spec import CampaignSpec
from k8s.operator.data import DataLooker
from k8s.operator.observed import ObservedData
from nmt.runs import layout
from nmt.runs.records import Record
from nmt.runs.steps import PREPARE
from nmt.storage import Storage, files
from tests.unit.k8s.conftest import make_release

Look = Callable[..., ObservedData]


class _SlowClock:
    """A clock by which each chunk of a file takes 15 seconds to read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 15
        return self.now


@pytest.fixture
def looker() -> DataLooker:
    return DataLooker()


@pytest.fixture
def look(tmp_path: Path, looker: DataLooker) -> Look:
    """Return what a look finds at a time, in seconds."""

    def look(now: float, path: str = "corpora/mine", **config: Any) -> ObservedData:
        own: dict[str, Any] = {"data": {"path": path}, **config}
        spec = CampaignSpec(release="demo", config=own)
        settings = revision_settings(make_release(storage=str(tmp_path)), spec)
        return looker.look("clinic", settings, Storage(str(tmp_path)), now)

    return look


def _write(root: Path, name: str, content: str = "source\ttarget\n") -> Path:
    """Write a file as a copy that keeps the times of files does."""
    path = root / "corpora" / "mine" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (1000, 1000))
    return path


def test_data_with_old_times_is_complete_only_at_a_later_look(look: Look, tmp_path: Path) -> None:
    _write(tmp_path, "a.tsv")
    assert not look(1_000_000).settled
    assert look(1_000_030).settled


def test_a_copy_that_goes_on_file_by_file_is_not_complete(look: Look, tmp_path: Path) -> None:
    for number in range(4):
        _write(tmp_path, f"{number}.tsv")
        assert not look(1_000_000 + 30 * number).settled
    assert look(1_000_120).settled


def test_a_file_that_rsync_still_writes_under_a_hidden_name_is_waited_for(
    look: Look, tmp_path: Path
) -> None:
    _write(tmp_path, "a.tsv")
    digest = look(1_000_000).digest
    for number in range(4):
        _write(tmp_path, ".b.tsv.x1Y2z3", "x" * number)
        found = look(1_000_030 + 30 * number)
        assert (found.settled, found.digest) == (False, digest)


def test_a_data_set_of_the_hub_needs_no_second_look(look: Look) -> None:
    found = look(1_000_000, "owner/corpus")
    assert (found.settled, found.missing) == (True, ())


def test_a_folder_that_was_there_is_missing_and_not_a_data_set_of_the_hub(
    look: Look, tmp_path: Path
) -> None:
    _write(tmp_path, "a.tsv")
    look(1_000_000)
    (tmp_path / "corpora/mine").rename(tmp_path / "corpora/old")
    found = look(1_000_060)
    assert len(found.missing) == 1
    assert "spec.config.data.path 'corpora/mine' is not in" in found.missing[0]
    assert "data.path" in found.on_storage


def test_a_folder_in_which_nothing_is_yet_is_missing(look: Look, tmp_path: Path) -> None:
    (tmp_path / "corpora/mine").mkdir(parents=True)
    assert look(1_000_000).missing


@pytest.mark.parametrize("recorded", [True, False])
def test_a_new_operator_knows_from_the_newest_run_what_was_on_the_storage(
    look: Look, tmp_path: Path, recorded: bool
) -> None:
    used = str(tmp_path / "corpora/mine") if recorded else "corpora/mine"
    record = Record("prepare", True, {"data.path": used}, {})
    path = layout.step_record("clinic-r2", PREPARE)
    Storage(str(tmp_path / "runs")).write_json(path, asdict(record))
    found = look(1_000_000)
    assert bool(found.missing) == recorded
    assert ("data.path" in found.on_storage) == recorded


def test_a_campaign_that_is_made_again_may_mean_the_hub(
    look: Look, looker: DataLooker, tmp_path: Path
) -> None:
    file = _write(tmp_path, "a.tsv")
    look(1_000_000)
    file.unlink()
    file.parent.rmdir()
    assert look(1_000_060).missing
    looker.forget("clinic")
    assert look(1_000_120).missing == ()


def test_a_large_corpus_is_read_over_several_looks(
    look: Look, looker: DataLooker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "k8s")
    for number in range(5):
        _write(tmp_path, f"{number}.tsv", str(number))
    looker.clock = _SlowClock()
    found = [look(1_000_000 + 60 * number) for number in range(3)]
    assert [each.settled for each in found] == [False, False, True]
    assert [bool(each.reading) for each in found] == [True, True, False]
    assert "1 of 5 files of the data are read; nothing starts" in found[0].reading
    assert "campaign clinic: 1 of 5 files of the data are read" in caplog.messages
    looker.forget("clinic")
    looker.clock = lambda: 0.0
    assert look(2_000_000).digest == found[-1].digest


def test_a_file_that_takes_longer_than_a_look_is_read_in_parts(
    look: Look, looker: DataLooker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK_BYTES", 4)
    _write(tmp_path, "a.tsv", "a large corpus")
    whole = look(0).digest
    looker.forget("clinic")
    looker.clock = _SlowClock()
    found = [look(1_000_000 + 60 * number) for number in range(3)]
    assert [each.settled for each in found] == [False, False, True]
    assert found[-1].digest == whole


def test_a_file_that_was_gone_is_read_again(look: Look, tmp_path: Path) -> None:
    _write(tmp_path, "a.tsv", "one\t1")
    _write(tmp_path, "b.tsv")
    before = look(1_000_000).digest
    (tmp_path / "corpora/mine/a.tsv").unlink()
    look(1_000_060)
    _write(tmp_path, "a.tsv", "two\t2")
    assert look(1_000_120).digest != before
