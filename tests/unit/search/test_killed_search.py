"""A search that is killed again and again, and given again, makes and cuts the same trials."""

import math
from contextlib import suppress
from typing import Any, cast

import pytest

from nmt.config import Config, digest_of, load_config
from nmt.runs.trials import Trial
from nmt.storage import Storage

pytest.importorskip("ray.tune")

from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import TrialScheduler

from ray_jobs.search.methods import OBJECTIVE, build_search, objective_of
from ray_jobs.search.scheduler import build_scheduler
from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import FakeTrial, fail


def config_of(trials: int, *words: str) -> Config:
    given = ["tune.max_steps=60", "tune.grace_steps=15", f"tune.trials={trials}", *words]
    return load_config(overrides=given)


class Killed(Exception):
    """The driver is gone."""


def bleu_of(config: dict[str, Any], step: int) -> float:
    """A curve for each setting; best near a learning rate of 4e-4."""
    best = 4e-5 if config.get("adapter.type") == "none" else 4e-4
    distance = abs(math.log(config["training.learning_rate"] / best))
    return 30 * math.exp(-distance) * (1 - math.exp(-step / (10 + config.get("adapter.rank", 50))))


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
    search, scheduler = build_search(config, log, storage), build_scheduler(config, log)
    controller: Any = None  # ASHA has no need of it
    for index in range(config.tune.trials - len(log.ended())):
        drawn = search.suggest(f"{index}")
        made = cast(TuneTrial, FakeTrial(drawn, trial_id=f"{index}"))
        scheduler.on_trial_add(controller, made)
        log.on_trial_start(0, [], made)
        diverges = drawn.get("adapter.rank") == 64
        result: dict[str, Any] = {}
        for step in range(10, 70, 10):  # one that goes on tells its earlier scores again
            point = {"step": step, "bleu": bleu_of(drawn, step), "training_iteration": step}
            result = dict(objective_of("bleu", point))
            if diverges and step == 20:
                result |= {"step": 0, OBJECTIVE: 0.0, "ended": "diverged", "error": "no number"}
            decision = scheduler.on_trial_result(controller, made, result)
            if decision == TrialScheduler.STOP:
                result["done"] = True
            else:
                search.on_trial_result(made.trial_id, result)
            log.on_trial_result(0, [], made, result)
            kills(drawn, step)
            if decision == TrialScheduler.STOP or "ended" in result:
                break
        scheduler.on_trial_complete(controller, made, result)
        search.on_trial_complete(made.trial_id, result)
        log.on_trial_complete(0, [], made)
        kills(drawn, 0)


def found(storage: Storage, config: Config) -> list[Trial]:
    """The trials of a search, without the time of each, which is another in every search."""
    listed = TrialLog(storage, config).in_order()
    return [trial.model_copy(update={"periods": ()}) for trial in listed]


SEARCHES = {
    "tpe": (),
    "random": ("tune.sampler=random",),
    "no-rungs": ("tune.scheduler=none",),
    "two-methods": ("tune.methods=[lora,none]",),
}


@pytest.fixture(params=SEARCHES.values(), ids=list(SEARCHES))
def words(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


@pytest.fixture
def uninterrupted(tmp_path: Any, words: tuple[str, ...]) -> list[Trial]:
    storage, config = Storage(str(tmp_path / "whole")), config_of(12, *words)
    run_search(storage, config, Kills())
    return found(storage, config)


@pytest.mark.parametrize(
    "steps", [(0,), (10,), (20,), (30, 0), (10, 20, 30, 40, 50, 60, 0)], ids=str
)
def test_a_killed_search_makes_and_cuts_the_same_trials(
    tmp_path: Any, words: tuple[str, ...], uninterrupted: list[Trial], steps: tuple[int, ...]
) -> None:
    storage, config, kills = Storage(str(tmp_path / "killed")), config_of(12, *words), Kills(*steps)
    while len(TrialLog(storage, config).ended()) < config.tune.trials:
        with suppress(Killed):
            run_search(storage, config, kills)
    assert len(kills.places) >= 5
    assert found(storage, config) == uninterrupted


@pytest.mark.parametrize("words", [()], ids=["tpe"], indirect=True)
def test_the_search_that_is_killed_here_cuts_ends_and_loses_trials(
    uninterrupted: list[Trial],
) -> None:
    assert {each.state for each in uninterrupted} == {"finished", "pruned", "diverged"}


def test_more_trials_are_added_to_those_there_are(
    tmp_path: Any, words: tuple[str, ...], uninterrupted: list[Trial]
) -> None:
    storage = Storage(str(tmp_path / "grown"))
    for count in (3, 12):
        run_search(storage, config_of(count, *words), Kills())
    assert found(storage, config_of(12, *words)) == uninterrupted


class TwoAtOnce:
    """One call of a search of two trials at a time."""

    def __init__(self, storage: Storage) -> None:
        self.log = TrialLog(storage, config := config_of(4))
        self.search = build_search(config, self.log, storage)
        self.scheduler = build_scheduler(config, self.log)
        drawn = [self.search.suggest(trial_id) for trial_id in "ab"]
        self.first, self.second = (cast(TuneTrial, FakeTrial(each)) for each in drawn)

    def start(self, trial: TuneTrial) -> None:
        self.scheduler.on_trial_add(cast(Any, None), trial)
        self.log.on_trial_start(0, [], trial)

    def tell(self, trial: TuneTrial, step: int, bleu: float) -> str:
        point = objective_of("bleu", {"step": step, "bleu": bleu})
        decision = self.scheduler.on_trial_result(cast(Any, None), trial, dict(point))
        done = decision == TrialScheduler.STOP
        self.log.on_trial_result(0, [], trial, {**point, "done": done})
        return decision


def test_a_trial_goes_on_from_a_rung_that_it_had_passed_before_better_ones_came(
    tmp_path: Any,
) -> None:
    call = TwoAtOnce(Storage(str(tmp_path)))
    call.start(call.first)
    call.start(call.second)
    assert call.tell(call.first, 20, 10.0) == TrialScheduler.CONTINUE
    assert call.tell(call.second, 20, 12.0) == TrialScheduler.CONTINUE
    assert call.tell(call.second, 40, 12.5) == TrialScheduler.CONTINUE
    again = TwoAtOnce(Storage(str(tmp_path)))
    again.start(again.first)
    assert again.first.config == call.first.config
    assert again.tell(again.first, 20, 10.0) == TrialScheduler.CONTINUE


def test_a_trial_that_was_drawn_and_had_not_begun_is_drawn_again(tmp_path: Any) -> None:
    call = TwoAtOnce(Storage(str(tmp_path)))
    call.start(call.second)
    again = TwoAtOnce(Storage(str(tmp_path)))
    assert (again.first.config, again.second.config) == (call.first.config, call.second.config)


def test_a_trial_that_is_tried_again_after_a_failure_goes_on_after_a_kill(tmp_path: Any) -> None:
    storage = Storage(str(tmp_path))
    call = TwoAtOnce(storage)
    for trial in (call.first, call.second):
        fail(call.log, trial.config or {}, OSError("disk full"))
    call = TwoAtOnce(storage)
    call.start(call.first)
    call.start(call.second)
    call.tell(call.second, 10, 5.0)
    again = TwoAtOnce(storage)
    assert again.first.config == call.first.config
