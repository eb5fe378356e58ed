"""Trials that are compared by another metric than BLEU."""

from typing import cast

import pytest

from nmt.config import Config, load_config
from nmt.runs.trials import Trial
from nmt.storage import Storage

pytest.importorskip("ray.tune")

from ray.tune.experiment import Trial as TuneTrial

from ray_jobs.search.table import table_lines
from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import FakeTrial

SMALL = {"adapter.rank": 8, "training.learning_rate": 1e-3}
LARGE = {"adapter.rank": 64, "training.learning_rate": 2e-3}


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(str(tmp_path / "runs"))


@pytest.fixture
def config() -> Config:
    words = ["run=demo", "tune.trials=3", "tune.max_steps=100", "tune.grace_steps=50"]
    return load_config(overrides=words)


@pytest.mark.parametrize(("metric", "best"), [("chrf", LARGE), ("ter", SMALL)])
def test_the_best_trial_is_that_of_the_best_score(storage, config, metric, best):
    log = TrialLog(storage, config.with_overrides({"training.validation_metric": metric}))
    for sample, score in ((SMALL, 40.0), (LARGE, 50.0)):
        trial = cast(TuneTrial, FakeTrial(sample))
        log.on_trial_start(0, [], trial)
        log.on_trial_result(0, [], trial, {"step": 100, "bleu": 9.0, "score": score})
        log.on_trial_complete(0, [], trial)
    found = log.best()
    assert found is not None
    assert (found.config, found.metric, found.bleu) == (best, metric, 9.0)


def test_the_table_shows_bleu_beside_another_metric():
    trial = Trial(
        config={"seed": 1}, state="finished", metric="chrf", score=50.0, bleu=9.0, steps=100
    )
    head, row = table_lines([trial], 1, "chrf")[1:]
    assert head.split() == ["chrF", "BLEU", "steps", "state", "seed"]
    assert row.split() == ["50.00", "9.00", "100", "finished", "1"]
