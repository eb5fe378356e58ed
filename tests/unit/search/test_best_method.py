"""What a training takes up from a search over methods."""

from collections.abc import Mapping

import pytest

from nmt.config import load_config, load_with_user_set
from nmt.runs.records import BEST_TRIAL
from nmt.runs.results import TuneResult
from nmt.runs.running import StepOutput, run_step
from nmt.runs.steps import BASE, PREPARE, TRAIN, TUNE
from nmt.runs.trials import Trial, TrialWithCheckpoints
from nmt.runs.tuning import Setting
from nmt.storage import Storage
from ray_jobs.runtime.context import Session
from ray_jobs.search.best_trial import BestTrial, find_best
from tests.support.runs.finished_steps import finish

FULL = {"adapter.type": "none", "training.learning_rate": 3e-5}
LORA = {"adapter.type": "lora", "adapter.rank": 32, "training.learning_rate": 3e-4}
METHODS = "tune.methods=[lora,none]"


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with a run that is prepared and has a base."""
    storage = Storage(str(tmp_path / "runs"))
    finish(storage, PREPARE, BASE)
    return storage


def search(storage: Storage, *found: Mapping[str, Setting]) -> None:
    """A finished search over methods, with these trials, the best one first."""
    trials = [
        Trial(config=dict(settings), state="finished", bleu=30.0 - number, steps=600)
        for number, settings in enumerate(found)
    ]
    best = TrialWithCheckpoints(**trials[0].model_dump(), checkpoints="demo/tune/best")
    result = TuneResult(best=best, trials=tuple(trials))
    run_step(storage, load_config(overrides=[METHODS]), TUNE, lambda: StepOutput(result))
    BEST_TRIAL.write(storage, "demo/tune/best.json", best)


def best_for(storage: Storage, *words: str) -> BestTrial:
    loaded = load_with_user_set(overrides=words)
    return find_best(Session(loaded.config, storage, loaded.user_set).with_inherited(TRAIN))


def test_the_best_method_is_trained_though_another_is_configured(storage: Storage) -> None:
    search(storage, FULL, LORA)
    best = best_for(storage)
    assert (best.config.adapter.type, best.config.training.learning_rate) == ("none", 3e-5)
    assert best.checkpoints == "demo/tune/best"


def test_settings_for_the_configured_adapter_do_not_reach_another_method(storage: Storage) -> None:
    search(storage, FULL, LORA)
    words = ["adapter.rank=4", "training.learning_rate=2e-4", "adapter.dropout=0.0"]
    best = best_for(storage, *words)
    assert (best.config.adapter.type, best.config.training.learning_rate) == ("none", 3e-5)


def test_settings_that_the_user_set_stay_where_the_configured_method_is_the_best(
    storage: Storage,
) -> None:
    search(storage, LORA, FULL)
    best = best_for(storage, "training.learning_rate=2e-4")
    assert best.config.settings("adapter.rank") == {"adapter.rank": 32}
    assert best.config.training.learning_rate == 2e-4


def test_a_user_who_names_a_method_gets_the_best_trial_of_it(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    search(storage, FULL, LORA)
    best = best_for(storage, "adapter.type=lora")
    assert best.config.settings("adapter.type", "adapter.rank") == {
        "adapter.type": "lora",
        "adapter.rank": 32,
    }
    assert best.checkpoints is not None
    assert "adapter.type=lora stays as you set it; the best of the search was none" in caplog.text


def test_a_user_who_names_methods_to_compare_gets_the_best_of_them(storage: Storage) -> None:
    search(storage, FULL, LORA)
    assert best_for(storage, "adapter.type=lora", METHODS).config.adapter.type == "none"


def test_a_method_that_was_not_searched_is_trained_without_the_search(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    search(storage, FULL, LORA)
    best = best_for(storage, "adapter.type=ia3")
    assert (best.config, best.checkpoints) == (load_config(overrides=["adapter.type=ia3"]), None)
    assert "the search has no trial of adapter.type=ia3" in caplog.text
