import pytest

from nmt.errors import ConfigError, TrainingError
from nmt.runs.records import find_record, result_of
from nmt.runs.steps import TRAIN, TUNE
from ray_jobs import train, tune
from ray_jobs.runtime.context import Session
from tests.ray.conftest import branch
from tests.support.runs.records import change_record


@pytest.fixture(scope="module")
def searched(prepared: Session) -> Session:
    """A search over two methods, by another metric than BLEU."""
    space = {
        "adapter.rank": {"type": "choice", "values": [2, 4]},
        "seed": {"type": "choice", "values": [3, 7]},  # the steps before have another
    }
    session = branch(
        prepared,
        "searched",
        tune__space=space,
        tune__methods=["lora", "none"],
        training__validation_metric="chrf",
    )
    tune.run(session)
    return session


def test_every_trial_ends_with_a_score(searched: Session) -> None:
    record = find_record(searched.storage, "searched", TUNE)
    assert record is not None
    trials = result_of(searched.storage, "searched", TUNE, record).trials
    assert len(trials) >= 2  # the same setting drawn twice is one trial
    assert all(trial.state in ("finished", "pruned") for trial in trials)
    assert all(trial.score is not None and trial.bleu is not None for trial in trials)
    assert {trial.metric for trial in trials} == {"chrf"}


def test_each_method_gets_its_share_of_the_trials(searched: Session) -> None:
    record = find_record(searched.storage, "searched", TUNE)
    assert record is not None
    methods = result_of(searched.storage, "searched", TUNE, record).methods
    assert {found.method: found.trials for found in methods} == {"lora": 2, "none": 1}
    trained = {found.method: found.trained_parameters or 0 for found in methods}
    assert trained["none"] > trained["lora"] > 0
    assert all(found.seconds > 0 for found in methods)


def test_the_best_trial_and_method_are_named_with_how_sure_that_is(searched: Session) -> None:
    record = find_record(searched.storage, "searched", TUNE)
    assert record is not None
    result = result_of(searched.storage, "searched", TUNE, record)
    best, second = result.trials[:2]
    found = result.best.against_second
    assert found is not None
    assert (found.settings, found.other) == (best.config, second.config)
    assert found.difference == pytest.approx((best.score or 0) - (second.score or 0))
    low, high = found.interval
    assert low <= found.difference <= high
    assert found.sentences == 4
    (between,) = result.between_methods
    assert between.settings["adapter.type"] != between.other["adapter.type"]


def test_the_best_trial_is_the_one_with_the_highest_score(searched: Session) -> None:
    best = searched.storage.read_json("searched/tune/best.json")
    record = find_record(searched.storage, "searched", TUNE)
    assert record is not None
    trials = result_of(searched.storage, "searched", TUNE, record).trials
    assert best["score"] == max(trial.score or 0.0 for trial in trials)


def test_training_takes_the_best_settings_and_goes_on_from_its_checkpoint(
    searched: Session, caplog: pytest.LogCaptureFixture
) -> None:
    train.run(searched)
    best = searched.storage.read_json("searched/tune/best.json")
    record = find_record(searched.storage, "searched", TRAIN)
    assert record is not None
    assert {key: record.settings[key] for key in best["config"]} == best["config"]
    assert record.settings["seed"] in (3, 7)
    assert result_of(searched.storage, "searched", TRAIN, record).curve[0].step == 4
    assert not searched.storage.exists("searched/train/checkpoints/step-00000004")


def test_a_search_that_was_stopped_repeats_no_ended_trial(prepared: Session) -> None:
    session = branch(prepared, "stopped", tune__trials=2)
    tune.run(session)
    storage = session.storage
    before = {
        name: storage.read_json(f"stopped/tune/trials/{name}/trial.json")
        for name in storage.list("stopped/tune/trials")
    }
    # As a search that was killed after its trials and before its record.
    change_record(storage, "stopped/tune/step.json", done=False)
    attempts = len(storage.list("stopped/tune/ray"))
    tune.run(session)
    if len(before) == 2:
        assert len(storage.list("stopped/tune/ray")) == attempts
    for name, entry in before.items():
        assert storage.read_json(f"stopped/tune/trials/{name}/trial.json") == entry


def test_a_trial_that_goes_on_keeps_the_scores_the_driver_took_no_note_of(
    prepared: Session,
) -> None:
    # With two workers, which go on together.
    session = branch(prepared, "unnoted", tune__trials=1, tune__workers_per_trial=2)
    tune.run(session)
    storage = session.storage
    (name,) = storage.list("unnoted/tune/trials")
    path = f"unnoted/tune/trials/{name}/trial.json"
    whole = storage.read_json(path)
    # As a driver that was killed before it heard of the first score.
    change_record(storage, path, state="running", bleu=None, steps=0, curve=[])
    change_record(storage, "unnoted/tune/step.json", done=False)
    tune.run(session)
    assert [point["step"] for point in whole["curve"]] == [4, 8]
    read = storage.read_json(path)
    # It ran in two attempts, and everything else is as it was.
    for changed in ("periods", "sha256"):
        read.pop(changed, None)
        whole.pop(changed, None)
    assert read == whole


def test_a_range_of_a_setting_that_is_not_there_is_refused_at_once(prepared: Session) -> None:
    space = {"adapter.rnk": {"type": "choice", "values": [2]}}
    config = prepared.config.with_overrides({"tune.space": space})
    with pytest.raises(ConfigError, match=r"tune.space: adapter.rnk: unknown key"):
        tune.run(prepared.with_config(config))


def test_a_trial_that_diverges_is_marked_and_the_search_goes_on(prepared: Session) -> None:
    space = {"adapter.alpha": {"type": "choice", "values": [8.0, 1e38]}}
    session = branch(
        # No rung before the last step: a trial that is stopped early does not get to diverge.
        prepared,
        "diverging",
        tune__space=space,
        tune__trials=4,
        tune__grace_steps=8,
    )
    tune.run(session)
    record = find_record(session.storage, "diverging", TUNE)
    assert record is not None
    trials = result_of(session.storage, "diverging", TUNE, record).trials
    states = {trial.config["adapter.alpha"]: trial.state for trial in trials}
    assert states[1e38] == "diverged"
    assert states[8.0] in ("finished", "pruned")
    assert session.storage.read_json("diverging/tune/best.json")["config"]["adapter.alpha"] == 8.0


def test_a_search_that_a_limit_ended_goes_on_with_a_higher_one(prepared: Session) -> None:
    """The limit is reached before the first validation, so there is nothing to choose yet."""
    steps = {"tune__max_steps": 200, "training__max_steps": 200, "tune__grace_steps": 200}
    settings = {**steps, "training__evaluate_every_steps": 200, "tune__trials": 1}
    session = branch(prepared, "limited", tune__max_hours=1e-6, **settings)
    with pytest.raises(TrainingError, match=r"tune\.max_hours .* ended the search"):
        tune.run(session)
    (name,) = session.storage.list("limited/tune/trials")
    path = f"limited/tune/trials/{name}/trial.json"
    assert session.storage.read_json(path)["state"] == "stopped"
    tune.run(session.with_config(session.config.with_overrides({"tune.max_hours": 1})))
    trial = session.storage.read_json(path)
    assert (trial["state"], trial["steps"], len(trial["periods"])) == ("finished", 200, 2)


def test_a_population_exchanges_weights(prepared: Session) -> None:
    rates = {"training.learning_rate": {"type": "uniform", "low": 1e-3, "high": 5e-3}}
    session = branch(
        prepared, "population", tune__space=rates, tune__scheduler="pbt", tune__trials=2
    )
    tune.run(session)
    record = find_record(session.storage, "population", TUNE)
    assert record is not None
    trials = result_of(session.storage, "population", TUNE, record).trials
    assert sorted(trial.state for trial in trials) == ["finished", "finished", "pruned"]
    (copied,) = (t for t in trials if "training.learning_rate_changes.4" in t.config)
    assert [point.step for point in copied.curve] == [8]
    assert min(trial.steps for trial in trials) == 4
