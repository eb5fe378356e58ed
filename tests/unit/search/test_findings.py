"""How the best trial is compared with others: by the translations that its checkpoint keeps."""

from pathlib import Path
from typing import Any, cast

import pytest

from nmt.config import Config, load_config
from nmt.data.prepare import prepare
from nmt.data.saved import load_pairs
from nmt.metrics import corpus_score
from nmt.runs import layout
from nmt.runs.trials import Trial
from nmt.storage import Storage
from nmt.training.saved.hypotheses import write_hypotheses

pytest.importorskip("ray.tune")

from ray.tune.experiment import Trial as TuneTrial

from ray_jobs.search.findings import against_second, between_methods, results_by_method
from ray_jobs.search.trials import TrialLog
from tests.support.runs.fake_trials import FakeTrial

WORDS = [
    "run=demo",
    "data.phrasebook.general_pairs=100",
    "data.phrasebook.domain_pairs=120",
    "data.validation_fraction=0.2",
    "data.test_fraction=0.1",
    "tune.methods=[lora,none]",
    "training.validation_metric=chrf",
]


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(overrides=WORDS)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Path:
    """A storage root with prepared pairs."""
    root = tmp_path_factory.mktemp("findings")
    with Storage(str(root)).commit(layout.pairs("demo")) as folder:
        prepare(config.data, config.seed, folder)
    return root


@pytest.fixture
def storage(root: Path, tmp_path: Path) -> Storage:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "data").symlink_to(root / "demo" / "data")
    return Storage(str(tmp_path))


@pytest.fixture
def references(root: Path) -> list[str]:
    return [pair.target for pair in load_pairs(root / layout.pairs("demo"), "validation")]


@pytest.fixture
def log(storage: Storage, config: Config) -> TrialLog:
    return TrialLog(storage, config)


def tried(log: TrialLog, method: str, seed: int, lines: list[str], references: list[str]) -> None:
    """Make a trial whose only validation gave these translations."""
    settings: dict[str, Any] = {"adapter.type": method, "seed": seed}
    score = corpus_score("chrf", lines, references, "tam_Taml")
    trial = cast(TuneTrial, FakeTrial(settings))
    log.on_trial_start(0, [], trial)
    told = {"step": 600, "bleu": 1.0, "score": score, "trained_parameters": 10 * seed}
    log.on_trial_result(0, [], trial, told)
    log.on_trial_complete(0, [], trial)
    folder = log.folder_of(Trial(config=settings, state="finished"))
    with log.storage.commit(layout.checkpoint(layout.checkpoints(folder), 600)) as place:
        write_hypotheses(place, lines)


def spoilt(references: list[str], every: int) -> list[str]:
    """Translations of which one in so many is wrong."""
    return ["x" if i % every == 0 else line for i, line in enumerate(references)]


def test_a_clear_lead_has_an_interval_above_zero(
    log: TrialLog, config: Config, references: list[str]
) -> None:
    tried(log, "lora", 1, spoilt(references, 2), references)
    tried(log, "lora", 2, references, references)
    found = against_second(config, log.storage, log)
    assert found is not None
    assert (found.settings["seed"], found.other["seed"]) == (2, 1)
    assert found.sentences == len(references)
    assert 0 < found.interval[0] <= found.difference <= found.interval[1]
    assert not found.may_be_chance


def test_a_lead_by_one_sentence_may_be_chance(
    log: TrialLog, config: Config, references: list[str]
) -> None:
    tried(log, "lora", 1, ["x", *references[1:]], references)
    tried(log, "lora", 2, [references[0], "y", "y", *references[3:]], references)
    found = against_second(config, log.storage, log)
    assert found is not None
    assert found.may_be_chance
    assert found.describe("a", "b").endswith("this may be chance")


def test_the_best_of_each_method_are_compared(
    log: TrialLog, config: Config, references: list[str]
) -> None:
    tried(log, "none", 1, spoilt(references, 3), references)
    tried(log, "none", 2, spoilt(references, 2), references)
    tried(log, "lora", 3, references, references)
    tried(log, "lora", 4, spoilt(references, 4), references)
    (found,) = between_methods(config, log.storage, log)
    assert (found.settings["seed"], found.other["seed"]) == (3, 1)


def test_each_method_is_summed_up_and_the_better_one_comes_first(
    log: TrialLog, config: Config, references: list[str]
) -> None:
    tried(log, "none", 1, spoilt(references, 2), references)
    tried(log, "lora", 2, references, references)
    tried(log, "lora", 3, spoilt(references, 4), references)
    first, second = results_by_method(config, log)
    assert (first.method, first.trials, first.trained_parameters) == ("lora", 2, 20)
    assert (second.method, second.trials, second.trained_parameters) == ("none", 1, 10)
    assert first.settings == {"adapter.type": "lora", "seed": 2}


def test_a_method_without_a_trial_is_named_too(
    log: TrialLog, config: Config, references: list[str]
) -> None:
    tried(log, "lora", 1, references, references)
    assert [(found.method, found.trials) for found in results_by_method(config, log)] == [
        ("lora", 1),
        ("none", 0),
    ]
    assert against_second(config, log.storage, log) is None
    assert between_methods(config, log.storage, log) == ()


def test_a_trial_whose_translations_are_lost_is_not_compared(
    log: TrialLog, config: Config, references: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    tried(log, "lora", 1, spoilt(references, 2), references)
    tried(log, "lora", 2, references, references)
    log.storage.delete(layout.checkpoints(log.folder_of(log.entries()[1])))
    assert against_second(config, log.storage, log) is None
    assert "a trial cannot be compared with another" in caplog.text
