"""What `--restart` discards, and when it discards nothing."""

import importlib.util
from dataclasses import asdict

import pytest

from nmt.config import load_with_user_set
from nmt.errors import ConfigError, MissingPackageError, MissingStepError, StepConflictError
from nmt.runs import layout
from nmt.runs.records import Record
from nmt.runs.steps import PREPARE, STEPS
from nmt.storage import Storage
from ray_jobs.runtime.restart import discard

MADE = [
    *(layout.step_record("demo", step) for step in STEPS.values()),
    layout.summary("demo"),
    layout.report("demo"),
]
OTHERS = ["demo/logs/a.json", "demo/logs/a.log", "other/train/step.json"]


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A run whose every step is there, its data prepared with seed 1."""
    storage = Storage(str(tmp_path))
    for path in (*MADE, *OTHERS):
        storage.write_bytes(path, b"{}")
    for step in STEPS.values():
        done = step is PREPARE
        record = Record(step.name, done, {"seed": 1} if done else {}, {})
        storage.write_json(layout.step_record("demo", step), asdict(record))
    return storage


def left(storage: Storage) -> list[str]:
    return [path for path in (*MADE, *OTHERS) if storage.exists(path)]


def test_of_a_pipeline_all_that_the_run_has_made_but_its_logs(storage):
    discard(storage, load_with_user_set(overrides=["run=demo"]), {"pipeline": ""})
    assert left(storage) == OTHERS


def test_of_a_step_its_folder_alone(storage):
    discard(storage, load_with_user_set(overrides=["run=demo"]), {"train": "prepare"})
    assert [path for path in MADE if path not in left(storage)] == ["demo/train/step.json"]


@pytest.mark.parametrize("command", ["serve", "promote", "rollback"])
def test_of_a_command_that_makes_nothing_nothing(storage, command):
    discard(storage, load_with_user_set(overrides=["run=demo"]), {command: ""})
    assert left(storage) == [*MADE, *OTHERS]


@pytest.mark.parametrize("job", ["train", "tune", "pipeline"])
def test_nothing_where_the_package_that_shall_record_it_is_missing(storage, job, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="mlflow-skinny"):
        discard(
            storage, load_with_user_set(overrides=["run=demo", "tracking.mlflow=true"]), {job: ""}
        )
    assert left(storage) == [*MADE, *OTHERS]


@pytest.mark.parametrize(
    ("job", "after", "word", "refusal"),
    [
        ("train", "prepare", "seed=2", StepConflictError),
        ("evaluate", "export", "seed=1", MissingStepError),
        ("pipeline", "", "data.test_fraction=0", ConfigError),
        ("tune", "prepare", "tune.trials=0", ConfigError),
        ("tune", "prepare", "tune.space={adapter.rnk: {type: choice, values: [2]}}", ConfigError),
    ],
    ids=["other-settings", "missing-step", "no-test-pairs", "no-trials", "unknown-key"],
)
def test_nothing_where_the_job_would_refuse_its_settings(storage, job, after, word, refusal):
    with pytest.raises(refusal):
        discard(storage, load_with_user_set(overrides=["run=demo", word]), {job: after})
    assert left(storage) == [*MADE, *OTHERS]


def test_of_several_steps_all_their_folders_though_a_later_one_needs_an_earlier_one(storage):
    jobs = {"base": "", "train": "base", "export": "train"}
    discard(storage, load_with_user_set(overrides=["run=demo"]), jobs)
    gone = [path for path in MADE if path not in left(storage)]
    assert gone == [f"demo/{folder}/step.json" for folder in ("base", "train", "export")]
