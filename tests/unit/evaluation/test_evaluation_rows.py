"""The rows of an evaluation, with systems that translate without a model."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from nmt.config import Config
from nmt.errors import DataError
from nmt.evaluation import evaluate as module
from nmt.evaluation.evaluate import evaluate
from nmt.evaluation.hypotheses import SystemOutput
from nmt.runs.evaluation import EvaluationResult
from nmt.storage import Storage
from nmt.text.pair import Pair

SPLITS = {
    "test": [Pair(f"source {i}", f"the target number {i} of them") for i in range(20)],
    "general_test": [Pair(f"other {i}", f"another target number {i}") for i in range(5)],
}
TARGETS = {pair.source: pair.target for pairs in SPLITS.values() for pair in pairs}


def translate_systems(
    config: Config, storage: Storage, sentences: Sequence[str]
) -> dict[str, SystemOutput]:
    """Translate as a base that knows two words, a perfect model and one that swaps two words."""
    right = [TARGETS[sentence] for sentence in sentences]
    swapped = [text.replace("target number", "number target") for text in right]
    return {
        "base": SystemOutput(["the target" for _ in right], 10),
        "tuned": SystemOutput(right, 12),
        "memory": SystemOutput(swapped, 0),
    }


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Pair]]:
    """Give the run these splits; a test may take some away."""
    there = dict(SPLITS)
    monkeypatch.setattr(module, "fetch_output", lambda storage, path: Path(path))
    monkeypatch.setattr(module, "has_split", lambda folder, split: split in there)
    monkeypatch.setattr(module, "load_pairs", lambda folder, split: there[split])
    monkeypatch.setattr(module, "translate_systems", translate_systems)
    return there


def evaluated(tmp_path: Path, **settings: int) -> EvaluationResult:
    changes = {f"evaluation.{key}": value for key, value in settings.items()}
    return evaluate(Config().with_overrides(changes), Storage(str(tmp_path)))


def test_every_system_is_scored_on_every_test_set(splits, tmp_path: Path):
    found = evaluated(tmp_path)
    assert {name: info.sentences for name, info in found.test_sets.items()} == {
        "test": 20,
        "general": 5,
    }
    assert {name: info.parameters for name, info in found.systems.items()} == {
        "base": 10,
        "tuned": 12,
        "memory": 0,
    }
    assert len(found.scores) == 3 * 2 * 3
    for test_set in ("test", "general"):
        row = found.score("tuned", test_set, "bleu")
        assert row
        assert row.value == pytest.approx(100)


def test_every_other_system_is_compared_with_the_base_on_the_test_set(splits, tmp_path: Path):
    found = evaluated(tmp_path, bootstrap_samples=100)
    rows = [(row.test_set, row.system, row.baseline, row.verdict) for row in found.comparisons]
    assert rows == [("test", "tuned", "base", "better"), ("test", "memory", "base", "better")]
    assert {row.resamples for row in found.comparisons} == {100}


def test_a_difference_is_that_of_the_scores(splits, tmp_path: Path):
    found = evaluated(tmp_path)
    for row in found.comparisons:
        base, system = (
            found.score(name, row.test_set, row.metric) for name in (row.baseline, row.system)
        )
        assert base
        assert system
        assert row.difference == pytest.approx(system.value - base.value)


def test_only_bleu_on_the_test_set_is_resampled(splits, tmp_path: Path):
    found = evaluated(tmp_path)
    resampled = {(row.test_set, row.metric) for row in found.scores if row.interval}
    assert resampled == {("test", "bleu")}


def test_samples_are_evenly_spaced_and_show_every_system(splits, tmp_path: Path):
    samples = evaluated(tmp_path, report_samples=4).samples
    assert [row.source for row in samples] == [f"source {i}" for i in (0, 5, 10, 15)]
    assert [row.hypotheses["tuned"] for row in samples] == [row.reference for row in samples]
    assert {name for row in samples for name in row.hypotheses} == {"base", "tuned", "memory"}


def test_at_most_max_sentences_of_each_test_set_are_translated(splits, tmp_path: Path):
    found = evaluated(tmp_path, max_sentences=3)
    assert [info.sentences for info in found.test_sets.values()] == [3, 3]


def test_own_data_has_the_test_set_only(splits, tmp_path: Path):
    del splits["general_test"]
    assert list(evaluated(tmp_path).test_sets) == ["test"]


def test_a_run_without_a_test_split_is_refused(splits, tmp_path: Path):
    del splits["test"]
    with pytest.raises(DataError, match="no test split"):
        evaluated(tmp_path)


def test_the_result_survives_json(splits, tmp_path: Path):
    found = evaluated(tmp_path)
    assert EvaluationResult.model_validate_json(found.model_dump_json()) == found
