"""Base and tuned weights of a run translate the same sentences."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from nmt.config import Config
from nmt.decoding.generate import translate
from nmt.evaluation import models as module
from nmt.evaluation.models import find_models
from nmt.models.load import load_codec, load_model
from nmt.models.sources.source import ModelSource
from nmt.runs import layout
from nmt.scoring.outputs import SystemOutput
from nmt.storage import Storage
from nmt.training.job import TrainingJob
from nmt.training.trainer import run_training
from tests.support.evaluation.fake_systems import sentences_of

SENTENCES = ["The doctor is at home.", "We go home.", "Where is the water?"]


@pytest.fixture(autouse=True)
def base(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> ModelSource:
    source = ModelSource(str(prepared / "base"))
    monkeypatch.setattr(module, "base_source", lambda config, storage: source)
    return source


def translate_systems(config: Config, storage: Storage) -> dict[str, tuple[SystemOutput, int]]:
    """Translate with each model in turn; also return its number of parameters."""
    test_set = sentences_of("test", SENTENCES)
    found: dict[str, tuple[SystemOutput, int]] = {}
    for name, system in find_models(config, storage).items():
        with system.load() as loaded:
            output = loaded.translate(test_set, lambda count: None)
            found[name] = output, loaded.info.parameters or 0
    return found


def hypotheses(source: ModelSource, job: TrainingJob) -> list[str]:
    data = job.config.data
    codec = load_codec(source, data.source_language, data.target_language)
    return translate(
        load_model(source), codec, SENTENCES, beam_size=job.config.evaluation.beam_size
    )


@pytest.mark.parametrize(
    "adapter", ["lora", "qlora", "ia3", "oft", "prefix", "prompt", "bottleneck"]
)
def test_the_base_translates_as_if_there_were_no_adapter(
    adapter: str, job: TrainingJob, base: ModelSource, quick_validation: None
) -> None:
    rate = 0.9 if adapter == "prompt" else 0.1  # the little that it trains must change something
    words = {"adapter.type": adapter, "training.learning_rate": rate}
    trained = replace(job, config=job.config.with_overrides(words))
    run_training(trained)
    found = translate_systems(trained.config, trained.storage)
    (base_output, base_parameters), (tuned_output, parameters) = found.values()
    assert base_output.hypotheses == hypotheses(base, trained) != tuned_output.hypotheses
    assert base_parameters < parameters


@pytest.mark.parametrize(
    "adapter", ["lora", "qlora", "ia3", "oft", "prefix", "prompt", "bottleneck", "none"]
)
def test_each_kind_of_training_translates_in_the_number_format_of_its_validations(
    adapter: str, job: TrainingJob, quick_validation: None
) -> None:
    words = {"adapter.type": adapter, "training.max_steps": 4, "training.precision": "bf16"}
    trained = replace(job, config=job.config.with_overrides(words))
    run_training(trained)
    found = translate_systems(trained.config, trained.storage)
    for output, _ in found.values():
        assert len(output.hypotheses) == len(SENTENCES)
        assert output.confidences is not None
        assert all(confidence is not None for confidence in output.confidences)
    assert all(found["base"][0].hypotheses)


def test_of_two_full_models_each_translates_its_own(
    job: TrainingJob, base: ModelSource, quick_validation: None
) -> None:
    words = {"adapter.type": "none", "training.learning_rate": 0.01}
    full = replace(job, config=job.config.with_overrides(words))
    run_training(full)
    found = translate_systems(full.config, full.storage)
    assert found["base"][0].hypotheses == hypotheses(base, full)
    tuned = ModelSource(full.storage.locate(layout.published_weights(full.folder)))
    assert found["tuned"][0].hypotheses == hypotheses(tuned, full) != found["base"][0].hypotheses


def test_a_model_that_the_gpu_does_not_hold_translates_on_the_cpu(
    trained: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = translate_systems(trained.config, trained.storage)
    move = nn.Module.to

    def out_of_memory(module: nn.Module, *place: Any, **options: Any) -> nn.Module:
        if place == (torch.device("cuda"),):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return move(module, *place, **options)

    monkeypatch.setattr(nn.Module, "to", out_of_memory)
    monkeypatch.setattr(module, "pick_device", lambda gpus: torch.device("cuda"))
    monkeypatch.setattr(module, "pick_dtype", lambda precision, device: torch.float32)
    assert translate_systems(trained.config, trained.storage) == expected
    assert "cuda does not hold the model: the CPU translates" in caplog.text


class SilentCodec:
    """A codec of a model that is not told the languages."""

    def encode_sources(self, texts: list[str]) -> list[list[int]]:
        return [[1, 2] for _ in texts]

    encode_targets = encode_sources

    def generation_options(self) -> dict[str, int]:
        return {}


def test_a_model_that_is_not_told_the_languages_translates_one_direction(
    trained: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = sentences_of("back", source_language="tam_Taml", target_language="eng_Latn")
    base = find_models(trained.config, trained.storage)["base"]
    assert base.find_obstacle(back) is None
    monkeypatch.setattr(module, "load_codec", lambda *arguments: SilentCodec())
    silent = find_models(trained.config, trained.storage)["base"]
    assert silent.find_obstacle(sentences_of("news")) is None
    assert "translates eng_Latn to tam_Taml" in (silent.find_obstacle(back) or "")
