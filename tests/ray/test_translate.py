"""Translation of a file by replicas of which one dies, and which go on after a stopped command."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from nmt.cli.translation import TranslationOptions
from nmt.config import Config
from nmt.errors import TranslationError
from nmt.storage import Storage
from ray_jobs.runtime.connection import connect
from ray_jobs.translation.files import Totals, translate_files
from ray_jobs.translation.work import WorkFolder
from tests.support.models.tiny_engine import WATER, add_engine

LINES = 400
CONFIG = Config.model_validate({"strategy": {"type": "ddp"}, "scaling": {"workers": 2}})


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    storage = Storage(str(tmp_path_factory.mktemp("engines")))
    add_engine(storage, "water", WATER)
    return storage


@pytest.fixture(scope="module")
def ray_with_two_places() -> Iterator[None]:
    with connect(CONFIG):
        yield


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mono.tsv"
    rows = (f"{number}\tWe need water now.\n" for number in range(LINES))
    path.write_text("id\tsource\n" + "".join(rows))
    return path


def run(storage: Storage, source: Path) -> Totals:
    options = TranslationOptions(str(source), str(source.with_name("out.tsv")), shard_lines=40)
    return translate_files(CONFIG, storage, "water", options, restart=False)


def replica_processes() -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            if "ray::_Engine" in " ".join(process.cmdline()[:1]):
                found.append(process)
    return found


def test_no_line_is_lost_or_repeated(
    ray_with_two_places: None, storage: Storage, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, stored = WorkFolder.store, []

    def disturbed(work: WorkFolder, name: str, piece: bytes) -> None:
        store(work, name, piece)
        stored.append(name)
        if len(stored) == 2:
            os.kill(replica_processes()[0].pid, signal.SIGKILL)
        if len(stored) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(WorkFolder, "store", disturbed)
    with pytest.raises(KeyboardInterrupt):
        run(storage, source)
    totals = run(storage, source)
    assert totals.lines == LINES - 6 * 40
    assert len(set(stored)) == len(stored) == LINES // 40
    header, *rows = source.with_name("out.tsv").read_text().splitlines()
    assert header == "id\tsource\ttranslation"
    assert [row.split("\t")[0] for row in rows] == [str(number) for number in range(LINES)]
    assert all(WATER[:2] in row for row in rows)


def test_replicas_that_keep_dying_end_the_command(
    ray_with_two_places: None, storage: Storage, source: Path
) -> None:
    config = CONFIG.with_overrides({"scaling.max_failures": 0})
    options = TranslationOptions(str(source), str(source.with_name("out.tsv")), shard_lines=40)
    over = threading.Event()

    def kill_all() -> None:
        while not over.wait(0.02):
            for process in replica_processes():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    killer = threading.Thread(target=kill_all)
    killer.start()
    try:
        with pytest.raises(TranslationError, match=r"replicas died while .*, 1 in all"):
            translate_files(config, storage, "water", options, restart=False)
    finally:
        over.set()
        killer.join()
