"""Tokenized training data: made once, shared, and made again when it is damaged or out of date."""

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import ipc
from typing_extensions import override

from nmt.data.prepared_rows import count_rows, first_pairs, read_rows
from nmt.errors import DataError
from nmt.models.tokenization.saved_tokens import TokenWriter
from nmt.runs import layout
from nmt.runs.steps import PREPARE
from nmt.storage import Storage, alone
from nmt.training import tokens as tokens_module
from nmt.training.events import NoNotice, StoppedError
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining, load_material
from nmt.training.strategies import Single
from nmt.training.tokens import TokenizationProgress
from nmt.training.trainer import run_training
from tests.support.training.small_training import checkpoint_weights, same

CPU = torch.device("cpu")
CORPORA = {
    "data.corpora.clinic.path": "clinic.tsv",
    "data.corpora.back.path": "back.tsv",
    "data.corpora.back.tag": "<bt>",
}
TRAIN = [
    ("We go home.", "நாங்கள் வீட்டுக்குப் போகிறோம்.", "clinic"),
    ("The doctor is here.", "மருத்துவர் இங்கே இருக்கிறார்.", "back"),
    ("Take this medicine.", "இந்த மருந்தை எடுத்துக்கொள்.", "clinic"),
    ("Come tomorrow.", "நாளை வா.", "back"),
]


@pytest.fixture
def job(job: TrainingJob, prepared: Path) -> TrainingJob:
    """The small training in a run whose prepared data belongs to the test."""
    data = Path(job.storage.locate("small/data"))
    data.unlink()
    data.mkdir()
    (data / "pairs").symlink_to(prepared / "small/data/pairs")
    return job


@pytest.fixture
def mixed(job: TrainingJob) -> TrainingJob:
    """A training on prepared pairs of two corpora, one of them with a tag."""
    data = Path(job.storage.locate("small/data"))
    (data / "pairs").unlink()
    with job.storage.commit(job.data) as folder:
        write_split(folder, "train", TRAIN)
        write_split(folder, "validation", TRAIN[:2])
        write_json = '{"splits": ["train", "validation"]}'
        (folder / "dataset/dataset_dict.json").write_text(write_json, encoding="utf-8")
    return replace(job, config=job.config.with_overrides(CORPORA))


def write_split(folder: Path, name: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write a split with the names of its corpora, as `prepare` does."""
    split = folder / "dataset" / name
    split.mkdir(parents=True)
    batch = pa.record_batch(
        [pa.array(column) for column in zip(*rows, strict=True)], ["source", "target", "corpus"]
    )
    with ipc.new_stream(str(split / "data.arrow"), batch.schema) as stream:
        stream.write_batch(batch)
    state = '{"_data_files": [{"filename": "data.arrow"}]}'
    (split / "state.json").write_text(state, encoding="utf-8")


def token_folders(job: TrainingJob) -> list[Path]:
    folder = Path(job.storage.locate(layout.step_folder("small", PREPARE))) / "tokens"
    return sorted(path for path in folder.glob("*") if path.is_dir())


def same_rows(first: LoadedTraining, second: LoadedTraining) -> bool:
    return all(
        np.array_equal(a.ids, b.ids) and np.array_equal(a.offsets, b.offsets)
        for a, b in (
            (first.pairs.source, second.pairs.source),
            (first.pairs.target, second.pairs.target),
        )
    )


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of pairs of each chunk that is tokenized."""
    chunks: list[int] = []
    add = TokenWriter.add

    def noted(writer: TokenWriter, rows: Any) -> None:
        chunks.append(len(rows.sources))
        add(writer, rows)

    monkeypatch.setattr(TokenWriter, "add", noted)
    return chunks


def test_a_second_start_tokenizes_nothing(job: TrainingJob, counted: list[int]) -> None:
    first = load_material(job, CPU)
    assert counted
    counted.clear()
    second = load_material(job, CPU)
    assert not counted
    assert same_rows(first, second)


def test_trials_with_other_settings_share_the_tokens(job: TrainingJob, counted: list[int]) -> None:
    load_material(job, CPU)
    counted.clear()
    config = job.config.with_overrides({"adapter.rank": 2, "training.learning_rate": 1e-3})
    load_material(replace(job, config=config, folder="small/tune/trials/x"), CPU)
    assert not counted


def test_other_token_limits_need_tokens_of_their_own(job: TrainingJob) -> None:
    long = load_material(job, CPU)
    config = job.config.with_overrides({"model.max_source_tokens": 20})
    short = load_material(replace(job, config=config), CPU)
    assert len(token_folders(job)) == 2
    assert short.pairs.dropped_pairs > long.pairs.dropped_pairs
    assert len(short.pairs) + short.pairs.dropped_pairs == len(long.pairs)
    assert short.pairs.source.lengths.max() <= 20


def test_the_chunks_do_not_change_the_tokens(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = load_material(job, CPU)
    job.storage.delete(layout.tokens("small", token_folders(job)[0].name))
    monkeypatch.setattr(tokens_module, "_ROWS_AT_ONCE", 7)
    assert same_rows(load_material(job, CPU), at_once)


@pytest.mark.parametrize("name", ["source.ids", "target.offsets", "index.json"])
def test_damaged_tokens_are_noticed_and_made_again(
    job: TrainingJob, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    intact = load_material(job, CPU)
    file = token_folders(job)[0] / name
    expected = file.read_bytes()
    file.write_bytes(expected[:-1] + bytes([expected[-1] ^ 1]))
    again = load_material(job, CPU)
    assert any(f"{name}: differs from its manifest" in line for line in caplog.messages)
    assert file.read_bytes() == expected
    assert len(again.pairs) == len(intact.pairs)


def test_a_training_stopped_during_tokenization_leaves_nothing_and_resumes(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, quick_validation: None
) -> None:
    class Stopping(NoNotice):
        def wants_stop(self, step: int) -> bool:
            return True

    monkeypatch.setattr(tokens_module, "_EXCHANGE_SECONDS", 0.0)
    outcome = run_training(job, notice=Stopping())
    assert not outcome.finished
    assert outcome.state.step == 0
    folder = Path(job.storage.locate("small/data/tokens"))
    assert not folder.exists() or list(folder.iterdir()) == []
    assert run_training(job).finished


def test_sigterm_during_tokenization_ends_the_training(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "_EXCHANGE_SECONDS", 0.0)
    add = TokenWriter.add

    def terminated(writer: TokenWriter, rows: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        add(writer, rows)

    monkeypatch.setattr(TokenWriter, "add", terminated)
    assert not run_training(job).finished
    assert token_folders(job) == []


def test_an_interrupted_run_resumes_on_saved_tokens_bit_for_bit(
    job: TrainingJob, quick_validation: None, counted: list[int]
) -> None:
    complete = replace(job, folder="small/complete")
    run_training(complete)
    counted.clear()
    run_training(replace(job, stop_at_step=3))
    run_training(job)
    assert not counted
    assert same(checkpoint_weights(job, 8), checkpoint_weights(complete, 8))


def test_a_process_waits_for_another_one_that_tokenizes(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, counted: list[int]
) -> None:
    expected = load_material(job, CPU)
    folder = token_folders(job)[0]
    path = layout.tokens("small", folder.name)
    hidden = folder.rename(folder.with_name("hidden"))
    counted.clear()
    monkeypatch.setattr(tokens_module, "_EXCHANGE_SECONDS", 0.05)

    def tokenize_elsewhere(started: threading.Event) -> None:
        with alone(job.storage, f"{path}.lock", "the tokenization"):
            started.set()
            time.sleep(0.5)
            hidden.rename(folder)

    started = threading.Event()
    other = threading.Thread(target=tokenize_elsewhere, args=[started])
    other.start()
    started.wait()
    material = load_material(job, CPU)
    other.join()
    assert not counted
    assert same_rows(material, expected)


class Scripted(Single):
    """One worker of two, to which the other one gives these answers."""

    workers = 2

    def __init__(self, rank: int, *answers: object) -> None:
        self.rank, self._answers = rank, iter(answers)
        self.said: list[Any] = []

    @override
    def gather(self, item: object) -> list[Any]:
        self.said.append(item)
        answer = next(self._answers)
        return [item, answer] if self.rank == 0 else [answer, item]


def test_another_worker_waits_until_the_first_has_tokenized(
    job: TrainingJob, counted: list[int]
) -> None:
    expected = load_material(job, CPU)
    counted.clear()
    working, finished = tokens_module._Status(), tokens_module._Status(finished=True)
    second = Scripted(1, None, working, working, finished, None)
    assert same_rows(load_material(job, CPU, second), expected)
    assert not counted


def test_data_that_the_first_worker_cannot_read_is_refused_by_all(job: TrainingJob) -> None:
    fault = DataError("the split 'train' is damaged")
    second = Scripted(1, None, tokens_module._Status(finished=True, error=fault))
    with pytest.raises(DataError, match="is damaged"):
        load_material(job, CPU, second)


def test_a_stop_request_of_any_worker_ends_the_tokenization_of_all(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "_EXCHANGE_SECONDS", 0.0)
    wanted = tokens_module._Status(wants_stop=True)
    with pytest.raises(StoppedError):
        load_material(job, CPU, Scripted(0, None, wanted))
    with pytest.raises(StoppedError):
        load_material(job, CPU, Scripted(1, None, wanted))
    assert token_folders(job) == []


def test_a_tag_is_put_before_the_sources_of_its_corpus_only(mixed: TrainingJob) -> None:
    material = load_material(mixed, CPU)
    read = [material.pairs.source.row(row) for row in range(4)]
    sources = [f"<bt> {source}" if name == "back" else source for source, _, name in TRAIN]
    assert read == material.codec.encode_sources(sources)
    assert [pair.source for pair in material.validation] == [source for source, *_ in TRAIN[:2]]


def test_another_tag_makes_other_tokens(mixed: TrainingJob) -> None:
    load_material(mixed, CPU)
    config = mixed.config.with_overrides({"data.corpora.back.tag": "<back>"})
    load_material(replace(mixed, config=config), CPU)
    assert len(token_folders(mixed)) == 2


def test_corpora_are_used_by_their_weights(mixed: TrainingJob, counted: list[int]) -> None:
    load_material(mixed, CPU)
    counted.clear()
    weights = {"data.corpora.clinic.weight": 3, "data.corpora.back.weight": 0.5}
    material = load_material(replace(mixed, config=mixed.config.with_overrides(weights)), CPU)
    rows = [int(r) for step in material.plan.epoch(0) for batch in step for r in batch]
    assert sorted(rows) in ([0, 0, 0, 1, 2, 2, 2], [0, 0, 0, 2, 2, 2, 3])
    assert not counted  # the weights do not change the tokens


def test_corpora_of_equal_weight_need_no_mix(mixed: TrainingJob) -> None:
    assert load_material(mixed, CPU).plan.mix is None


def test_a_weighted_training_resumes_bit_for_bit(
    mixed: TrainingJob, quick_validation: None
) -> None:
    config = mixed.config.with_overrides({"data.corpora.back.weight": 0.5})
    weighted = replace(mixed, config=config)
    complete = replace(weighted, folder="small/complete")
    run_training(complete)
    run_training(replace(weighted, stop_at_step=3))
    run_training(weighted)
    assert same(checkpoint_weights(weighted, 8), checkpoint_weights(complete, 8))


def test_tokens_of_an_object_store_are_mapped_from_a_copy(
    job: TrainingJob, s3_url: str, counted: list[int]
) -> None:
    here = load_material(job, CPU)
    remote = Storage(s3_url)
    with remote.commit(job.data) as folder:
        for file in job.storage.fetch(job.data).rglob("*"):
            target = folder / file.relative_to(job.storage.fetch(job.data))
            if file.is_dir():
                target.mkdir(exist_ok=True)
            elif file.name != "manifest.json":
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    there = replace(job, storage=remote)
    assert same_rows(load_material(there, CPU), here)
    counted.clear()
    assert same_rows(load_material(there, CPU), here)
    assert not counted


def test_progress_shows_the_speed_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(tokens_module.time, "monotonic", lambda: now[0])
    progress = TokenizationProgress("train", 100_000, 5.0)
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            now[0] += 1.0
            progress.add(2000)
        progress.finish()
    assert caplog.messages[0] == (
        "train: tokenized 10,000 of 100,000 pairs | 2,000 pairs/s | 0m45s left"
    )
    assert caplog.messages[-1] == "train: tokenized 100,000 pairs in 0m50s"


def test_rows_are_read_in_chunks_with_their_corpora(mixed: TrainingJob) -> None:
    folder = mixed.storage.fetch(mixed.data)
    chunks = list(read_rows(folder, "train", 3))
    assert [len(chunk.sources) for chunk in chunks] == [3, 1]
    assert [name for chunk in chunks for name in chunk.corpora or ()] == [row[2] for row in TRAIN]
    assert count_rows(folder, "train") == 4
    assert [pair.target for pair in first_pairs(folder, "train", 3)] == [r[1] for r in TRAIN[:3]]


def test_a_split_that_does_not_exist_is_refused(mixed: TrainingJob) -> None:
    with pytest.raises(DataError, match="no split 'other'"):
        first_pairs(mixed.storage.fetch(mixed.data), "other", 3)
