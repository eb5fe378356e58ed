"""Engines on a GPU: reduced precision against float32, and a GPU against the CPU."""

import io
from contextlib import redirect_stderr
from pathlib import Path

import ctranslate2
import pytest
from ctranslate2.converters import TransformersConverter

from nmt.engines.engine import load_engine
from nmt.export import trained_model
from nmt.export.publish import export
from nmt.models.load import load_codec, load_model
from nmt.models.sources.source import ModelSource
from nmt.runs import layout
from nmt.training.job import TrainingJob
from nmt.training.trainer import run_training

SENTENCES = (
    "The doctor sees two patients.",
    "We need water now.",
    "Where is the hospital?",
    "The nurse gives the medicine in the morning.",
)
# Mean difference of the log-probabilities of the same tokens.
TOLERANCES = {"float16": 0.02, "int8_float16": 0.2, "int8": 0.2}


@pytest.fixture(scope="module")
def converted(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base, converted to CTranslate2 without quantization."""
    folder = tmp_path_factory.mktemp("converted")
    source = ModelSource(str(prepared / "base"))
    plain = folder / "plain"
    load_model(source).save_pretrained(plain)
    load_codec(source, "eng_Latn", "tam_Taml").save(plain)
    with redirect_stderr(io.StringIO()):
        TransformersConverter(str(plain)).convert(str(folder / "model"), quantization="float32")
    return folder / "model"


@pytest.fixture(scope="module")
def sources(prepared: Path) -> list[list[str]]:
    codec = load_codec(ModelSource(str(prepared / "base")), "eng_Latn", "tam_Taml")
    rows = codec.encode_sources(SENTENCES)
    return [codec.tokenizer.convert_ids_to_tokens(ids) for ids in rows]


def open_engine(folder: Path, compute_type: str) -> ctranslate2.Translator:
    return ctranslate2.Translator(str(folder), device="cuda", compute_type=compute_type)


@pytest.mark.parametrize("compute_type", TOLERANCES)
def test_a_reduced_engine_scores_float32_answers_alike(
    converted: Path, sources: list[list[str]], compute_type: str
) -> None:
    if compute_type not in ctranslate2.get_supported_compute_types("cuda"):
        pytest.skip(f"this GPU does not compute in {compute_type}")
    exact = open_engine(converted, "float32")
    prefix = [["tam_Taml"]] * len(sources)
    answers = exact.translate_batch(sources, target_prefix=prefix, beam_size=1)
    targets = [answer.hypotheses[0] for answer in answers]
    assert all(len(target) > 1 for target in targets)
    expected = exact.score_batch(sources, targets)
    found = open_engine(converted, compute_type).score_batch(sources, targets)
    differences = [
        abs(one - other)
        for first, second in zip(expected, found, strict=True)
        for one, other in zip(first.log_probs, second.log_probs, strict=True)
    ]
    assert sum(differences) / len(differences) < TOLERANCES[compute_type]


@pytest.mark.parametrize("form", ["ctranslate2", "torch"])
def test_an_engine_translates_on_the_gpu_as_on_the_cpu(
    job: TrainingJob, prepared: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    base = ModelSource(str(prepared / "base"))
    monkeypatch.setattr(trained_model, "base_source", lambda config, storage: base)
    run_training(job)
    config = job.config.with_overrides(
        {"export.format": form, "export.quantization": "float32", "serving.beam_size": 2}
    )
    folder = job.storage.fetch(layout.engine(export(config, job.storage).engine))
    answers = []
    for gpus in (0, 1):
        serving = config.serving.model_copy(update={"gpus_per_replica": gpus})
        engine = load_engine(folder, serving)
        rows = [engine.encode(sentence)[0] for sentence in SENTENCES]
        answers.append(engine.translate(rows))
    on_cpu, on_gpu = answers
    assert all(on_cpu)
    # Sums in another order may choose the other of two words with nearly equal scores.
    assert sum(one == other for one, other in zip(on_cpu, on_gpu, strict=True)) >= 3
