"""What the operator finds out about the data of a campaign."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from k8s.objects.campaign.settings import revision_settings
from k8s.objects.campaign.spec import CampaignSpec
from k8s.operator.data import DataLooker
from k8s.operator.observed import ObservedData
from nmt.storage import Storage
from tests.unit.k8s.conftest import make_release

Look = Callable[..., ObservedData]


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
