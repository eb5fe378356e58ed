from typing import Any

import pytest

from nmt.config import Config, load_config, load_with_user_set
from nmt.errors import TrainingError
from nmt.runs.records import BEST_TRIAL
from nmt.runs.results import TuneResult
from nmt.runs.running import StepOutput, run_step
from nmt.runs.steps import BASE, EVALUATE, PREPARE, TRAIN, TUNE
from nmt.runs.trials import TrialWithCheckpoints
from nmt.storage import Storage
from ray_jobs.runtime.context import Session
from ray_jobs.search.best_trial import find_best
from tests.support.runs.finished_steps import finish
from tests.support.runs.records import step_output

FOUND = {"adapter.rank": 32, "adapter.alpha": 64, "training.learning_rate": 3e-4}
CHECKPOINTS = "demo/tune/trials/x/checkpoints"


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with a run that is prepared and has a base."""
    storage = Storage(str(tmp_path / "runs"))
    finish(storage, PREPARE, BASE)
    return storage


def search(storage: Storage, *words: str, found: dict[str, Any] = FOUND) -> None:
    """A finished search, made with these settings."""
    run_step(storage, load_config(overrides=words), TUNE, step_output)
    best = TrialWithCheckpoints(
        config=found, state="finished", bleu=30.0, steps=600, checkpoints=CHECKPOINTS
    )
    BEST_TRIAL.write(storage, "demo/tune/best.json", best)


def best_for(storage: Storage, *words: str):
    """What a training with these words takes up, asked as `train.run` asks."""
    loaded = load_with_user_set(overrides=words)
    return find_best(Session(loaded.config, storage, loaded.user_set).with_inherited(TRAIN))


def test_without_a_search_the_settings_stay(storage):
    best = best_for(storage, "adapter.rank=4")
    assert (best.config, best.checkpoints) == (load_config(overrides=["adapter.rank=4"]), None)


def test_an_unfinished_search_is_left_out(storage, caplog):
    def lost() -> StepOutput[TuneResult]:
        raise TrainingError("lost")

    with pytest.raises(TrainingError):
        run_step(storage, Config(), TUNE, lost)
    assert best_for(storage).config == Config()
    assert "not finished" in caplog.text


def test_settings_of_the_search_that_the_training_forgot_are_named(storage, caplog):
    search(storage, "training.max_steps=900", "training.label_smoothing=0.3")
    assert best_for(storage, "training.max_steps=900").checkpoints is None
    assert "training.label_smoothing=0.3 there, 0.1 here" in caplog.text
    assert "max_steps" not in caplog.text


def test_what_the_search_found_is_taken(storage):
    search(storage)
    assert best_for(storage).config == Config().with_overrides(FOUND)


def test_a_key_that_the_user_set_is_kept_and_the_others_are_taken(storage):
    search(storage)
    config = best_for(storage, "adapter.rank=4").config
    assert config.settings(*FOUND) == FOUND | {"adapter.rank": 4}


def test_a_key_that_the_user_set_to_its_default_is_kept(storage):
    search(storage)
    assert best_for(storage, "adapter.rank=16").config.settings("adapter.rank") == {
        "adapter.rank": 16
    }


@pytest.mark.parametrize("key", ["seed", "model.max_source_tokens", "model.max_target_tokens"])
def test_what_the_search_found_for_a_setting_of_an_earlier_step_is_taken(storage, caplog, key):
    caplog.set_level("INFO")
    search(storage, found={key: 32})
    best = best_for(storage)
    assert best.config.settings(key) == {key: 32}
    assert best.checkpoints == CHECKPOINTS
    assert "stays as you set it" not in caplog.text


def test_the_steps_after_a_training_go_on_with_what_it_took_from_the_search(storage):
    search(storage, found={"seed": 32})
    run_step(storage, best_for(storage).config, TRAIN, lambda: step_output("one"))
    session = Session(Config(), storage, frozenset())
    assert session.with_inherited(EVALUATE).config.seed == 32
    assert best_for(storage).config.seed == 32


def test_a_setting_of_an_earlier_step_that_the_user_set_is_kept(storage, caplog):
    caplog.set_level("INFO")
    search(storage, found={"seed": 32})
    best = best_for(storage, "seed=1")
    assert (best.config.seed, best.checkpoints) == (1, None)
    assert "seed stays as you set it; the search found 32" in caplog.text


def test_settings_beside_the_search_stay(storage):
    search(storage)
    assert best_for(storage, "scaling.max_failures=9").config.scaling.max_failures == 9


@pytest.mark.parametrize("step", [PREPARE, BASE], ids=lambda step: step.name)
def test_a_search_on_other_data_or_another_base_is_left_out(storage, caplog, step):
    search(storage)
    run_step(storage, Config(), step, lambda: step_output("two"), restart=True)
    best = best_for(storage)
    assert (best.config, best.checkpoints) == (Config(), None)
    assert "other data or another base" in caplog.text


def test_a_search_of_another_adapter_is_left_out(storage, caplog):
    search(storage)
    best = best_for(storage, "adapter.type=none")
    assert (best.config.adapter.type, best.checkpoints) == ("none", None)
    assert "does not fit" in caplog.text


def test_equal_settings_go_on_from_the_trial(storage):
    search(storage, "training.max_steps=900")
    assert best_for(storage, "training.max_steps=900").checkpoints == CHECKPOINTS


@pytest.mark.parametrize(
    "words",
    [
        ["adapter.rank=32"],
        ["strategy.type=ddp", "scaling.workers=2"],
        ["training.log_every_seconds=1"],
        ["run=demo", "evaluation.beam_size=4"],
    ],
    ids=["set-to-what-was-found", "more-workers", "without-effect", "another-step"],
)
def test_settings_that_change_no_step_go_on_from_the_trial(storage, words):
    search(storage)
    assert best_for(storage, *words).checkpoints == CHECKPOINTS


@pytest.mark.parametrize(
    "word",
    [
        "adapter.rank=4",
        "adapter.dropout=0.2",
        "training.max_steps=999",
        "training.weight_decay=0.2",
    ],
    ids=lambda word: word.partition("=")[0],
)
def test_settings_that_the_trial_did_not_have_start_anew(storage, word):
    search(storage)
    assert best_for(storage, word).checkpoints is None


def test_a_setting_of_the_search_that_the_training_lacks_starts_it_anew(storage):
    search(storage, "training.weight_decay=0.2")
    assert best_for(storage).checkpoints is None


def test_the_user_may_start_anew(storage):
    search(storage)
    assert best_for(storage, "training.from_best_trial=false").checkpoints is None


SCHEDULE = FOUND | {"training.learning_rate_changes.300": 2e-4}


def test_a_schedule_that_a_population_found_is_taken(storage):
    search(storage, found=SCHEDULE)
    best = best_for(storage)
    assert best.config.training.learning_rate_changes == {300: 2e-4}
    assert best.checkpoints == CHECKPOINTS


def test_a_learning_rate_of_the_user_keeps_out_the_changes_of_another(storage):
    search(storage, found=SCHEDULE)
    best = best_for(storage, "training.learning_rate=0.0005")
    assert best.config.training.learning_rate == 5e-4
    assert best.config.training.learning_rate_changes == {}
    assert best.checkpoints is None
