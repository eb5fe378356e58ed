"""How trials are dealt to methods, and which of them are compared in rungs."""

from pathlib import Path
from typing import Any, cast

import pytest

from nmt.config import Config, load_config
from nmt.runs.trials import Trial
from nmt.storage import Storage

pytest.importorskip("ray.tune")

from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from ray_jobs.search.methods import MethodSearch, build_search, objective_of
from ray_jobs.search.scheduler import build_scheduler
from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import FakeTrial, complete

TWO = ["tune.methods=[lora,none]", "tune.max_steps=60", "tune.grace_steps=15"]


def config_of(*words: str) -> Config:
    return load_config(overrides=[*TWO, *words])


def search_of(root: Path, *words: str, log: TrialLog | None = None) -> MethodSearch:
    storage = Storage(str(root))
    return build_search(config_of(*words), log or TrialLog(storage, config_of(*words)), storage)


def methods(search: MethodSearch, count: int) -> list[str]:
    drawn = [search.suggest(str(number)) for number in range(count)]
    return [each["adapter.type"] if each != Searcher.FINISHED else "" for each in drawn]


def test_the_methods_take_turns(tmp_path: Path) -> None:
    assert methods(search_of(tmp_path), 6) == ["lora", "none"] * 3


def test_a_method_has_only_its_own_settings(tmp_path: Path) -> None:
    search = search_of(tmp_path)
    lora, full = search.suggest("a"), search.suggest("b")
    assert set(lora) == {
        "adapter.type",
        "adapter.rank",
        "adapter.alpha",
        "training.learning_rate",
    }
    assert set(full) == {"adapter.type", "training.learning_rate"}
    assert full["training.learning_rate"] <= 2e-4


def test_a_method_that_is_behind_after_an_interruption_is_next(tmp_path: Path) -> None:
    config = config_of()
    log = TrialLog(Storage(str(tmp_path)), config)
    for rate in (2e-4, 3e-4, 4e-4):
        sample = {
            "adapter.type": "lora",
            "adapter.rank": 8,
            "adapter.alpha": 16,
            "training.learning_rate": rate,
        }
        complete(log, sample, (60, 10.0))
    assert methods(search_of(tmp_path, log=log), 5) == ["none", "none", "none", "lora", "none"]


def test_where_a_method_has_nothing_left_the_other_goes_on(tmp_path: Path) -> None:
    one = "tune.method_space.none.training.learning_rate={type: choice, values: [1e-5]}"
    assert methods(search_of(tmp_path, one), 4) == ["lora", "none", "lora", "lora"]


def test_a_search_that_is_finished_draws_nothing(tmp_path: Path) -> None:
    search = search_of(tmp_path)
    search.finish()
    assert methods(search, 1) == [""]


def test_each_method_is_cut_among_its_own_trials(tmp_path: Path) -> None:
    """A slow starter among its own kind, full fine-tuning, is not compared with adapters."""
    config = config_of()
    scheduler = build_scheduler(config, TrialLog(Storage(str(tmp_path)), config))
    decisions: dict[tuple[str, float], str] = {}
    for method, scores in (("lora", (30.0, 20.0)), ("none", (3.0, 2.0))):
        for score in scores:
            trial = cast(TuneTrial, FakeTrial({"adapter.type": method, "seed": int(score)}))
            scheduler.on_trial_add(cast(Any, None), trial)
            told = objective_of("bleu", {"step": 15, "bleu": score})
            decisions[method, score] = scheduler.on_trial_result(cast(Any, None), trial, told)
    assert decisions == {
        ("lora", 30.0): TrialScheduler.CONTINUE,
        ("lora", 20.0): TrialScheduler.STOP,
        ("none", 3.0): TrialScheduler.CONTINUE,
        ("none", 2.0): TrialScheduler.STOP,
    }


def test_of_an_edit_rate_the_higher_one_is_cut(tmp_path: Path) -> None:
    config = config_of("training.validation_metric=ter")
    scheduler = build_scheduler(config, TrialLog(Storage(str(tmp_path)), config))
    decisions: list[str] = []
    for seed, score in enumerate((60.0, 90.0)):
        trial = cast(TuneTrial, FakeTrial({"adapter.type": "lora", "seed": seed}))
        scheduler.on_trial_add(cast(Any, None), trial)
        told = objective_of("ter", {"step": 15, "bleu": 1.0, "score": score})
        decisions.append(scheduler.on_trial_result(cast(Any, None), trial, told))
    assert decisions == [TrialScheduler.CONTINUE, TrialScheduler.STOP]


def test_without_a_scheduler_no_trial_is_cut(tmp_path: Path) -> None:
    config = config_of("tune.scheduler=none")
    scheduler = build_scheduler(config, TrialLog(Storage(str(tmp_path)), config))
    for seed, bleu in enumerate((30.0, 1.0)):
        trial = cast(TuneTrial, FakeTrial({"adapter.type": "lora", "seed": seed}))
        scheduler.on_trial_add(cast(Any, None), trial)
        told = objective_of("bleu", {"step": 15, "bleu": bleu})
        assert scheduler.on_trial_result(cast(Any, None), trial, told) == TrialScheduler.CONTINUE


def test_a_trial_says_its_method_where_several_are_compared() -> None:
    assert Trial(config={"adapter.type": "none"}, state="running").method == "none"
    assert Trial(config={"seed": 1}, state="running").method is None


def test_trials_are_numbered_in_the_order_of_their_draws(tmp_path: Path) -> None:
    """Of two that are drawn together, the second may be the first to start."""
    log = TrialLog(Storage(str(tmp_path)), config_of())
    search = search_of(tmp_path, log=log)
    first, second = search.suggest("a"), search.suggest("b")
    for drawn in (second, first):
        complete(log, drawn, (60, 10.0))
    assert [trial.config for trial in log.in_order()] == [first, second]
