"""The limits of a search: trials, hours and GPU-hours."""

from pathlib import Path

import pytest

from nmt.config import Config, load_config
from nmt.runs.trials import Period, Trial, TrialState, covered_seconds
from nmt.storage import Storage

pytest.importorskip("ray.tune")

from ray_jobs.search.limits import LimitWatch, end_of, explain_end, spent_on
from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import complete, follow


def config_of(*words: str) -> Config:
    return load_config(overrides=["tune.trials=3", *words])


def ran(seed: int, *periods: tuple[float, float], state: TrialState = "finished") -> Trial:
    listed = tuple(Period(start=start, end=end) for start, end in periods)
    return Trial(config={"seed": seed}, state=state, bleu=1.0, periods=listed)


@pytest.mark.parametrize(
    ("periods", "seconds"),
    [
        ([], 0),
        ([(0, 10)], 10),
        ([(0, 10), (5, 15)], 15),
        ([(0, 30), (5, 15)], 30),
        ([(20, 30), (0, 10)], 20),
    ],
    ids=["none", "one", "overlapping", "within", "apart"],
)
def test_time_in_which_trials_overlap_counts_once(
    periods: list[tuple[float, float]], seconds: float
) -> None:
    assert covered_seconds(Period(start=a, end=b) for a, b in periods) == seconds


def test_gpu_hours_count_each_trial_by_its_share_of_a_gpu() -> None:
    config = config_of("scaling.gpus_per_worker=1", "tune.gpus_per_trial=0.5")
    spent = spent_on(config, [ran(1, (0, 3600)), ran(2, (0, 3600), (7200, 10800))])
    assert (spent.hours, spent.gpu_hours) == (2.0, 1.5)


def test_gpu_hours_of_an_earlier_call_are_those_that_it_reserved(tmp_path: Path) -> None:
    storage, words = Storage(str(tmp_path)), ["scaling.gpus_per_worker=1", "tune.max_gpu_hours=2"]
    complete(TrialLog(storage, config_of(*words)), {"seed": 1}, (10, 1.0))
    now = config_of(*words, "tune.gpus_per_trial=0.25")
    (trial,) = TrialLog(storage, now).in_order()
    two_hours = trial.periods[0].model_copy(update={"start": 0.0, "end": 7200.0})
    trial = trial.model_copy(update={"periods": (two_hours,)})
    assert spent_on(now, [trial]).gpu_hours == 2.0


@pytest.mark.parametrize(
    ("words", "trials", "end"),
    [
        ([], [ran(1, (0, 3600))], None),
        ([], [ran(n) for n in range(3)], "trials"),
        ([], [ran(1), ran(2), ran(3, state="running")], None),
        ([], [ran(1), ran(2), ran(3, state="stopped")], None),
        (["tune.max_hours=1"], [ran(1, (0, 3600))], "max_hours"),
        (["tune.max_hours=2"], [ran(1, (0, 3600)), ran(2, (0, 3600))], None),
        (["tune.max_gpu_hours=1"], [ran(1, (0, 3600))], None),
        (
            ["tune.max_gpu_hours=1", "scaling.gpus_per_worker=1"],
            [ran(1, (0, 3600))],
            "max_gpu_hours",
        ),
        (["tune.space={seed: {type: choice, values: [1, 2]}}"], [ran(1), ran(2)], "space"),
    ],
)
def test_a_search_ends_by_what_is_used_up_first(
    words: list[str], trials: list[Trial], end: str | None
) -> None:
    assert end_of(config_of(*words), trials) == end


def test_a_search_over_methods_is_used_up_when_all_of_them_are() -> None:
    config = config_of("tune.methods=[lora,none]", "tune.space={seed: {type: choice, values: [1]}}")
    assert end_of(config, [ran(1)]) is None
    assert end_of(config, [ran(1), ran(2)]) == "space"


@pytest.mark.parametrize(
    ("end", "said"),
    [("max_hours", "ended by tune.max_hours=1 after 1.000 hours"), ("space", "1 combinations")],
)
def test_the_log_names_what_ended_a_search_early(
    caplog: pytest.LogCaptureFixture, end: str, said: str
) -> None:
    explain_end(config_of("tune.max_hours=1"), end, [ran(1, (0, 3600))])  # pyright: ignore[reportArgumentType]
    assert said in caplog.text


def test_a_search_with_all_its_trials_has_nothing_to_explain(
    caplog: pytest.LogCaptureFixture,
) -> None:
    explain_end(config_of(), "trials", [ran(n) for n in range(3)])
    assert caplog.text == ""


def test_a_limit_that_is_reached_stops_the_trials_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 360_000, 1800))
    monkeypatch.setattr("nmt.runs.trials.time.time", lambda: float(next(clock)))
    log, stops = TrialLog(Storage(str(tmp_path)), config_of()), list[bool]()
    watch = LimitWatch(config_of("tune.max_hours=1"), log, lambda: stops.append(True))
    trial = follow(log, {"seed": 1})
    watch.on_step_end(0, [])
    assert not log.is_stopping
    watch.on_step_end(0, [])
    watch.on_step_end(0, [])
    assert (log.is_stopping, stops) == (True, [True])
    log.on_trial_complete(0, [], trial)
    assert log.entries()[0].state == "stopped"


def test_what_earlier_calls_have_taken_counts(tmp_path: Path) -> None:
    log = TrialLog(Storage(str(tmp_path)), config_of())
    complete(log, {"seed": 1}, (1, 1.0))
    again = TrialLog(Storage(str(tmp_path)), config_of())
    assert spent_on(config_of(), again.in_order()).hours > 0
