"""A training that knows its base publishes nothing that is worse than it."""

import logging
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from nmt.errors import WorseThanBaseError
from nmt.runs import layout
from nmt.training import validation
from nmt.training.events import NoNotice
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from nmt.training.saved.checkpoints import Checkpoints
from nmt.training.strategies import Single
from nmt.training.trainer import run_training
from nmt.training.validation import Measure, validate_base
from tests.support.training.small_training import checkpoint_weights

pytestmark = pytest.mark.usefixtures("quick_validation")


@pytest.fixture
def compared(job: TrainingJob) -> TrainingJob:
    """Eight steps, validated at the start and at steps 4 and 8."""
    return replace(job, compares_with_base=True)


def score(monkeypatch: pytest.MonkeyPatch, *bleus: float) -> list[float]:
    """Give the next validations these scores; what is left of them is returned."""
    left = list(bleus)
    monkeypatch.setattr(validation, "corpus_bleu", lambda *given: left.pop(0))
    return left


def with_settings(job: TrainingJob, **settings: object) -> TrainingJob:
    dotted = {f"training.{key}": value for key, value in settings.items()}
    return replace(job, config=job.config.with_overrides(dotted))


def checkpoints(job: TrainingJob) -> Checkpoints:
    return Checkpoints(job.storage, layout.checkpoints(job.folder))


def is_published(job: TrainingJob) -> bool:
    return job.storage.is_committed(f"{job.folder}/best")


def test_weights_that_are_worse_than_the_base_are_not_published(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(monkeypatch, 30.0, 12.5, 11.0)
    with pytest.raises(WorseThanBaseError) as refused:
        run_training(compared)
    said = str(refused.value)
    for part in ("12.50", "step 4", "30.00 of the base", "training.learning_rate", "=true"):
        assert part in said
    assert refused.value.exit_code == 2
    assert not is_published(compared)
    assert checkpoints(compared).steps() == [4, 8]


def test_a_refused_training_is_refused_again_without_another_validation(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(monkeypatch, 30.0, 12.5, 11.0)
    for _ in range(2):
        with pytest.raises(WorseThanBaseError, match=r"12\.50"):
            run_training(compared)


def test_weights_that_are_worse_than_the_base_are_published_where_the_user_allows_it(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    score(monkeypatch, 30.0, 12.5, 11.0)
    with pytest.raises(WorseThanBaseError):
        run_training(compared)
    outcome = run_training(with_settings(compared, allow_worse_than_base=True))
    assert compared.storage.manifest(f"{compared.folder}/best")["meta"] == {"step": 4, "bleu": 12.5}
    assert "worse than the base" in caplog.text
    assert outcome.state.base_bleu == 30.0


@pytest.mark.parametrize("base", [12.5, 3.0])
def test_weights_that_are_as_good_as_the_base_are_published(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch, base: float
) -> None:
    score(monkeypatch, base, 12.5, 11.0)
    assert run_training(compared).finished
    assert is_published(compared)


def test_scores_that_look_alike_are_told_with_more_digits(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(monkeypatch, 12.5001, 12.5, 11.0)
    with pytest.raises(WorseThanBaseError, match=r"12\.500000 .* 12\.500100 of the base"):
        run_training(compared)


def test_the_mean_of_checkpoints_is_a_candidate_against_the_base(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    averaged = with_settings(compared, average_checkpoints=2)
    score(monkeypatch, 30.0, 12.5, 11.0, 31.0)
    run_training(averaged)
    assert averaged.storage.manifest(f"{averaged.folder}/best")["meta"]["bleu"] == 31.0


def test_the_next_best_checkpoint_must_reach_the_base_too_where_the_best_is_damaged(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(monkeypatch, 12.0, 12.5, 11.0)
    longer = with_settings(compared, max_steps=12)
    run_training(replace(longer, stop_at_step=8))
    place = f"{compared.folder}/checkpoints/step-00000004/parameters.safetensors"
    compared.storage.write_bytes(place, b"cut")
    score(monkeypatch, 11.5)
    with pytest.raises(WorseThanBaseError, match=r"11\.50 \(checkpoint of step 12\)"):
        run_training(longer)


def test_the_base_is_validated_once_and_told(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left = score(monkeypatch, 10.0, 12.5, 11.0)
    with caplog.at_level(logging.INFO):
        run_training(replace(compared, stop_at_step=4))
        outcome = run_training(compared)
    assert left == []
    assert outcome.state.base_bleu == 10.0
    assert [entry["step"] for entry in outcome.state.curve] == [4, 8]
    assert caplog.text.count("validation BLEU of the base 10.00") == 1


def test_the_base_is_validated_as_it_was_before_any_training(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with the weights of the trial that the training goes on from."""
    run_training(replace(compared, folder="small/trial", stop_at_step=4, compares_with_base=False))
    seen: list[float] = []

    def look(model: torch.nn.Module, *given: Any, **options: Any) -> list[str]:
        parts = [p for name, p in model.named_parameters() if "lora_B" in name]
        seen.append(float(sum(p.detach().abs().sum() for p in parts)))
        return list(given[1])

    monkeypatch.setattr(validation, "translate", look)
    run_training(replace(compared, start_from="small/trial/checkpoints"))
    assert seen[0] == 0.0
    assert all(size > 0 for size in seen[1:])


def test_a_training_that_goes_on_from_a_trial_is_compared_with_the_base(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(monkeypatch, 12.5, 30.0, 11.0)
    run_training(replace(compared, folder="small/trial", stop_at_step=4, compares_with_base=False))
    with pytest.raises(WorseThanBaseError, match=r"12\.50 .* 30\.00 of the base"):
        run_training(replace(compared, start_from="small/trial/checkpoints"))


@dataclass
class StopAtOnce(NoNotice):
    """A notice that comes before the first step, as long as it is up."""

    up: bool = True

    def wants_stop(self, step: int) -> bool:
        return self.up


def test_a_stop_while_the_base_is_validated_loses_nothing(
    compared: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run_training(compared, notice=StopAtOnce())
    assert not outcome.finished
    assert outcome.state.step == 0
    score(monkeypatch, 10.0, 12.5, 11.0)
    outcome = run_training(compared)
    assert outcome.finished
    assert outcome.state.base_bleu == 10.0


def test_comparing_with_the_base_changes_no_weight(compared: TrainingJob) -> None:
    alone = replace(compared, folder="small/alone", compares_with_base=False)
    run_training(compared)
    run_training(alone)
    ours, theirs = checkpoint_weights(compared, 8), checkpoint_weights(alone, 8)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_table_of_positions_that_a_long_hypothesis_made_longer_is_put_back(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that decode other sentences must begin with tables of one length."""
    material = load_material(job, torch.device("cpu"))
    sizes = {name: buffer.shape for name, buffer in material.model.named_buffers()}
    assert sizes

    def lengthen(model: torch.nn.Module, codec: object, sentences: list[str], **rest: Any) -> Any:
        for module in model.modules():
            for name, buffer in list(module.named_buffers(recurse=False)):
                setattr(module, name, torch.cat([buffer, buffer]))
        return sentences

    monkeypatch.setattr(validation, "translate", lengthen)
    validate_base(material, Single(), Measure())
    assert {n: buffer.shape for n, buffer in material.model.named_buffers()} == sizes
