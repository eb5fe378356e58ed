"""Folders of the cache, which one process fills for all others on the machine."""

import multiprocessing
import time
from pathlib import Path

import pytest

from nmt.errors import StorageError
from nmt.storage import cached_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("nmt.storage.cache._cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def fill(folder: Path) -> None:
    (folder / "weights").write_text("whole")


def fail_if_called(folder: Path) -> None:
    raise AssertionError(f"{folder} exists already")


def test_a_folder_is_filled_once(cache: Path) -> None:
    first = cached_folder("model", fill)
    assert (first.parent, (first / "weights").read_text()) == (cache, "whole")
    assert cached_folder("model", fail_if_called) == first


@pytest.mark.parametrize("damage", ["weights", "manifest.json"])
def test_a_folder_that_lacks_a_file_is_filled_again(damage: str) -> None:
    (cached_folder("model", fill) / damage).unlink()
    assert (cached_folder("model", fill) / "weights").read_text() == "whole"


def test_a_failed_fill_leaves_nothing(cache: Path) -> None:
    def fail_half_way(folder: Path) -> None:
        (folder / "weights").write_text("half")
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        cached_folder("model", fail_half_way)
    assert [path for path in cache.iterdir() if path.is_dir()] == []
    assert (cached_folder("model", fill) / "weights").read_text() == "whole"


def test_a_full_disk_is_a_storage_error() -> None:
    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="no space left to write below"):
        cached_folder("model", fail)


def test_two_processes_fill_a_folder_only_once(cache: Path) -> None:
    def slowly(folder: Path) -> None:
        with (cache / "fillings").open("a") as log:
            log.write("1")
        time.sleep(0.2)
        fill(folder)

    fork = multiprocessing.get_context("fork")
    both = [fork.Process(target=cached_folder, args=("model", slowly)) for _ in range(2)]
    cache.mkdir()
    for process in both:
        process.start()
    for process in both:
        process.join(20)
    assert [process.exitcode for process in both] == [0, 0]
    assert (cache / "fillings").read_text() == "1"
