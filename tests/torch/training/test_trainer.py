import logging
import math
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from nmt.errors import DataError, DivergedError, ModelError, StorageError, UnavailableError
from nmt.runs import layout
from nmt.runs.records import fetch_output
from nmt.runs.results import TrainingPoint
from nmt.storage import Storage
from nmt.training import loss, validation
from nmt.training.events import NoNotice, Signal
from nmt.training.job import TrainingJob
from nmt.training.saved.checkpoints import Checkpoints
from nmt.training.trainer import run_training
from tests.support.training.small_training import checkpoint_weights, same

pytestmark = pytest.mark.usefixtures("quick_validation")


def with_settings(job: TrainingJob, **overrides: object) -> TrainingJob:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return replace(job, config=job.config.with_overrides(dotted))


@dataclass
class StopAt:
    """A notice that ends a run before the step behind `step`, or in the validation of `during`."""

    step: int | None = None
    during: int | None = None

    def __call__(self, step: int) -> Signal:
        return Signal.STOP if step == self.step else Signal.CONTINUE

    def wants_stop(self, step: int) -> bool:
        return step == self.during


def test_training_lowers_the_loss(job: TrainingJob) -> None:
    longer = with_settings(job, training__max_steps=24, training__evaluate_every_steps=6)
    curve = run_training(longer).state.curve
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_a_stopped_run_goes_on_bit_for_bit(job: TrainingJob) -> None:
    run_training(replace(job, folder="small/whole"))
    run_training(replace(job, stop_at_step=3))
    run_training(job)
    assert same(
        checkpoint_weights(job, 8), checkpoint_weights(replace(job, folder="small/whole"), 8)
    )


def test_a_run_goes_on_from_a_trials_checkpoint_bit_for_bit(job: TrainingJob) -> None:
    trial = replace(job, folder="small/trial", stop_at_step=3)
    run_training(trial)
    run_training(replace(job, start_from="small/trial/checkpoints"))
    run_training(replace(job, folder="small/whole"))
    assert same(
        checkpoint_weights(job, 8), checkpoint_weights(replace(job, folder="small/whole"), 8)
    )


def test_a_finished_run_takes_no_further_step(job: TrainingJob) -> None:
    run_training(job)
    reports: list[dict[str, float]] = []
    outcome = run_training(job, reports.append)
    assert outcome.finished
    assert reports == []


def test_a_damaged_checkpoint_is_left_out_and_named(
    job: TrainingJob, caplog: pytest.LogCaptureFixture
) -> None:
    run_training(replace(job, folder="small/whole"))
    run_training(replace(job, stop_at_step=4))
    run_training(replace(job, stop_at_step=6))
    file = Path(job.storage.locate(f"{job.folder}/checkpoints/step-00000006"))
    content = bytearray((file / "parameters.safetensors").read_bytes())
    content[-1] ^= 1
    (file / "parameters.safetensors").write_bytes(content)
    with caplog.at_level(logging.INFO):
        run_training(job)
    assert "step 6 left out" in caplog.text
    assert "parameters.safetensors" in caplog.text
    assert "from step 4" in caplog.text
    assert same(
        checkpoint_weights(job, 8), checkpoint_weights(replace(job, folder="small/whole"), 8)
    )


def flip_last_bit(job: TrainingJob, step: int) -> None:
    folder = Path(job.storage.locate(f"{job.folder}/checkpoints/step-{step:08d}"))
    content = bytearray((folder / "parameters.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "parameters.safetensors").write_bytes(content)


def test_damaged_checkpoints_do_not_push_out_those_that_are_written_after_them(
    job: TrainingJob,
) -> None:
    often = with_settings(job, training__checkpoint_every_steps=1)
    run_training(replace(often, stop_at_step=8))
    for step in (4, 7, 8):
        flip_last_bit(job, step)
    outcome = run_training(often, notice=StopAt(step=1))
    found = Checkpoints(job.storage, layout.checkpoints(job.folder)).load_last()
    assert found is not None
    assert found.state.step == outcome.state.step == 2


def test_a_damaged_best_checkpoint_is_named_and_the_next_best_one_is_published(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scores = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(validation, "corpus_bleu", lambda *given: next(scores))
    longer = with_settings(job, training__max_steps=12)
    run_training(replace(longer, stop_at_step=8))
    flip_last_bit(job, 4)
    run_training(longer)
    assert "best checkpoint left out" in caplog.text
    assert "step-00000004/parameters.safetensors: differs" in caplog.text
    assert job.storage.manifest(f"{job.folder}/best")["meta"] == {"step": 12, "bleu": 2.0}


def test_published_weights_that_were_damaged_are_published_again(
    trained: TrainingJob, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(trained.storage.locate(""), tmp_path / "root", symlinks=True)
    job = replace(trained, storage=Storage(str(tmp_path / "root")))
    file = Path(job.storage.locate(f"{job.folder}/best/adapter_model.safetensors"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(StorageError, match=r"adapter_model.safetensors: has .*nmt train"):
        fetch_output(job.storage, layout.published_weights(job.folder))
    run_training(job)
    assert file.read_bytes() == whole
    assert "adapter_model.safetensors: has" in caplog.text


def test_a_copy_that_someone_made_of_a_checkpoint_is_none_of_ours(job: TrainingJob) -> None:
    run_training(replace(job, stop_at_step=4))
    folder = Path(job.storage.locate(layout.checkpoints(job.folder)))
    shutil.copytree(folder / "step-00000004", folder / "step-00000004.bak")
    assert run_training(job).finished


def test_every_validation_is_reported_after_its_checkpoint(job: TrainingJob) -> None:
    seen: list[tuple[float, bool]] = []

    def report(metrics: dict[str, float]) -> None:
        place = f"{job.folder}/checkpoints/step-{int(metrics['step']):08d}"
        seen.append((metrics["step"], job.storage.is_committed(place)))

    run_training(job, report)
    assert seen == [(4, True), (8, True)]


def test_a_stop_signal_ends_the_run_with_a_checkpoint(job: TrainingJob) -> None:
    outcome = run_training(job, notice=StopAt(step=4))
    assert not outcome.finished
    assert outcome.state.step == 5
    assert job.storage.is_committed(f"{job.folder}/checkpoints/step-00000005")


class TerminatedAt(NoNotice):
    """The system tells this process to end, before a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, step: int) -> Signal:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGTERM)
        return Signal.CONTINUE


def test_sigterm_ends_the_run_with_a_checkpoint(job: TrainingJob) -> None:
    outcome = run_training(job, notice=TerminatedAt(2))
    assert outcome.state.step in {3, 4}  # Python sees a signal between two of its instructions
    last = f"{job.folder}/checkpoints/step-{outcome.state.step:08d}"
    assert job.storage.is_committed(last)
    assert not outcome.finished


def test_a_stop_in_the_midst_of_a_validation_leaves_a_checkpoint_of_that_step(
    job: TrainingJob,
) -> None:
    outcome = run_training(job, notice=StopAt(during=4))
    assert outcome.state.step == 4
    assert outcome.state.curve == ()
    assert job.storage.list(layout.checkpoints(job.folder)) == ["step-00000004"]


@pytest.mark.parametrize("stop", [StopAt(during=4), StopAt(step=3), StopAt(during=8)])
def test_a_validation_that_a_stop_has_prevented_is_made_up_for(
    job: TrainingJob, stop: StopAt
) -> None:
    whole = replace(job, folder="small/whole")
    undisturbed = run_training(whole).state
    assert not run_training(job, notice=stop).finished
    reports: list[dict[str, float]] = []
    outcome = run_training(job, reports.append)
    assert outcome.finished
    assert outcome.state.curve == undisturbed.curve
    # A report has the number of trained parameters beside the point of the curve.
    trained = {"trained_parameters": outcome.trained_parameters}
    assert reports == [point | trained for point in undisturbed.curve[-len(reports) :]]
    assert same(checkpoint_weights(job, 8), checkpoint_weights(whole, 8))
    assert job.storage.is_committed(f"{job.folder}/best")


def spoil_loss(monkeypatch: pytest.MonkeyPatch, spoilt: Callable[[int], bool]) -> None:
    """Make the loss of some micro-batches, counted from 1, not a number."""
    count, true_loss = 0, loss.sum_cross_entropy

    def spoilt_loss(*inputs: Any) -> torch.Tensor:
        nonlocal count
        count += 1
        return true_loss(*inputs) * (float("nan") if spoilt(count) else 1.0)

    monkeypatch.setattr(loss, "sum_cross_entropy", spoilt_loss)


def test_a_step_without_a_finite_loss_is_left_out(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spoil_loss(monkeypatch, lambda count: count == 2)
    outcome = run_training(job)
    assert outcome.finished
    assert "step 2 | loss or gradients are not finite: skipped" in caplog.text
    assert all(torch.isfinite(tensor).all() for tensor in checkpoint_weights(job, 8).values())


def test_a_run_with_a_step_left_out_goes_on_bit_for_bit(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AdamW's correction of its first steps counts updates, not steps."""
    whole = replace(job, folder="small/whole")
    spoil_loss(monkeypatch, lambda count: count == 2)
    run_training(whole)
    monkeypatch.undo()
    with monkeypatch.context() as spoilt:
        spoil_loss(spoilt, lambda count: count == 2)
        run_training(replace(job, stop_at_step=3))
    run_training(job)
    assert same(checkpoint_weights(job, 8), checkpoint_weights(whole, 8))


def test_a_validation_at_a_step_that_was_left_out_counts(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weights are those of the step before."""
    spoil_loss(monkeypatch, lambda count: count == 4)
    scores = iter([9.0, 1.0])
    monkeypatch.setattr(validation, "corpus_bleu", lambda *given: next(scores))
    outcome = run_training(job)
    assert outcome.state.best_step == 4
    assert job.storage.manifest(f"{job.folder}/best")["meta"] == {"step": 4, "bleu": 9.0}


def test_a_training_whose_only_validation_is_at_a_step_left_out_is_published(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_loss(monkeypatch, lambda count: count == 8)
    assert run_training(with_settings(job, training__evaluate_every_steps=8)).finished
    assert job.storage.is_committed(f"{job.folder}/best")


def test_a_stop_at_a_step_that_was_left_out_keeps_those_before(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_loss(monkeypatch, lambda count: count == 4)
    assert run_training(job, notice=StopAt(step=3)).state.step == 4
    assert job.storage.list(layout.checkpoints(job.folder)) == ["step-00000004"]


@pytest.mark.parametrize(("spoilt", "told"), [({4}, {4, 8}), ({1, 2, 3, 4}, {8})])
def test_a_validation_tells_the_last_finite_loss_if_there_was_one(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, spoilt: set[int], told: set[int]
) -> None:
    spoil_loss(monkeypatch, lambda count: count in spoilt)
    curve = run_training(job).state.curve
    assert {entry["step"] for entry in curve if "loss" in entry} == told
    assert all(math.isfinite(entry.get("loss", 0.0)) for entry in curve)
    assert [TrainingPoint.model_validate(entry).step for entry in curve] == [4, 8]


def test_a_loss_that_stays_not_finite_ends_the_run_with_good_checkpoints(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_loss(monkeypatch, lambda count: count > 5)
    longer = with_settings(job, training__max_steps=20)
    for _ in range(2):  # and so does the next attempt, no step further
        with pytest.raises(DivergedError, match=r"5 steps in a row, to step 10.*run=NAME"):
            run_training(longer)
    weights = [checkpoint_weights(longer, step) for step in (4, 8)]
    assert all(torch.isfinite(t).all() for each in weights for t in each.values())


def test_only_the_best_and_the_latest_checkpoints_are_kept(job: TrainingJob) -> None:
    longer = with_settings(job, training__max_steps=10, training__evaluate_every_steps=2)
    outcome = run_training(longer)
    names = job.storage.list(layout.checkpoints(job.folder))
    assert {"step-00000008", "step-00000010", f"step-{outcome.state.best_step:08d}"} == set(names)


def test_patience_ends_a_run_that_no_longer_improves(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "corpus_bleu", lambda *given: 1.0)
    patient = with_settings(
        job,
        training__max_steps=20,
        training__evaluate_every_steps=2,
        training__patience=2,
    )
    outcome = run_training(patient)
    assert outcome.finished
    assert outcome.state.step == 6
    assert outcome.state.best_step == 2


def test_the_best_weights_are_a_peft_folder_with_its_tokenizer(job: TrainingJob) -> None:
    run_training(job)
    names = set(job.storage.list(f"{job.folder}/best"))
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= names


def test_full_fine_tuning_changes_every_weight(job: TrainingJob) -> None:
    full = with_settings(job, adapter__type="none")
    run_training(full)
    before = load_file(Path(job.base.name) / "model.safetensors")
    after = load_file(Path(job.storage.locate(f"{job.folder}/best")) / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(not torch.equal(before[name], after[name]) for name in before)


def test_pairs_beyond_the_limits_are_left_out(
    job: TrainingJob, caplog: pytest.LogCaptureFixture
) -> None:
    short = with_settings(job, model__max_source_tokens=20)
    with caplog.at_level(logging.INFO):
        dropped = run_training(short).dropped_pairs
    assert dropped > 0
    assert f" {dropped} too long" in caplog.text


def test_limits_that_leave_out_most_pairs_are_warned_of(
    job: TrainingJob, caplog: pytest.LogCaptureFixture
) -> None:
    run_training(with_settings(job, model__max_source_tokens=20))
    assert "most training pairs are longer than" not in caplog.text
    shorter = with_settings(replace(job, folder="small/short"), model__max_source_tokens=15)
    run_training(shorter)
    assert "most training pairs are longer than" in caplog.text


def test_no_pair_within_the_limits_is_bad_input(job: TrainingJob) -> None:
    with pytest.raises(DataError, match=r"max_source_tokens=8"):
        run_training(with_settings(job, model__max_source_tokens=8, model__max_target_tokens=8))


def test_an_unknown_layer_name_lists_the_known_ones(job: TrainingJob) -> None:
    with pytest.raises(ModelError, match=r"no linear layer named query.*q_proj"):
        run_training(with_settings(job, adapter__target_modules=["query"]))


def test_a_language_the_tokenizer_lacks_lists_what_it_has(job: TrainingJob) -> None:
    with pytest.raises(ModelError, match=r"data.target_language=tel_Telu.*tam_Taml"):
        run_training(with_settings(job, data__target_language="tel_Telu"))


@pytest.mark.parametrize("strategy", ["ddp", "deepspeed"])
def test_a_strategy_of_several_workers_needs_their_process_group(
    job: TrainingJob, strategy: str
) -> None:
    with pytest.raises(UnavailableError, match=f"{strategy} needs a process group"):
        run_training(with_settings(job, strategy__type=strategy))
