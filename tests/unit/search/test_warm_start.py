"""What a search learns from the trials of other runs."""

from pathlib import Path
from typing import Any

import pytest

from nmt.config import Config, digest_of, load_config
from nmt.errors import ConfigError
from nmt.runs import layout
from nmt.runs.records import RECORD, TRIAL, Record
from nmt.runs.steps import TUNE
from nmt.runs.trials import Trial
from nmt.storage import Storage

pytest.importorskip("ray.tune")

from ray_jobs.runtime.checks import check
from ray_jobs.search.methods import build_search
from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import complete

RANKS = "tune.space={adapter.rank: {type: choice, values: [2, 4, 8]}}"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A storage root with the search of another run, which was of LoRA alone."""
    storage = Storage(str(tmp_path))
    settings = {"adapter.type": "lora"}
    record = Record(step="tune", done=True, settings=settings, inputs={})
    RECORD.write(storage, layout.step_record("other", TUNE), record)
    return storage


def tried(storage: Storage, rank: int, **changes: Any) -> None:
    fields = {"state": "finished", "bleu": 20.0, "config": {"adapter.rank": rank}, **changes}
    trial = Trial.model_validate({**fields, "number": rank})
    TRIAL.write(storage, layout.trial_record("other", digest_of(trial.config)), trial)


def values_of(storage: Storage, *words: str) -> dict[str, dict[Any, float | None]]:
    """What the sampler of each method knows: rank -> gain above the median of its run."""
    config = config_of(*words)
    search = build_search(config, TrialLog(storage, config), storage)
    return {
        method: {told.params.get("adapter.rank"): told.value for told in sampler.study().trials}
        for method, sampler in search._samplers.items()
    }


def config_of(*words: str) -> Config:
    return load_config(overrides=["run=mine", "tune.warm_start=[other]", RANKS, *words])


def test_finished_trials_of_another_run_are_learned(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    tried(storage, 2)
    tried(storage, 4, state="pruned", bleu=10.0)
    assert values_of(storage) == {"lora": {2: 5.0, 4: -5.0}}
    assert "learned from 2 trials of run 'other'" in caplog.text


def test_a_search_over_methods_learns_of_the_method_that_was_searched_alone(
    storage: Storage,
) -> None:
    tried(storage, 2)
    assert values_of(storage, "tune.methods=[none,lora]") == {"none": {}, "lora": {2: 0.0}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "failed", "bleu": None}, "without a score"),
        ({"state": "running"}, "without a score"),
        ({"metric": "chrf", "score": 50.0}, "scored by another metric than BLEU"),
        ({"config": {"adapter.rank": 2, "seed": 1}}, "other settings were searched"),
        ({"config": {"adapter.rank": 16}}, "their settings are not in tune.space"),
        ({"config": {"adapter.type": "ia3", "adapter.rank": 2}}, "of another method"),
    ],
)
def test_other_trials_are_left_out_and_the_log_says_why(
    storage: Storage, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], said: str
) -> None:
    caplog.set_level("INFO")
    tried(storage, 2, **changes)
    assert values_of(storage) == {"lora": {}}
    assert f"learned from 0 trials of run 'other'; 1 left out: {said}" in caplog.text


def test_they_are_no_trials_of_this_search(storage: Storage) -> None:
    tried(storage, 2)
    config = config_of()
    log = TrialLog(storage, config)
    build_search(config, log, storage)
    assert (log.entries(), log.best()) == ([], None)


def test_a_run_without_a_search_is_refused(storage: Storage) -> None:
    config = config_of().with_overrides({"tune.warm_start": ["nothing"]})
    with pytest.raises(ConfigError, match=r"tune\.warm_start: run 'nothing' has no search"):
        build_search(config, TrialLog(storage, config), storage)


def test_scores_of_other_data_do_not_drown_those_of_this_search(storage: Storage) -> None:
    """There all settings are better than here, and those that are the best here were not."""
    for rank, bleu in ((2, 41.0), (4, 39.0), (8, 40.0)):
        tried(storage, rank, bleu=bleu)
    config = config_of()
    log = TrialLog(storage, config)
    for rank, bleu in ((2, 3.0), (4, 15.0)):
        complete(log, {"adapter.rank": rank}, (10, bleu))
    told = build_search(config, log, storage)._samplers["lora"].study().trials
    best = max(told, key=lambda each: each.value or 0.0)
    assert best.params == {"adapter.rank": 4}


def test_what_the_other_run_does_later_changes_nothing(storage: Storage) -> None:
    tried(storage, 2)
    before = values_of(storage)
    tried(storage, 4, bleu=10.0)
    assert values_of(storage) == before
    storage.delete("other")
    assert values_of(storage) == before


def test_the_run_of_the_search_itself_is_refused(storage: Storage) -> None:
    config = config_of().with_overrides({"tune.warm_start": ["mine"]})
    with pytest.raises(ConfigError, match=r"tune\.warm_start names 'mine'"):
        check(storage, config, "tune")


@pytest.mark.parametrize("name", ["", "../other", "Other"])
def test_what_cannot_be_a_run_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"tune\.warm_start"):
        config_of().with_overrides({"tune.warm_start": [name]})
