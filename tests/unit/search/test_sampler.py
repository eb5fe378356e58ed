"""How a search draws settings and cuts trials, whether it was interrupted or not."""

import math
from contextlib import suppress
from typing import Any, cast

import pytest
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from nmt.config import Choice, Config, digest_of, load_config
from nmt.runs import layout
from nmt.runs.records import TRIAL
from nmt.runs.trials import Trial
from nmt.storage import Storage
from ray_jobs.search.sampler import DistinctSearch, build_scheduler, build_search, combinations
from ray_jobs.search.trials import TrialLog

RANKS = {"adapter.rank": Choice(values=(2, 4, 8))}
WORDS = ["tune.max_steps=60", "tune.grace_steps=15"]


def settings(trials: int) -> Config:
    return load_config(overrides=[*WORDS, f"tune.trials={trials}"])


def trial(rank: int, state: Any = "finished", bleu: float | None = 10.0) -> Trial:
    return Trial(config={"adapter.rank": rank}, state=state, bleu=bleu)


def distinct(*ended: Trial) -> DistinctSearch:
    return DistinctSearch(RANKS, seed=1, ended=ended, begun=[])


def draw(search: DistinctSearch, count: int) -> list[Any]:
    return [search.suggest(f"trial-{index}") for index in range(count)]


def test_no_setting_is_tried_twice() -> None:
    ranks = [drawn["adapter.rank"] for drawn in draw(distinct(), 3)]
    assert sorted(ranks) == [2, 4, 8]


def test_a_setting_of_an_earlier_call_is_not_tried_again() -> None:
    ranks = [drawn["adapter.rank"] for drawn in draw(distinct(trial(4)), 2)]
    assert sorted(ranks) == [2, 8]


def test_a_search_ends_when_nothing_new_is_left() -> None:
    assert draw(distinct(), 4)[3] == Searcher.FINISHED


def test_a_combination_that_the_sampler_never_draws_is_tried_all_the_same() -> None:
    """Of many equal draws the last of 40 settings is hardly ever one."""
    space = {"seed": Choice(values=tuple(range(40)))}
    search = DistinctSearch(space, seed=1, ended=[], begun=[])
    drawn = draw(search, 41)
    assert sorted(each["seed"] for each in drawn[:40]) == list(range(40))
    assert drawn[40] == Searcher.FINISHED


def test_a_space_of_choices_has_as_many_combinations_as_their_product() -> None:
    words = [
        "tune.space.adapter.rank={type: choice, values: [2, 4, 4]}",
        "tune.space.seed={type: choice, values: [1, 2, 3]}",
    ]
    assert combinations(load_config(overrides=words).search_space) == 6


def test_a_space_with_a_range_has_no_number_of_combinations() -> None:
    assert combinations(Config().search_space) is None


def test_an_interrupted_trial_is_tried_first(tmp_path: Any) -> None:
    storage = Storage(str(tmp_path))
    config = load_config([], ["tune.space={adapter.rank: {type: choice, values: [2, 4, 8]}}"])
    begun = trial(8, "running", None)
    TRIAL.write(storage, layout.trial_record("demo", digest_of(begun.config)), begun)
    search = build_search(config, TrialLog(storage, config))
    assert search.suggest("first") == {"adapter.rank": 8}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_draws_the_same_settings(tmp_path: Any, seed: int) -> None:
    config = load_config([], [f"seed={seed}"])
    log = TrialLog(Storage(str(tmp_path)), config)
    first, second = build_search(config, log), build_search(config, log)
    assert first.suggest("a") == second.suggest("a")


@pytest.mark.parametrize("state", ["diverged", "refused"])
def test_the_sampler_learns_that_settings_did_not_work(state: str) -> None:
    (told,) = distinct(trial(4, state, None))._study.trials
    assert (told.params, told.value) == ({"adapter.rank": 4}, 0.0)


# A search that is killed again and again


class FakeTrial:
    """As much of Ray's trial as search, scheduler and log look at."""

    error_file = None

    def __init__(self, trial_id: str, config: dict[str, Any]) -> None:
        self.trial_id, self.config = trial_id, config


class Killed(Exception):
    """The driver is gone."""


def bleu_of(config: dict[str, Any], step: int) -> float:
    """A curve for each setting; best near a learning rate of 4e-4."""
    distance = abs(math.log(config["training.learning_rate"] / 4e-4))
    return 30 * math.exp(-distance) * (1 - math.exp(-step / (10 + config["adapter.rank"])))


class Kills:
    """Kills the driver after each of these steps of each trial, once; 0 is a trial's end."""

    def __init__(self, *steps: int) -> None:
        self.steps, self.places = steps, set[tuple[str, int]]()

    def __call__(self, config: dict[str, Any], step: int) -> None:
        place = (digest_of(config), step)
        if step in self.steps and place not in self.places:
            self.places.add(place)
            raise Killed


def run_search(storage: Storage, config: Config, kills: Kills) -> None:
    """Make the trials that are missing, one after the other, as Tune does."""
    log = TrialLog(storage, config)
    search, scheduler = build_search(config, log), build_scheduler(config, log)
    for index in range(config.tune.trials - len(log.ended())):
        drawn = search.suggest(f"{index}")
        made = cast(TuneTrial, FakeTrial(f"{index}", drawn))
        scheduler.on_trial_add(None, made)
        log.on_trial_start(0, [], made)
        diverges = drawn["adapter.rank"] == 64
        result: dict[str, Any] = {}
        for step in range(10, 70, 10):  # one that goes on tells its earlier scores again
            result = {"step": step, "bleu": bleu_of(drawn, step), "training_iteration": step}
            if diverges and step == 20:
                result |= {"step": 0, "bleu": 0.0, "ended": "diverged", "error": "no number"}
            decision = scheduler.on_trial_result(None, made, result)
            if decision != TrialScheduler.STOP:
                search.on_trial_result(made.trial_id, result)
            log.on_trial_result(0, [], made, result)
            kills(drawn, step)
            if decision == TrialScheduler.STOP or "ended" in result:
                break
        scheduler.on_trial_complete(None, made, result)
        search.on_trial_complete(made.trial_id, result)
        log.on_trial_complete(0, [], made)
        kills(drawn, 0)


def found(storage: Storage, config: Config) -> list[Trial]:
    return TrialLog(storage, config).in_order()


@pytest.fixture
def uninterrupted(tmp_path: Any) -> list[Trial]:
    storage, config = Storage(str(tmp_path / "whole")), settings(12)
    run_search(storage, config, Kills())
    return found(storage, config)


@pytest.mark.parametrize(
    "steps", [(0,), (10,), (20,), (30, 0), (10, 20, 30, 40, 50, 60, 0)], ids=str
)
def test_a_killed_search_makes_and_cuts_the_same_trials(
    tmp_path: Any, uninterrupted: list[Trial], steps: tuple[int, ...]
) -> None:
    storage, config, kills = Storage(str(tmp_path / "killed")), settings(12), Kills(*steps)
    while len(TrialLog(storage, config).ended()) < config.tune.trials:
        with suppress(Killed):
            run_search(storage, config, kills)
    assert len(kills.places) >= 5
    assert found(storage, config) == uninterrupted


def test_the_search_that_is_killed_here_cuts_ends_and_loses_trials(
    uninterrupted: list[Trial],
) -> None:
    assert {each.state for each in uninterrupted} == {"finished", "pruned", "diverged"}


def test_more_trials_are_added_to_those_there_are(
    tmp_path: Any, uninterrupted: list[Trial]
) -> None:
    storage = Storage(str(tmp_path / "grown"))
    for count in (3, 12):
        run_search(storage, settings(count), Kills())
    assert found(storage, settings(12)) == uninterrupted
