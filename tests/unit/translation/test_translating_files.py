"""Translation of whole inputs: resume, refusals, folders, and object stores."""

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

import pytest

from nmt.cli.translation import TranslationOptions
from nmt.config import Config
from nmt.errors import DataError, InUseError, NmtError, StepConflictError
from nmt.storage import Storage
from ray_jobs.translation import files
from ray_jobs.translation.files import Totals, translate_files
from ray_jobs.translation.formats.rows import Value
from ray_jobs.translation.places import absolute_place
from ray_jobs.translation.progress import Progress
from ray_jobs.translation.translator import ShardResult, TranslatorSetup
from ray_jobs.translation.work import WorkFolder


class Card:
    """What is read of an engine's card."""

    source_language = "tam_Taml"


class Upper:
    """A translator into upper case that can be told to fail."""

    translated: ClassVar[list[str]] = []
    fails_at = ""

    def __init__(self, setup: TranslatorSetup) -> None:
        pass

    def translate(self, texts: Sequence[str]) -> ShardResult:
        if Upper.fails_at in texts:
            raise KeyboardInterrupt
        Upper.translated += texts
        column: list[Value] = [text.upper() for text in texts]
        return ShardResult([column], 0, len(texts), 0.0)


@pytest.fixture(autouse=True)
def upper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Translate in this process, with a fake engine."""
    Upper.translated, Upper.fails_at = [], "nothing"
    monkeypatch.setattr(files, "Translator", Upper)
    monkeypatch.setattr(files, "open_engine", lambda *_: nullcontext(Path("engine")))
    monkeypatch.setattr(files, "read_card", lambda _: Card())
    monkeypatch.setattr(files._Job, "_on_ray", lambda self, shards: self._here(list(shards)))


def run(
    tmp_path: Path, source: str, target: str, *, restart: bool = False, **changes: object
) -> Totals:
    options = TranslationOptions(source, target, shard_lines=2, **changes)  # type: ignore[arg-type]
    storage = Storage(str(tmp_path / "storage"))
    return translate_files(Config(), storage, "engine", options, restart=restart)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "lines.ta"
    path.write_text("".join(f"line {number}\n" for number in range(9)))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_lines_keep_their_order_and_nothing_else_is_left(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "out" / "lines.en"
    assert run(tmp_path, str(source), str(target)).lines == 9
    assert target.read_text() == source.read_text().upper()
    assert names(target.parent) == ["lines.en"]


def test_a_stopped_translation_continues_with_the_shards_that_are_missing(
    tmp_path: Path, source: Path
) -> None:
    target = tmp_path / "lines.en"
    Upper.fails_at = "line 4"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, str(source), str(target))
    assert not target.exists()
    Upper.fails_at = "nothing"
    run(tmp_path, str(source), str(target))
    assert Upper.translated == source.read_text().splitlines()
    assert target.read_text() == source.read_text().upper()


def test_a_command_that_was_stopped_after_the_last_shard_puts_the_output_together(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "lines.en"
    with monkeypatch.context() as patch:
        patch.setattr(WorkFolder, "finish", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(tmp_path, str(source), str(target))
    assert run(tmp_path, str(source), str(target)).lines == 0
    assert target.read_text() == source.read_text().upper()


def test_a_command_that_was_stopped_after_the_renaming_has_nothing_to_do(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "lines.en"
    with monkeypatch.context() as patch:
        patch.setattr(Storage, "delete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(tmp_path, str(source), str(target))
    assert target.read_text() == source.read_text().upper()
    assert run(tmp_path, str(source), str(target)).lines == 0
    assert names(tmp_path) == ["lines.en", "lines.ta", "storage"]


def stop_half_way(tmp_path: Path, source: Path, target: Path) -> None:
    Upper.fails_at = "line 4"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, str(source), str(target))
    Upper.fails_at = "nothing"


def test_other_settings_are_refused_until_a_restart(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "lines.en"
    stop_half_way(tmp_path, source, target)
    with pytest.raises(StepConflictError, match=r"begun with other settings \(whole_lines=False\)"):
        run(tmp_path, str(source), str(target), whole_lines=True)
    run(tmp_path, str(source), str(target), whole_lines=True, restart=True)
    assert target.read_text() == source.read_text().upper()


def test_an_input_of_another_size_is_refused(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "lines.en"
    stop_half_way(tmp_path, source, target)
    source.write_text(source.read_text() + "more\n")
    with pytest.raises(StepConflictError, match=r"begun with another input \(lines.ta\)"):
        run(tmp_path, str(source), str(target))


def test_an_input_whose_finished_lines_have_changed_is_refused(
    tmp_path: Path, source: Path
) -> None:
    target = tmp_path / "lines.en"
    stop_half_way(tmp_path, source, target)
    source.write_text(source.read_text().replace("line 1", "LINE 1"))
    with pytest.raises(StepConflictError, match="the input has changed"):
        run(tmp_path, str(source), str(target))


def test_an_output_that_exists_is_kept_until_a_restart(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "lines.en"
    target.write_text("old")
    with pytest.raises(StepConflictError, match=r"lines\.en exists"):
        run(tmp_path, str(source), str(target))
    assert target.read_text() == "old"
    run(tmp_path, str(source), str(target), restart=True)
    assert target.read_text() == source.read_text().upper()


def test_two_commands_do_not_write_the_same_output(tmp_path: Path, source: Path) -> None:
    work = WorkFolder(Storage(str(tmp_path)), "lines.en")
    with work.alone(), pytest.raises(InUseError, match="choose another --output"):
        run(tmp_path, str(source), str(tmp_path / "lines.en"))


def test_a_folder_keeps_the_names_of_its_files(tmp_path: Path, source: Path) -> None:
    folder = tmp_path / "mono"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "deep" / "b.tsv").write_text("id\tta\n1\tone\n")
    (folder / "empty.txt").write_text("")
    (folder / ".hidden").write_text("x\n")
    run(tmp_path, str(folder), str(tmp_path / "out"))
    assert (tmp_path / "out" / "a.txt").read_text() == "ONE\nTWO\nTHREE\n"
    assert (tmp_path / "out" / "deep" / "b.tsv").read_text() == "id\tta\ttranslation\n1\tone\tONE\n"
    assert names(tmp_path / "out") == ["a.txt", "deep", "empty.txt"]


def test_an_output_inside_of_its_input_is_refused(tmp_path: Path, source: Path) -> None:
    with pytest.raises(NmtError, match="choose another place"):
        run(tmp_path, str(tmp_path), str(tmp_path / "out"))
    with pytest.raises(NmtError, match="choose another place"):
        run(tmp_path, str(source), str(source))


def test_an_input_of_one_shard_does_not_start_ray(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files._Job, "_on_ray", lambda *_: pytest.fail("Ray is started"))
    source.write_text("one\ntwo\n")
    run(tmp_path, str(source), str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "ONE\nTWO\n"


def test_a_missing_input_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        run(tmp_path, str(tmp_path / "none"), str(tmp_path / "out"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="no such file or folder"):
        run(tmp_path, str(tmp_path / "pipe"), str(tmp_path / "out"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no files"):
        run(tmp_path, str(tmp_path / "empty"), str(tmp_path / "out"))


def test_a_relative_path_is_below_the_storage_root_in_a_job(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config(storage="/storage/runs")
    assert absolute_place("mono.ta", config) == str(tmp_path / "mono.ta")
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert absolute_place("mono.ta", config) == "/storage/runs/mono.ta"
    assert absolute_place("/mnt/mono.ta", config) == "/mnt/mono.ta"
    assert absolute_place("s3://bucket/mono.ta", config) == "s3://bucket/mono.ta"


def on_store(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path}/{name}"))


def test_an_object_store_is_read_and_written(tmp_path: Path, s3_url: str) -> None:
    store = Storage(s3_url)
    store.write_bytes("mono/a.txt", b"one\ntwo\nthree\n")
    store.write_bytes("mono/b.txt", b"four\n")
    Upper.fails_at = "four"
    source, target = on_store(s3_url, "mono"), on_store(s3_url, "out")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, source, target)
    assert not store.exists("out")
    Upper.fails_at = "nothing"
    run(tmp_path, source, target)
    assert store.read_bytes("out/a.txt") == b"ONE\nTWO\nTHREE\n"
    assert store.read_bytes("out/b.txt") == b"FOUR\n"
    assert sorted(Upper.translated) == ["four", "one", "three", "two"]
    assert not store.exists(".out.translating")
    run(tmp_path, on_store(s3_url, "mono/b.txt"), on_store(s3_url, "single.txt"))
    assert store.read_bytes("single.txt") == b"FOUR\n"


def test_the_progress_shows_the_rate_and_the_time_left(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    progress = Progress(1000, lambda: now)
    progress.skip(10, 200)
    now = 30.0
    progress.start()
    with caplog.at_level("INFO"):
        progress.add(1, 0, 0)
        now = 40.0
        progress.add(39, 400, 800)
    assert caplog.messages[-1] == "50 lines (60%) | 4 lines/s | 80 tokens/s | 10 s left"
    assert "40 lines, and 10 before" in progress.summary()
