"""Which search, and which variants, a run takes over from another one."""

import pytest

from nmt.config import Config, digest_of, load_config
from nmt.runs import layout
from nmt.runs.records import BEST_TRIAL, TRIAL, VARIANT, Record
from nmt.runs.results import TrainResult, TuneResult
from nmt.runs.running import StepOutput, run_step
from nmt.runs.steps import BASE, PREPARE, STEPS, TRAIN, TUNE, VARIANTS
from nmt.runs.trials import Trial, TrialWithCheckpoints
from nmt.runs.variants import Variant, VariantsResult
from nmt.storage import Storage
from ray_jobs import tune
from ray_jobs.runtime.context import Session
from tests.support.runs.finished_steps import Work

TRAINED = TrainResult(trained_parameters=10, left_out=0, steps=9)


def configured(run: str, *words: str, trials: int = 2) -> Config:
    return load_config(overrides=[f"run={run}", f"tune.trials={trials}", *words])


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with a run that has finished a search of two trials, and a variant."""
    storage, config = Storage(str(tmp_path)), configured("earlier")
    for name in (PREPARE.name, BASE.name, TRAIN.name):
        run_step(storage, config, STEPS[name], Work(output=name))
    trials = [Trial(config={"seed": n}, state="finished", number=n, score=30.0 - n) for n in (1, 2)]
    for trial in trials:
        TRIAL.write(storage, layout.trial_record("earlier", digest_of(trial.config)), trial)
    folder = layout.trial_folder("earlier", digest_of(trials[0].config))
    best = TrialWithCheckpoints(**trials[0].model_dump(), checkpoints=layout.checkpoints(folder))
    storage.write_bytes(f"{best.checkpoints}/step-00000009/a", b"weights")
    BEST_TRIAL.write(storage, layout.best_trial("earlier"), best)
    found = TuneResult(best=best, trials=tuple(trials))
    run_step(storage, config, TUNE, lambda: StepOutput(found))
    return storage


def searched(storage: Storage, monkeypatch, trials: int = 2) -> Record:
    """Search in the run `later`, whose own search would find nothing."""
    config = configured("later", "campaign.reuse=[earlier]", trials=trials)
    for name in (PREPARE.name, BASE.name):
        run_step(storage, config, STEPS[name], Work(output=name))
    monkeypatch.setattr(tune.base_job, "run", lambda session, thorough: None)
    monkeypatch.setattr(tune, "search", lambda session: Work(output="searched here")())
    return tune.run(Session(config, storage, frozenset()))


def test_a_search_of_the_same_trials_is_taken_over(storage, monkeypatch):
    found = searched(storage, monkeypatch)
    assert found.taken_from == "earlier"
    assert len(storage.list(layout.trials("later"))) == 2


def test_the_training_can_go_on_from_the_best_trial_of_its_own_run(storage, monkeypatch):
    searched(storage, monkeypatch)
    storage.delete("earlier")
    best = BEST_TRIAL.find(storage, layout.best_trial("later"), "")
    assert best
    assert best.checkpoints.startswith("later/tune/trials/")
    assert storage.read_bytes(f"{best.checkpoints}/step-00000009/a") == b"weights"


@pytest.mark.parametrize("trials", [1, 3])
def test_a_search_with_another_number_of_trials_is_made_here(storage, monkeypatch, trials):
    assert searched(storage, monkeypatch, trials).output == "searched here"


def test_a_search_that_has_lost_a_trial_is_made_here(storage, monkeypatch):
    storage.delete(layout.trial_record("earlier", digest_of({"seed": 2})))
    assert searched(storage, monkeypatch).output == "searched here"


def test_a_search_with_a_damaged_trial_is_made_here(storage, monkeypatch):
    storage.write_bytes(layout.trial_record("earlier", digest_of({"seed": 2})), b"{")
    assert searched(storage, monkeypatch).output == "searched here"


def test_variants_that_are_taken_over_name_the_folders_of_their_own_run(storage):
    folder = layout.variant_folder("earlier", "abc")
    variant = Variant(
        name="seed-2",
        kind="seed",
        method="lora",
        seed=2,
        folder=folder,
        trained=TRAINED,
        weights="w",
    )
    VARIANT.write(storage, layout.variant_record(folder), variant)
    made = VariantsResult(variants=(variant,))
    run_step(storage, configured("earlier"), VARIANTS, lambda: StepOutput(made))
    config = configured("later", "campaign.reuse=[earlier]")
    for name in (PREPARE.name, BASE.name, TRAIN.name):
        run_step(storage, config, STEPS[name], Work(output=name))
    found, did_work = run_step(storage, config, VARIANTS, Work())
    own = layout.variant_folder("later", "abc")
    assert not did_work
    assert VariantsResult.model_validate(found.result).variants[0].folder == own
    record = VARIANT.find(storage, layout.variant_record(own), "")
    assert record
    assert record.folder == own
