from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nmt.runs import layout
from nmt.runs.steps import BASE
from nmt.training.base import prepare_base
from nmt.training.job import TrainingJob
from nmt.training.trainer import run_training
from tests.support.models.tiny_models import build


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return build("multilingual_bert", tmp_path / "model") / "encoder"


def prepared_from(encoder: Path, job: TrainingJob) -> TrainingJob:
    """The same training, of all weights of what is made of an encoder."""
    settings = {"model.name_or_path": str(encoder), "adapter.type": "none"}
    config = job.config.with_overrides(settings)
    return replace(job, config=config, base=prepare_base(config, job.storage))


def test_an_encoder_becomes_an_encoder_decoder_that_trains(encoder: Path, job: TrainingJob) -> None:
    curve = run_training(prepared_from(encoder, job)).state.curve
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_it_is_made_once(encoder: Path, job: TrainingJob) -> None:
    prepared_from(encoder, job)
    file = Path(
        job.storage.locate(f"{layout.step_folder(job.config.run, BASE)}/initial/model.safetensors")
    )
    before = file.stat().st_mtime_ns
    prepared_from(encoder, job)
    assert file.stat().st_mtime_ns == before


def test_its_decoder_starts_from_the_encoders_weights(encoder: Path, job: TrainingJob) -> None:
    prepared_from(encoder, job)
    weights = load_file(
        job.storage.locate(f"{layout.step_folder(job.config.run, BASE)}/initial/model.safetensors")
    )
    read, written = "encoder.encoder.layer.0", "decoder.bert.encoder.layer.0"
    for name in ("attention.self.query.weight", "intermediate.dense.weight"):
        torch.testing.assert_close(weights[f"{read}.{name}"], weights[f"{written}.{name}"])


def test_an_adapter_on_it_is_warned_about(
    encoder: Path, job: TrainingJob, caplog: pytest.LogCaptureFixture
) -> None:
    config = job.config.with_overrides({"model.name_or_path": str(encoder)})
    prepare_base(config, job.storage)
    assert "cross-attention" in caplog.text
    assert "adapter.type=none" in caplog.text
