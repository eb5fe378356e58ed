"""Folders that one process of a machine fills for all others."""

import multiprocessing
import time
from pathlib import Path

import pytest

from nmt.errors import StorageError
from nmt.storage import kept_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("nmt.storage.cache._cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def fill(folder: Path) -> None:
    (folder / "weights").write_text("whole")


def never(folder: Path) -> None:
    raise AssertionError(f"{folder} is there already")


def test_a_folder_is_filled_once(cache: Path) -> None:
    first = kept_folder("model", fill)
    assert (first.parent, (first / "weights").read_text()) == (cache, "whole")
    assert kept_folder("model", never) == first


@pytest.mark.parametrize("damage", ["weights", "manifest.json"])
def test_a_folder_that_lacks_a_file_is_filled_again(damage: str) -> None:
    (kept_folder("model", fill) / damage).unlink()
    assert (kept_folder("model", fill) / "weights").read_text() == "whole"


def test_what_fails_half_way_leaves_nothing(cache: Path) -> None:
    def break_off(folder: Path) -> None:
        (folder / "weights").write_text("half")
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        kept_folder("model", break_off)
    assert [path for path in cache.iterdir() if path.is_dir()] == []
    assert (kept_folder("model", fill) / "weights").read_text() == "whole"


def test_a_full_disk_is_named() -> None:
    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="no space left to write below"):
        kept_folder("model", fail)


def test_two_processes_fill_one_folder_once(cache: Path) -> None:
    def slowly(folder: Path) -> None:
        with (cache / "fillings").open("a") as log:
            log.write("1")
        time.sleep(0.2)
        fill(folder)

    fork = multiprocessing.get_context("fork")
    both = [fork.Process(target=kept_folder, args=("model", slowly)) for _ in range(2)]
    cache.mkdir()
    for process in both:
        process.start()
    for process in both:
        process.join(20)
    assert [process.exitcode for process in both] == [0, 0]
    assert (cache / "fillings").read_text() == "1"
