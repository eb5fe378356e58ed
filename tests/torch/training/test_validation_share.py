"""Validations that take at most a share of the time, on the same pairs in a whole run."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from nmt.training import validation, validation_sample
from nmt.training.job import TrainingJob
from nmt.training.trainer import run_training
from nmt.training.validation_sample import sentences_within, steps_between

pytestmark = pytest.mark.usefixtures("quick_validation")


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation_sample, "MINIMUM_SENTENCES", 3)


@pytest.fixture
def sharing(job: TrainingJob) -> TrainingJob:
    """Twelve validation pairs, fewer where they take too long."""
    changes = {"training.validation_sentences": 12, "training.validation_share": 0.1}
    return replace(job, config=job.config.with_overrides(changes))


def fitting(monkeypatch: pytest.MonkeyPatch, *counts: int) -> None:
    """Let the next measurements say that so many pairs fit."""
    left = list(counts)
    monkeypatch.setattr(validation_sample, "sentences_within", lambda *_, **__: left.pop(0))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of pairs of each validation that follows."""
    sizes: list[int] = []

    def bleu(hypotheses: Sequence[str], *others: object) -> float:
        sizes.append(len(hypotheses))
        return float(len(sizes))

    monkeypatch.setattr(validation, "corpus_bleu", bleu)
    return sizes


@pytest.mark.parametrize(
    ("sentence_seconds", "count"),
    [(0.001, 500), (0.01, 222), (1.0, 3)],
    ids=["all-fit", "some-fit", "the-minimum"],
)
def test_so_many_pairs_are_taken_as_fit_into_the_share(sentence_seconds: float, count: int) -> None:
    found = sentences_within(
        0.1, most=500, step_seconds=0.1, sentence_seconds=sentence_seconds, steps=200
    )
    assert found == count


@pytest.mark.parametrize(
    ("last", "every", "pauses", "mean"),
    [
        (600, 200, None, 200),
        (60, 200, None, 60),
        (500, 200, None, 500 / 3),
        (600, 200, 150, 600 / 6),
        (600, 200, 50, 600 / 12),
        (610, 200, 150, 610 / 7),
    ],
)
def test_all_validations_of_the_whole_training_count(
    last: int, every: int, pauses: int | None, mean: float
) -> None:
    assert steps_between(last, every, pauses) == mean


def test_a_training_that_ends_before_its_first_interval_measures_what_it_has(
    sharing: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    monkeypatch.setattr(
        validation_sample,
        "sentences_within",
        lambda *_, steps, **__: seen.append(steps) or 5,
    )
    run_training(replace(sharing, stop_at_step=1))
    assert seen == [1]


def test_without_a_share_all_pairs_are_translated_and_counted(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = counted(monkeypatch)
    assert run_training(job).state.validation_sentences == 4
    assert sizes == [4, 4]


def test_the_number_is_chosen_once_and_stays(
    sharing: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    fitting(monkeypatch, 5)
    sizes = counted(monkeypatch)
    assert run_training(sharing).state.validation_sentences == 5
    assert sizes == [3, 5, 5]  # the first few are the measurement
    assert "each validation translates 5 of 12 pairs" in caplog.text


def test_a_resumed_training_uses_the_number_of_its_first_attempt(
    sharing: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitting(monkeypatch, 5)
    run_training(replace(sharing, stop_at_step=4))
    sizes = counted(monkeypatch)
    assert run_training(sharing).state.validation_sentences == 5
    assert sizes == [5]


def test_the_base_is_scored_on_the_same_pairs(
    sharing: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitting(monkeypatch, 5)
    sizes = counted(monkeypatch)
    outcome = run_training(replace(sharing, compares_with_base=True))
    assert sizes == [12, 3, 5, 5, 5]  # the base, the measurement, the base again, two validations
    assert outcome.state.base_score == 3.0


def test_where_the_translations_of_the_base_are_lost_all_pairs_stay(
    sharing: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = replace(sharing, compares_with_base=True)
    monkeypatch.setattr("nmt.training.trainer.ValidationSample.keep_base", lambda *given: None)
    fitting(monkeypatch, 5)
    assert run_training(compared).state.validation_sentences == 12


def test_all_trials_of_a_search_validate_what_the_first_one_chose(
    sharing: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = replace(sharing, shared_validation="small/validation.json")
    fitting(monkeypatch, 5)
    run_training(first)
    second = replace(first, folder="small/another")
    sizes = counted(monkeypatch)
    assert run_training(second).state.validation_sentences == 5
    assert sizes == [5, 5]


def test_few_pairs_are_never_measured(
    sharing: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation_sample, "MINIMUM_SENTENCES", 12)
    sizes = counted(monkeypatch)
    run_training(sharing)
    assert sizes == [12, 12]
