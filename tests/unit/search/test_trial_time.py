"""How the time of trials is counted, and what a limit leaves of them."""

import pytest

from nmt.config import Config, load_config
from nmt.storage import Storage

pytest.importorskip("ray.tune")


from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import complete, follow

SMALL = {"adapter.rank": 8, "training.learning_rate": 1e-3}
LARGE = {"adapter.rank": 64, "training.learning_rate": 2e-3}


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(str(tmp_path / "runs"))


@pytest.fixture
def config() -> Config:
    words = ["run=demo", "tune.trials=3", "tune.max_steps=100", "tune.grace_steps=50"]
    return load_config(overrides=words)


def test_a_trial_that_a_limit_stops_is_neither_cut_nor_over(storage, config):
    log = TrialLog(storage, config)
    log.is_stopping = True
    complete(log, SMALL, (50, 10.0))
    assert [(e.state, e.score) for e in TrialLog(storage, config).begun()] == [("stopped", 10.0)]


def test_the_time_of_a_trial_adds_up_over_its_attempts(storage, config, monkeypatch):
    now = iter(range(100, 1000, 10))
    monkeypatch.setattr("nmt.runs.trials.time.time", lambda: float(next(now)))
    for _ in range(2):
        follow(TrialLog(storage, config), SMALL, (50, 10.0))
    (trial,) = TrialLog(storage, config).entries()
    assert (len(trial.periods), trial.seconds) == (2, 20.0)


def test_the_time_that_passes_between_two_scores_is_kept_when_asked(storage, config, monkeypatch):
    now = iter((0.0, 30.0, 70.0))
    monkeypatch.setattr("nmt.runs.trials.time.time", lambda: next(now))
    log = TrialLog(storage, config)
    follow(log, SMALL)
    log.count_time(keep=True)
    log.count_time(keep=False)
    assert log.entries()[0].seconds == 70.0
    assert TrialLog(storage, config).entries()[0].seconds == 30.0
