import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nmt.errors import DataError, ModelError, TrainingError, UnavailableError
from nmt.models.load import ModelSource
from nmt.training import loop
from nmt.training.events import Interruption, Signal
from nmt.training.job import TrainingJob
from nmt.training.loop import run_training


@pytest.fixture(autouse=True)
def _quick_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is decoded does not matter here, and decoding takes most of a short run's time."""
    monkeypatch.setattr(loop, "translate", lambda model, tokenizer, sentences: list(sentences))


def weights(job: TrainingJob, step: int) -> dict[str, torch.Tensor]:
    folder = Path(job.storage.locate(f"{job.folder}/checkpoints/step-{step:08d}"))
    return load_file(folder / "parameters.safetensors")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def with_settings(job: TrainingJob, **overrides: object) -> TrainingJob:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return replace(job, config=job.config.with_overrides(dotted))


def test_training_lowers_the_loss(job: TrainingJob) -> None:
    longer = with_settings(job, training__max_steps=24, training__evaluate_every_steps=6)
    curve = run_training(longer).state.curve
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_a_stopped_run_goes_on_bit_for_bit(job: TrainingJob) -> None:
    run_training(replace(job, folder="small/whole"))
    run_training(replace(job, stop_at_step=3))
    run_training(job)
    assert same(weights(job, 8), weights(replace(job, folder="small/whole"), 8))


def test_a_run_goes_on_from_a_trials_checkpoint_bit_for_bit(job: TrainingJob) -> None:
    trial = replace(job, folder="small/trial", stop_at_step=3)
    run_training(trial)
    run_training(replace(job, start_from="small/trial/checkpoints"))
    run_training(replace(job, folder="small/whole"))
    assert same(weights(job, 8), weights(replace(job, folder="small/whole"), 8))


def test_a_finished_run_takes_no_further_step(job: TrainingJob) -> None:
    run_training(job)
    reports: list[dict[str, float]] = []

    def report(metrics: dict[str, float]) -> Signal:
        reports.append(metrics)
        return Signal.CONTINUE

    outcome = run_training(job, report)
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
    assert same(weights(job, 8), weights(replace(job, folder="small/whole"), 8))


def test_every_validation_is_reported_after_its_checkpoint(job: TrainingJob) -> None:
    seen: list[tuple[float, bool]] = []

    def report(metrics: dict[str, float]) -> Signal:
        place = f"{job.folder}/checkpoints/step-{int(metrics['step']):08d}"
        seen.append((metrics["step"], job.storage.is_committed(place)))
        return Signal.CONTINUE

    run_training(job, report)
    assert seen == [(4, True), (8, True)]


def test_a_stop_signal_ends_the_run_with_a_checkpoint(job: TrainingJob) -> None:
    outcome = run_training(job, lambda metrics: Signal.STOP)
    assert not outcome.finished
    assert outcome.state.step == 5
    assert job.storage.is_committed(f"{job.folder}/checkpoints/step-00000005")


def test_sigterm_ends_the_run_with_a_checkpoint(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Interruption, "__init__", lambda self: setattr(self, "raised", True))
    outcome = run_training(job)
    assert outcome.state.step == 1
    assert job.storage.is_committed(f"{job.folder}/checkpoints/step-00000001")


def test_a_loss_that_is_not_finite_ends_the_run(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        loop, "sum_cross_entropy", lambda hidden, *rest: hidden.sum() * float("nan")
    )
    with pytest.raises(TrainingError, match=r"step 1 is nan.*learning_rate"):
        run_training(job)


def test_only_the_best_and_the_latest_checkpoints_are_kept(job: TrainingJob) -> None:
    longer = with_settings(job, training__max_steps=10, training__evaluate_every_steps=2)
    outcome = run_training(longer)
    names = job.storage.list(f"{job.folder}/checkpoints")
    assert {"step-00000008", "step-00000010", f"step-{outcome.state.best_step:08d}"} == set(names)


def test_patience_ends_a_run_that_no_longer_improves(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "corpus_bleu", lambda hypotheses, references: 1.0)
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
        run_training(short)
    assert " 0 too long" not in caplog.text


def test_no_pair_within_the_limits_is_bad_input(job: TrainingJob) -> None:
    with pytest.raises(DataError, match=r"max_source_tokens=8"):
        run_training(with_settings(job, model__max_source_tokens=8, model__max_target_tokens=8))


def test_an_unknown_layer_name_lists_the_known_ones(job: TrainingJob) -> None:
    with pytest.raises(ModelError, match=r"no layer named query.*q_proj"):
        run_training(with_settings(job, adapter__target_modules=["query"]))


def test_a_language_the_tokenizer_lacks_lists_what_it_has(job: TrainingJob) -> None:
    with pytest.raises(ModelError, match=r"data.target_language=tel_Telu.*tam_Taml"):
        run_training(with_settings(job, data__target_language="tel_Telu"))


@pytest.mark.parametrize(
    ("setting", "value"), [("strategy__type", "deepspeed"), ("adapter__type", "qlora")]
)
def test_what_a_later_release_brings_is_refused_by_name(
    job: TrainingJob, setting: str, value: str
) -> None:
    with pytest.raises(UnavailableError, match=f"{value} is not available yet"):
        run_training(with_settings(job, **{setting: value}))


def test_a_model_folder_without_safetensors_is_refused(tmp_path: Path, prepared: Path) -> None:
    from nmt.models.load import find_model

    (tmp_path / "config.json").write_bytes((prepared / "base/config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"no \.safetensors file"):
        find_model(str(tmp_path))


def test_an_architecture_that_is_not_known_is_named(tmp_path: Path) -> None:
    from nmt.models.load import find_model

    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match=r"'bert' is not supported; supported: m2m_100"):
        find_model(str(tmp_path))


def test_a_base_in_a_folder_is_found(prepared: Path) -> None:
    from nmt.models.load import find_model

    assert find_model(str(prepared / "base")) == ModelSource(str(prepared / "base"))
