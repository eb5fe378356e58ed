"""Tokenized training data: made once, shared, and made again when it is damaged or out of date."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typing_extensions import override

from nmt.errors import DataError
from nmt.models.tokenization.saved_tokens import TokenWriter
from nmt.runs import layout
from nmt.storage import Storage, alone
from nmt.training import tokens as tokens_module
from nmt.training.events import NoNotice, StoppedError
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from nmt.training.strategies import Single
from nmt.training.trainer import run_training
from tests.support.training.small_training import checkpoint_weights, same
from tests.support.training.token_files import same_rows, token_folders

CPU = torch.device("cpu")


def test_a_second_start_tokenizes_nothing(own_job: TrainingJob, counted: list[int]) -> None:
    first = load_material(own_job, CPU)
    assert counted
    counted.clear()
    second = load_material(own_job, CPU)
    assert not counted
    assert same_rows(first, second)


def test_trials_with_other_settings_share_the_tokens(
    own_job: TrainingJob, counted: list[int]
) -> None:
    load_material(own_job, CPU)
    counted.clear()
    config = own_job.config.with_overrides({"adapter.rank": 2, "training.learning_rate": 1e-3})
    load_material(replace(own_job, config=config, folder="small/tune/trials/x"), CPU)
    assert not counted


def test_other_token_limits_need_tokens_of_their_own(own_job: TrainingJob) -> None:
    long = load_material(own_job, CPU)
    config = own_job.config.with_overrides({"model.max_source_tokens": 20})
    short = load_material(replace(own_job, config=config), CPU)
    assert len(token_folders(own_job)) == 2
    assert short.pairs.dropped_pairs > long.pairs.dropped_pairs
    assert len(short.pairs) + short.pairs.dropped_pairs == len(long.pairs)
    assert short.pairs.source.lengths.max() <= 20


def test_the_chunks_do_not_change_the_tokens(
    own_job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = load_material(own_job, CPU)
    own_job.storage.delete(layout.tokens("small", token_folders(own_job)[0].name))
    monkeypatch.setattr(tokens_module, "_ROWS_AT_ONCE", 7)
    assert same_rows(load_material(own_job, CPU), at_once)


@pytest.mark.parametrize("name", ["source.ids", "target.offsets", "index.json"])
def test_damaged_tokens_are_noticed_and_made_again(
    own_job: TrainingJob, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    intact = load_material(own_job, CPU)
    file = token_folders(own_job)[0] / name
    expected = file.read_bytes()
    file.write_bytes(expected[:-1] + bytes([expected[-1] ^ 1]))
    again = load_material(own_job, CPU)
    assert any(f"{name}: differs from its manifest" in line for line in caplog.messages)
    assert file.read_bytes() == expected
    assert len(again.pairs) == len(intact.pairs)


def test_a_training_stopped_during_tokenization_leaves_nothing_and_resumes(
    own_job: TrainingJob, monkeypatch: pytest.MonkeyPatch, quick_validation: None
) -> None:
    class Stopping(NoNotice):
        def wants_stop(self, step: int) -> bool:
            return True

    monkeypatch.setattr(tokens_module, "_EXCHANGE_SECONDS", 0.0)
    outcome = run_training(own_job, notice=Stopping())
    assert not outcome.finished
    assert outcome.state.step == 0
    folder = Path(own_job.storage.locate("small/data/tokens"))
    assert not folder.exists() or list(folder.iterdir()) == []
    assert run_training(own_job).finished


def test_sigterm_during_tokenization_ends_the_training(
    own_job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "_EXCHANGE_SECONDS", 0.0)
    add = TokenWriter.add

    def terminated(writer: TokenWriter, rows: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        add(writer, rows)

    monkeypatch.setattr(TokenWriter, "add", terminated)
    assert not run_training(own_job).finished
    assert token_folders(own_job) == []


def test_an_interrupted_run_resumes_on_saved_tokens_bit_for_bit(
    own_job: TrainingJob, quick_validation: None, counted: list[int]
) -> None:
    complete = replace(own_job, folder="small/complete")
    run_training(complete)
    counted.clear()
    run_training(replace(own_job, stop_at_step=3))
    run_training(own_job)
    assert not counted
    assert same(checkpoint_weights(own_job, 8), checkpoint_weights(complete, 8))


def test_a_process_waits_for_another_one_that_tokenizes(
    own_job: TrainingJob, monkeypatch: pytest.MonkeyPatch, counted: list[int]
) -> None:
    expected = load_material(own_job, CPU)
    folder = token_folders(own_job)[0]
    path = layout.tokens("small", folder.name)
    hidden = folder.rename(folder.with_name("hidden"))
    counted.clear()
    monkeypatch.setattr(tokens_module, "_EXCHANGE_SECONDS", 0.05)

    def tokenize_elsewhere(started: threading.Event) -> None:
        with alone(own_job.storage, f"{path}.lock", "the tokenization"):
            started.set()
            time.sleep(0.5)
            hidden.rename(folder)

    started = threading.Event()
    other = threading.Thread(target=tokenize_elsewhere, args=[started])
    other.start()
    started.wait()
    material = load_material(own_job, CPU)
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
    own_job: TrainingJob, counted: list[int]
) -> None:
    expected = load_material(own_job, CPU)
    counted.clear()
    working, finished = tokens_module._Status(), tokens_module._Status(finished=True)
    second = Scripted(1, None, working, working, finished, None)
    assert same_rows(load_material(own_job, CPU, second), expected)
    assert not counted


def test_data_that_the_first_worker_cannot_read_is_refused_by_all(own_job: TrainingJob) -> None:
    fault = DataError("the split 'train' is damaged")
    second = Scripted(1, None, tokens_module._Status(finished=True, error=fault))
    with pytest.raises(DataError, match="is damaged"):
        load_material(own_job, CPU, second)


def test_a_stop_request_of_any_worker_ends_the_tokenization_of_all(
    own_job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "_EXCHANGE_SECONDS", 0.0)
    wanted = tokens_module._Status(wants_stop=True)
    with pytest.raises(StoppedError):
        load_material(own_job, CPU, Scripted(0, None, wanted))
    with pytest.raises(StoppedError):
        load_material(own_job, CPU, Scripted(1, None, wanted))
    assert token_folders(own_job) == []


def test_tokens_of_an_object_store_are_mapped_from_a_copy(
    own_job: TrainingJob, s3_url: str, counted: list[int]
) -> None:
    here = load_material(own_job, CPU)
    remote = Storage(s3_url)
    with remote.commit(own_job.data) as folder:
        for file in own_job.storage.fetch(own_job.data).rglob("*"):
            target = folder / file.relative_to(own_job.storage.fetch(own_job.data))
            if file.is_dir():
                target.mkdir(exist_ok=True)
            elif file.name != "manifest.json":
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    there = replace(own_job, storage=remote)
    assert same_rows(load_material(there, CPU), here)
    counted.clear()
    assert same_rows(load_material(there, CPU), here)
    assert not counted
