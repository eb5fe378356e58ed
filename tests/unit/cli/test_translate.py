"""Input and output of `nmt translate`, with an engine that returns upper case."""

import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import ray_jobs
from nmt.config import load_with_user_set
from nmt.engines.translate import Candidate, Translated
from nmt.errors import DataError, InputError
from nmt.storage import Storage
from nmt.traffic import promote
from ray_jobs.cli import main
from ray_jobs.translate import find_engine
from ray_jobs.translation.lines import batches_as_they_arrive, read_lines
from tests.support.runs.evaluated_run import leave_engine

TAMIL = "மருத்துவமனை எங்கே?"


def lines_of(content: bytes) -> list[str]:
    return list(read_lines(io.BytesIO(content)))


def answer(text: str) -> Candidate:
    tokens = len(text)
    return Candidate(text.upper(), tokens, -0.25 * tokens)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the exported engine by a fake one."""

    def answers(_engine: object, texts: Sequence[str], _options: object) -> Translated:
        return Translated([[answer(text)] for text in texts], 0)

    monkeypatch.setattr("ray_jobs.translate.find_engine", lambda *_: "digest")
    monkeypatch.setattr("nmt.storage.Storage.fetch", lambda *_, **__: Path("engine"))
    monkeypatch.setattr("ray_jobs.translation.translator.load_engine", lambda *_: None)
    monkeypatch.setattr("ray_jobs.translation.translator.translate_texts", answers)


def translate(monkeypatch: pytest.MonkeyPatch, folder: Path, content: Any, *words: str) -> int:
    standard_input = None if content is None else io.TextIOWrapper(io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", standard_input)
    return main.main(["translate", f"storage={folder}", *words])


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A storage root whose endpoint serves Tamil and Hindi."""
    storage = Storage(str(tmp_path / "runs"))
    for digest, target in (("tamil", "tam_Taml"), ("hindi", "hin_Deva")):
        leave_engine(storage, digest, target)
        promote(storage, "default", digest)
    return storage


@pytest.mark.parametrize(
    ("words", "engine"),
    [
        ([], "tamil"),
        (["data.target_language=hi"], "hindi"),
        (["data.source_language=en", "data.target_language=ta"], "tamil"),
    ],
)
def test_the_endpoints_engine_is_that_of_the_languages_or_the_default(
    storage: Storage, words: list[str], engine: str
) -> None:
    assert find_engine(load_with_user_set(overrides=words), storage) == engine


def test_languages_that_the_endpoint_does_not_serve_are_refused(storage: Storage) -> None:
    with pytest.raises(InputError, match=r"eng_Latn-tel_Telu.*eng_Latn-tam_Taml, eng_Latn-hin_Dev"):
        find_engine(load_with_user_set(overrides=["data.target_language=te"]), storage)


def test_lines_are_translated_as_soon_as_no_further_line_waits() -> None:
    receiver, sender = os.pipe()
    with os.fdopen(receiver, "rb") as stream:
        batches = batches_as_they_arrive(stream, 32)
        os.write(sender, b"one\ntwo\nthr")
        assert next(batches) == ["one", "two"]
        os.write(sender, b"ee\n")
        assert next(batches) == ["three"]
        os.write(sender, b"x\n" * 40 + b"last")
        assert next(batches) == ["x"] * 32
        assert next(batches) == ["x"] * 8
        os.close(sender)
        assert next(batches) == ["last"]
        assert list(batches) == []


def test_a_line_may_be_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    long = "நீர்" * 100_000
    (tmp_path / "lines").write_text(f"{long}\nshort\n{long}", encoding="utf-8")
    with (tmp_path / "lines").open("rb") as stream:
        assert list(batches_as_they_arrive(stream, 8)) == [[long, "short", long]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_are_recognised(end: str) -> None:
    assert lines_of(f"\ufeffone{end}{TAMIL}{end}{end}three".encode()) == ["one", TAMIL, "", "three"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Thank you.\nThe caf\xe9 is here.\n", "line 2, offset 18: the bytes are not UTF-8"),
        ("The doctor.\n".encode("utf-16"), "line 1, offset 0: .*iconv -f UTF-16 -t UTF-8"),
        (b"Thank you. \xe0\xae", "line 1, offset 11: "),
        (b"a\r\n\xff", "line 2, offset 3: "),
    ],
)
def test_bytes_that_are_not_utf_8_are_refused_with_their_position(
    content: bytes, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        lines_of(content)


def test_lines_before_a_broken_one_are_translated(
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = b"one\n" * 40 + b"two\n\xff\nthree\n"
    assert translate(monkeypatch, tmp_path, content) == 2
    output, errors = capsys.readouterr()
    assert output == "ONE\n" * 40 + "TWO\n"
    assert "line 42, offset 164" in errors
    assert errors.count("\n") == 1


def test_a_word_that_is_not_utf_8_is_refused(
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    word = os.fsdecode("நீர் caf".encode() + b"\xe9")
    assert translate(monkeypatch, tmp_path, b"", "water", word) == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert "text 2, offset 16: the bytes are not UTF-8" in errors


def test_a_closed_standard_input_is_reported(
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert translate(monkeypatch, tmp_path, None) == 2
    assert "standard input is closed" in capsys.readouterr().err


def test_translations_are_utf_8_on_any_terminal(
    engine: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    assert translate(monkeypatch, tmp_path, f"{TAMIL}\n".encode()) == 0
    assert written.getvalue().decode() == f"{TAMIL}\n"


def test_a_full_disk_is_reported(
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert translate(monkeypatch, tmp_path, b"one\n") == 1
    errors = capsys.readouterr().err
    assert "standard output: No space left" in errors
    assert errors.count("\n") == 1


def test_translating_works_with_a_closed_standard_output(
    engine: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    importlib.reload(ray_jobs)
    assert translate(monkeypatch, tmp_path, b"one\n") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--output", "x"], "--output is given but --input is not"),
        (["--input", "x"], "--input is given but --output is not"),
        (["--column", "ta"], "--column names a column of --input"),
        (["--nbest", "17"], "--nbest 17: must be at most 16"),
        (["--mbr", "-1"], "--mbr -1: must be at least 0"),
        (["--mbr", "1"], "--mbr 1: there is nothing to choose from one sample"),
        (["--mbr", "1025"], "--mbr 1025: must be at most 1024"),
        (["--mbr", "4", "--nbest", "5"], "--nbest 5 is more than --mbr 4"),
        (["--input", "x", "--output", "y", "a text"], "'a text' cannot be translated too"),
    ],
)
def test_options_that_exclude_each_other_are_refused(
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    assert translate(monkeypatch, tmp_path, b"", *words) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1


def test_confidence_is_a_second_column_of_standard_output(
    engine: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert translate(monkeypatch, tmp_path, b"one\n\n", "--confidence") == 0
    assert capsys.readouterr().out == "ONE\t-0.2500\n\t\n"
