"""Another metric than BLEU chooses checkpoints, ends a training and is compared with the base."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nmt.errors import WorseThanBaseError
from nmt.metrics import corpus_score
from nmt.runs import layout
from nmt.training import validation
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from nmt.training.saved.hypotheses import read_hypotheses
from nmt.training.strategies import pick_device
from nmt.training.trainer import run_training

pytestmark = pytest.mark.usefixtures("quick_validation")


def with_metric(job: TrainingJob, metric: str, **training: object) -> TrainingJob:
    dotted = {f"training.{key}": value for key, value in training.items()}
    given = {**dotted, "training.validation_metric": metric}
    return replace(job, config=job.config.with_overrides(given))


def score(monkeypatch: pytest.MonkeyPatch, *scores: float) -> None:
    """Give the next validations these scores, and BLEUs that grow."""
    left, bleus = list(scores), iter(range(1, 100))
    monkeypatch.setattr(validation, "corpus_bleu", lambda *given: float(next(bleus)))
    monkeypatch.setattr(validation, "corpus_score", lambda *given: left.pop(0))


def test_the_curve_has_the_score_and_bleu(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    score(monkeypatch, 40.0, 50.0)
    reported: list[dict[str, float]] = []
    outcome = run_training(with_metric(job, "chrf++"), reported.append)
    assert [(point["bleu"], point["score"]) for point in outcome.state.curve] == [
        (1.0, 40.0),
        (2.0, 50.0),
    ]
    assert [point["score"] for point in reported] == [40.0, 50.0]
    assert outcome.state.metric == "chrf++"
    assert "step 4 | validation chrF++ 40.00, BLEU 1.00" in caplog.text


@pytest.mark.parametrize(
    ("metric", "scores", "step"),
    [("chrf", (50.0, 40.0), 4), ("ter", (50.0, 40.0), 8), ("ter", (150.0, 160.0), 4)],
)
def test_the_best_checkpoint_is_that_of_the_best_score(
    job: TrainingJob,
    monkeypatch: pytest.MonkeyPatch,
    metric: str,
    scores: tuple[float, float],
    step: int,
) -> None:
    score(monkeypatch, *scores)
    outcome = run_training(with_metric(job, metric))
    assert outcome.state.best_step == step
    meta = job.storage.manifest(layout.published_weights(job.folder))["meta"]
    assert (meta["step"], meta["metric"], meta["score"]) == (
        step,
        metric,
        outcome.state.best_score,
    )


@pytest.mark.parametrize(("metric", "base"), [("ter", 39.0), ("chrf", 51.0)])
def test_weights_with_a_worse_score_than_the_base_are_not_published(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, metric: str, base: float
) -> None:
    score(monkeypatch, base, 50.0, 40.0)
    with pytest.raises(WorseThanBaseError, match=f"worse than the {base:.2f} of the base"):
        run_training(replace(with_metric(job, metric), compares_with_base=True))


@pytest.mark.parametrize(("metric", "ends"), [("ter", 4), ("chrf", 8)])
def test_patience_is_lost_by_the_metric(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, metric: str, ends: int
) -> None:
    score(monkeypatch, 40.0, 50.0, 60.0, 70.0)
    given = with_metric(job, metric, evaluate_every_steps=2, patience=1)
    assert run_training(given).state.step == ends


def test_a_checkpoint_of_a_validation_keeps_its_translations(job: TrainingJob) -> None:
    outcome = run_training(job)
    material = load_material(job, pick_device(0))
    for point in outcome.state.curve:
        kept = read_hypotheses(job.storage, job.folder, int(point["step"]))
        assert kept is not None
        references = [pair.target for pair in material.validation]
        assert corpus_score("bleu", kept, references, "tam_Taml") == point["bleu"]


def test_a_checkpoint_of_an_earlier_release_keeps_none(job: TrainingJob) -> None:
    run_training(job)
    folder = Path(job.storage.locate(layout.checkpoint(layout.checkpoints(job.folder), 8)))
    (folder / "hypotheses.json").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["hypotheses.json"]
    manifest.pop("sha256", None)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert read_hypotheses(job.storage, job.folder, 8) is None
