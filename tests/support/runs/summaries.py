"""Evaluations and summaries as a run would leave them."""

from typing import Any

from nmt.runs.evaluation import (
    BASE_SYSTEM,
    GENERAL_SET,
    TEST_SET,
    TUNED_SYSTEM,
    Comparison,
    EvaluationResult,
    Sample,
    SystemInfo,
    SystemScore,
    TestSetInfo,
)
from nmt.runs.results import Summary

REFERENCE = "செவிலியர் காலையில் மருந்தைக் கொடுக்கிறார்."
BASE = "பெண் காலையில் புத்தகத்தைக் கொடுக்கிறார்."
BETTER = Comparison(
    test_set=TEST_SET,
    metric="bleu",
    baseline=BASE_SYSTEM,
    system=TUNED_SYSTEM,
    difference=11.5,
    interval=(8.5, 14.5),
    standard_error=1.5,
    p_value=0.002,
    bootstrap_p=0.001,
    resamples=1000,
    detectable=4.2,
)
WORSE = BETTER.model_copy(update={"difference": -11.5, "interval": (-14.5, -8.5)})
UNSURE = WORSE.model_copy(update={"p_value": 0.3, "interval": (-2.5, 0.5)})


def score(system: str, test_set: str, metric: str, value: float) -> SystemScore:
    signatures = {"bleu": "nrefs:1|tok:13a", "chrf++": "nrefs:1|nw:2", "ter": "nrefs:1|norm:yes"}
    resampled = metric == "bleu" and test_set == TEST_SET
    return SystemScore(
        system=system,
        test_set=test_set,
        metric=metric,
        value=value,
        signature=signatures[metric],
        interval=(value - 3, value + 3) if resampled else None,
    )


def scores(system: str, bleu: float, general: float | None, chrf: float) -> list[SystemScore]:
    """Score a system on the test set and, unless `general` is None, on the general one."""
    rows = [
        score(system, TEST_SET, "bleu", bleu),
        score(system, TEST_SET, "chrf++", chrf),
        score(system, TEST_SET, "ter", 100 - bleu),
    ]
    return rows if general is None else [*rows, score(system, GENERAL_SET, "bleu", general)]


def evaluation(
    base: float = 20.0,
    tuned: float = 31.5,
    *,
    general: tuple[float, float] | None = None,
    chrf: float = 60.0,
    compared: Comparison | None = BETTER,
    **fields: Any,
) -> EvaluationResult:
    """Compare a base with a tuned system.

    Args:
        base: BLEU on the test set.
        tuned: BLEU on the test set.
        general: BLEU of both systems on the general test set.
        chrf: chrF++ of the tuned system on the test set; the base has 50.
        compared: how the two compare on the test set.
        fields: others of the result.
    """
    before, after = general or (None, None)
    test_sets = {TEST_SET: TestSetInfo(sentences=60)}
    if general:
        test_sets[GENERAL_SET] = TestSetInfo(sentences=30)
    found = EvaluationResult(
        systems={
            BASE_SYSTEM: SystemInfo(kind="base", parameters=950),
            TUNED_SYSTEM: SystemInfo(kind="tuned", parameters=1000),
        },
        test_sets=test_sets,
        scores=(
            *scores(BASE_SYSTEM, base, before, 50.0),
            *scores(TUNED_SYSTEM, tuned, after, chrf),
        ),
        comparisons=(compared,) if compared else (),
    )
    return found.model_copy(update=fields)


def three_systems() -> EvaluationResult:
    """Evaluate three systems on the test set and on the general one."""
    two = evaluation(general=(40.0, 39.5), samples=(sample(memory="நினைவகம்."),))
    memory = two.comparisons[0].model_copy(
        update={"system": "memory", "difference": 5.25, "interval": (2.25, 8.25), "p_value": 0.004}
    )
    return EvaluationResult(
        systems={**two.systems, "memory": SystemInfo()},
        test_sets=two.test_sets,
        scores=(*two.scores, *scores("memory", 25.25, 11.75, 52.0)),
        comparisons=(*two.comparisons, memory),
        samples=two.samples,
    )


def trial(rank: int, bleu: float | None, state: str = "finished") -> dict[str, Any]:
    curve = [] if bleu is None else [{"step": 100, "bleu": bleu / 2}, {"step": 200, "bleu": bleu}]
    config = {"adapter.rank": rank, "training.learning_rate": rank * 1e-4, "kind": "a"}
    return {"config": config, "bleu": bleu, "state": state, "steps": 200, "curve": curve}


def sample(source: str = "The nurse.", reference: str = REFERENCE, **hypotheses: str) -> Sample:
    both = {BASE_SYSTEM: BASE, TUNED_SYSTEM: REFERENCE}
    return Sample(
        test_set=TEST_SET, source=source, reference=reference, hypotheses=both | hypotheses
    )


def bare(**fields: Any) -> Summary:
    """Summarize a run on own data without a general test set, search or curve."""
    return Summary.model_validate(
        {
            "run": "demo",
            "version": "0.1.0",
            "data": {"name": "corpus.tsv", "sizes": {"train": 900, "test": 60}},
            "model": {"name": "nllb", "license": "CC-BY-NC-4.0", "tiny": False, "trainable": 50},
            "evaluation": evaluation(compared=None),
        }
        | fields
    )


def full(**fields: Any) -> Summary:
    return bare(
        **{
            "evaluation": evaluation(general=(40.0, 39.5), samples=(sample(),)),
            "trials": [
                trial(8, 22.25),
                trial(16, 18.5, "pruned"),
                trial(32, None, "failed"),
                trial(64, 30.75),
            ],
            "best_config": trial(64, 30.75)["config"],
            "base_validation_bleu": 12.0,
            "curve": [
                {"step": 100, "bleu": 15.0, "loss": 3.5},
                {"step": 200, "bleu": 31.0, "loss": 2.25},
            ],
            "seconds": {"prepare": 1.5, "train": 75.0},
            "endpoint": {"checked": True, "source": "Hello.", "target": "வணக்கம்."},
            "engine": "0123456789ab",
            "notes": ["A tiny model shows the path."],
            "versions": {"torch": "2.13.0"},
            "config": {"data": {"source_language": "eng_Latn", "target_language": "tam_Taml"}},
        }
        | fields
    )
