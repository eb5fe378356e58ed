"""A step is added by one entry in the registry and one module with its entry point."""

import sys
from types import ModuleType

import pytest

from k8s.objects.manifests import submittable_steps
from k8s.objects.sizing import pods_for
from nmt.config import Config, load_config
from nmt.runs import layout
from nmt.runs.records import Record, find_record, result_of
from nmt.runs.running import StepOutput
from nmt.runs.step_result import StepResult
from nmt.runs.steps import CAMPAIGN, PIPELINE, STEPS, TUNE, Step, pipeline_steps, steps_of
from nmt.storage import Storage
from ray_jobs import pipeline
from ray_jobs.cli.main import main
from ray_jobs.cli.runner import jobs
from ray_jobs.runtime.context import Session
from tests.unit.k8s.conftest import make_release


class ToyResult(StepResult):
    """The result of the toy step."""

    words: int


TOY = Step(
    "toy",
    "toy",
    "count the words of the test split",
    ToyResult,
    ("evaluation", "seed"),
    after=("prepare",),
    processes="worker",
)


def count_words(session: Session) -> Record:
    return session.run_step(TOY, lambda: StepOutput(ToyResult(words=7)))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Step[ToyResult]:
    """Add the toy step: one entry, one module."""
    module = ModuleType("ray_jobs.toy")
    module.run = count_words  # type: ignore[attr-defined]
    monkeypatch.setitem(STEPS, "toy", TOY)
    monkeypatch.setitem(sys.modules, "ray_jobs.toy", module)
    return TOY


def finish_prepare(storage: Storage) -> None:
    path = layout.step_record("demo", STEPS["prepare"])
    storage.write_json(path, {"step": "prepare", "done": True, "settings": {}, "inputs": {}})


def test_a_new_step_is_a_command_that_knows_what_it_needs(toy):
    assert list(jobs())[: len(STEPS)] == list(STEPS)
    assert (jobs()["toy"].about, jobs()["toy"].after) == (toy.about, "prepare")


def test_the_command_of_a_new_step_does_it(toy, tmp_path):
    storage = Storage(str(tmp_path))
    finish_prepare(storage)
    assert main(["toy", f"storage={tmp_path}", "run=demo"]) == 0
    record = find_record(storage, "demo", toy)
    assert record is not None
    assert result_of(storage, "demo", toy, record).words == 7


def test_a_pipeline_does_a_new_step_after_the_others(toy, tmp_path, monkeypatch):
    done: list[str] = []
    for name in STEPS:
        module = ModuleType(f"ray_jobs.{name}")
        module.run = lambda session, name=name: done.append(name)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"ray_jobs.{name}", module)
    monkeypatch.setattr(pipeline.prepare, "check_split", lambda *given: None)
    config = load_config(overrides=["tune.trials=2"])
    session = Session(config, Storage(str(tmp_path)), frozenset({"tune.trials"}))
    pipeline._steps(session, pipeline_steps(config))
    assert done == [step.name for step in pipeline_steps(config)]
    assert done[-1] == "toy"


def test_a_pipeline_without_trials_leaves_out_the_search(toy):
    with_search = pipeline_steps(load_config(overrides=["tune.trials=2"]))
    without = pipeline_steps(load_config(overrides=["tune.trials=0"]))
    assert without == [step for step in with_search if step != TUNE]
    assert len(without) == len(with_search) - 1


def test_a_new_step_can_be_submitted_to_kubernetes_and_gets_its_worker(toy):
    assert "toy" in submittable_steps()
    assert pods_for(make_release(), Config(), ["toy"], "cpu") == 1


def test_a_command_without_steps_does_none():
    assert steps_of("serve", Config()) == []
    assert submittable_steps()[-2:] == (PIPELINE, CAMPAIGN)


@pytest.mark.parametrize(
    ("step", "required"),
    [("prepare", ""), ("base", "prepare"), ("train", "prepare"), ("export", "train")],
)
def test_a_step_requires_what_it_does_not_do_by_itself(step, required):
    assert STEPS[step].required == required


def test_a_step_whose_required_step_is_missing_is_refused(toy, tmp_path, capsys):
    assert main(["toy", f"storage={tmp_path}", "run=demo"]) != 0
    assert "nmt prepare run=demo" in capsys.readouterr().err
