"""Population based training: weak trials become copies of strong ones, with another rate."""

import math
from contextlib import suppress
from typing import Any, cast

import pytest

from nmt.config import Config, digest_of, load_config
from nmt.runs.trials import Trial
from nmt.runs.tuning import TrialSettings
from nmt.storage import Storage

pytest.importorskip("ray.tune")

from ray.tune.experiment import Trial as TuneTrial

from ray_jobs.search.methods import draw_population, method_of
from ray_jobs.search.population import CHANGES, RATE, branch_of, next_round
from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import FakeTrial, fail, follow


class Killed(Exception):
    """The driver is gone."""


def config_of(*words: str) -> Config:
    given = ["tune.scheduler=pbt", "tune.max_steps=60", "tune.grace_steps=20", "tune.trials=8"]
    return load_config(overrides=[*given, *words])


def rate_of(settings: TrialSettings) -> float:
    branch = branch_of(settings)
    return float(settings[f"{CHANGES}{branch.step}" if branch else RATE])


def score_of(settings: TrialSettings, step: int) -> float:
    """Best near a rate of 4e-4, or 4e-5 for full fine-tuning."""
    best = 4e-5 if settings.get("adapter.type") == "none" else 4e-4
    return 30 * math.exp(-abs(math.log(rate_of(settings) / best))) * (1 - math.exp(-step / 30))


class Kills:
    """Kills the driver before and after each score of these steps, once for each trial."""

    def __init__(self, *steps: int) -> None:
        self.steps, self.places = steps, set[tuple[str, int, str]]()

    def __call__(self, settings: TrialSettings, step: int, when: str) -> None:
        place = (digest_of(settings), step, when)
        if step in self.steps and place not in self.places:
            self.places.add(place)
            raise Killed


def train(
    storage: Storage,
    config: Config,
    kills: Kills,
    failing: float = 0.0,
    broken: TrialSettings | None = None,
) -> None:
    """Train a population as `nmt tune` does.

    Trials whose rate is above `failing` fail at once; `broken` does after its first score.
    """
    trials, first = TrialLog(storage, config), draw_population(config, storage)
    trials.is_exchanging, made = True, None
    while (due := next_round(config, first, trials)) and due != made:
        made = due
        trials.begin_round(due.members)
        for settings in due.missing:
            kills(settings, due.until, "before")
            if failing and rate_of(settings) > failing:
                fail(trials, settings, ValueError("broken"))
                continue
            point = (due.until, score_of(settings, due.until))
            if settings == broken:
                point = (config.tune.grace_steps // 2, 1.0)
                follow(trials, settings, point)
                trials.on_trial_error(0, [], cast(TuneTrial, FakeTrial(settings, OSError("gone"))))
                continue
            made_trial = follow(trials, settings, point)
            kills(settings, due.until, "after")
            trials.on_trial_complete(0, [], made_trial)


def found(storage: Storage, config: Config) -> list[Trial]:
    """The trials of a search, without the time of each, which is another in every search."""
    listed = TrialLog(storage, config).in_order()
    return [trial.model_copy(update={"periods": ()}) for trial in listed]


def trained(path: Any, *words: str, failing: float = 0.0) -> list[Trial]:
    storage, config = Storage(str(path)), config_of(*words)
    train(storage, config, Kills(), failing)
    return found(storage, config)


def test_after_each_exchange_the_weakest_quarter_is_replaced(tmp_path: Any) -> None:
    trials = trained(tmp_path)
    copies = [branch.step for each in trials if (branch := branch_of(each.config))]
    assert copies == [20, 20, 40, 40]
    assert [trial.state for trial in trials].count("pruned") == 4
    assert [trial.steps for trial in trials if trial.state == "finished"] == [60] * 8


def test_a_copy_is_made_of_a_trial_of_the_best_quarter(tmp_path: Any) -> None:
    trials = trained(tmp_path)
    first = [each for each in trials if branch_of(each.config) is None]
    first.sort(key=lambda each: -each.curve[0].score)
    best, weakest = first[:2], first[-2:]
    assert all(each.state == "pruned" and each.steps == 20 for each in weakest)
    branches = [branch for each in trials if (branch := branch_of(each.config))]
    copied = [branch.settings for branch in branches if branch.step == 20]
    assert all(settings in [each.config for each in best] for settings in copied)


def test_a_copy_differs_in_the_learning_rate_alone(tmp_path: Any) -> None:
    for trial in trained(tmp_path):
        if branch := branch_of(trial.config):
            (change,) = trial.config.keys() - branch.settings.keys()
            assert change == f"{CHANGES}{branch.step}"
            assert rate_of(trial.config) != rate_of(branch.settings)
            assert trial.config["adapter.rank"] == branch.settings["adapter.rank"]


def test_the_settings_of_a_copy_are_those_of_a_whole_training(tmp_path: Any) -> None:
    copied = next(each for each in reversed(trained(tmp_path)) if branch_of(each.config))
    training = config_of().with_overrides(copied.config).training
    step, rate = list(training.learning_rate_changes.items())[-1]
    assert training.peak_at(step - 1) != rate
    assert training.peak_at(step) == training.peak_at(59) == rate


def test_rates_stay_in_their_range(tmp_path: Any) -> None:
    space = f"tune.space={{{RATE}: {{type: loguniform, low: 0.0003, high: 0.00035}}}}"
    rates = [rate_of(each.config) for each in trained(tmp_path, space)]
    assert len(rates) > 8
    assert min(rates) >= 0.0003
    assert max(rates) <= 0.00035


def test_rates_of_a_list_stay_in_it(tmp_path: Any) -> None:
    space = f"tune.space={{{RATE}: {{type: choice, values: [1e-4, 4e-4, 8e-4]}}}}"
    trials = trained(tmp_path, space)
    assert any(branch_of(each.config) for each in trials)
    assert {rate_of(each.config) for each in trials} <= {1e-4, 4e-4, 8e-4}


def test_methods_do_not_exchange_weights(tmp_path: Any) -> None:
    config = config_of("tune.methods=[lora,none]")
    trials = trained(tmp_path, "tune.methods=[lora,none]")
    branches = [(each, branch) for each in trials if (branch := branch_of(each.config))]
    assert {each.method for each, _ in branches} == {"lora", "none"}
    for each, branch in branches:
        assert method_of(config, each.config) == method_of(config, branch.settings)


def test_a_trial_that_fails_is_replaced_at_the_next_exchange(tmp_path: Any) -> None:
    trials = trained(tmp_path, failing=5e-4)
    failed = [each for each in trials if each.state == "failed"]
    assert failed
    assert len([each for each in trials if each.state == "finished"]) >= 6


def test_a_trial_that_fails_after_a_score_is_replaced_at_the_next_exchange(tmp_path: Any) -> None:
    storage, config = Storage(str(tmp_path)), config_of()
    broken = draw_population(config, storage)[0]
    train(storage, config, Kills(), broken=broken)
    states = {digest_of(each.config): each.state for each in found(storage, config)}
    assert states[digest_of(broken)] == "failed"
    assert list(states.values()).count("finished") == 8


def test_where_all_fail_the_search_ends(tmp_path: Any) -> None:
    assert {each.state for each in trained(tmp_path, failing=1e-9)} == {"failed"}


@pytest.mark.parametrize("words", [(), ("tune.methods=[lora,none]",)], ids=["one", "two-methods"])
@pytest.mark.parametrize("steps", [(20,), (40,), (60,), (20, 40, 60)], ids=str)
def test_a_killed_search_makes_the_same_exchanges(
    tmp_path: Any, steps: tuple[int, ...], words: tuple[str, ...]
) -> None:
    whole = trained(tmp_path / "whole", *words)
    storage, config, kills = Storage(str(tmp_path / "killed")), config_of(*words), Kills(*steps)
    while next_round(config, draw_population(config, storage), TrialLog(storage, config)):
        with suppress(Killed):
            train(storage, config, kills)
    assert len(kills.places) >= 10
    assert found(storage, config) == whole
