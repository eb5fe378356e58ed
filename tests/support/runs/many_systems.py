"""An evaluation of three systems on two test sets, with every sentence."""

from nmt.report.stored import StoredSet
from nmt.runs.evaluation import (
    Comparison,
    ConfidenceBin,
    ConfidenceSummary,
    Cost,
    Decoding,
    EvaluationResult,
    FlagCount,
    NgramChange,
    NotComputed,
    SliceScore,
    SystemInfo,
    SystemScore,
    TestSetInfo,
)
from nmt.scoring.stored import HypothesisRow

SYSTEMS = ("base", "tuned", "engine")
SENTENCES = {"news": 120, "talks": 3}
VALUES = {"base": 40.0, "tuned": 50.0, "engine": 49.8}
EVIL = '<img src="x" onerror="document.title=1">\u202e'


def stored(*, markup: str = EVIL) -> list[StoredSet]:
    """Make the translations of every sentence; sentence 8 of `news` is the tuned one's best."""
    return [
        StoredSet(test_set, system, rows(test_set, system, markup))
        for test_set in SENTENCES
        for system in SYSTEMS
    ]


def rows(test_set: str, system: str, markup: str = "") -> list[HypothesisRow]:
    return [_row(test_set, system, number, markup) for number in range(SENTENCES[test_set])]


def _row(test_set: str, system: str, number: int, markup: str) -> HypothesisRow:
    is_base = system == "base"
    scores = {"chrf++": 40.0 if is_base else 50.0, "bleu": 20.0}
    if number == 7 and not is_base:
        scores["chrf++"] = 99.0
    last = "ஒன்று" if is_base else "இரண்டு"
    return HypothesisRow(
        source=f"{test_set} sentence {number} {markup if number == 5 else ''}",
        references=(f"மருந்து {number} இரண்டு", f"other {number}"),
        hypothesis=f"மருந்து {number} {last}",
        scores=scores,
        confidence=-0.5 - number / 1000,
        usable=0.7,
        flags=("numbers",) if number % 40 == 0 else (),
        domain="health",
    )


def result() -> EvaluationResult:
    """Make rows of every kind; the engine is not distinguishable from the tuned model."""
    places = [(test_set, system) for test_set in SENTENCES for system in SYSTEMS]
    return EvaluationResult(
        systems={
            "base": SystemInfo(kind="base", decoding=Decoding(method="greedy", precision="fp32")),
            "tuned": SystemInfo(kind="tuned", size_bytes=2_000_000),
            "engine": SystemInfo(
                kind="engine", engine="0123456789ab", size_bytes=500_000, device="cpu",
                decoding=Decoding(
                    method="beam", beam_size=4, splits_sentences=True, precision="int8"
                ),
            ),
        },
        test_sets={
            name: TestSetInfo(
                sentences=count, digest="fedcba987654", references=2, overlap=4,
                source_language="eng_Latn", target_language="tam_Taml",
            )
            for name, count in SENTENCES.items()
        },
        scores=tuple(
            SystemScore(
                system=system, test_set=test_set, metric=metric, signature=f"{metric}|v1",
                value=VALUES[system] - (20 if metric == "bleu" else 0),
                interval=(VALUES[system] - 21, VALUES[system] + 1), part=part,
            )
            for test_set, system in places for metric in ("bleu", "chrf++")
            for part in ("all", "unseen")
        ),
        comparisons=tuple(
            row for test_set in SENTENCES for metric in ("bleu", "chrf++")
            for row in (
                compared(test_set, metric, "base", "tuned", 10.0, 0.0001),
                compared(test_set, metric, "base", "engine", 9.8, 0.0001),
                compared(test_set, metric, "tuned", "engine", -0.2, 0.6),
            )
        ),
        not_computed=(
            NotComputed(metric="comet", reason="it needs packages: see the page"),
            NotComputed(metric="metricx", reason="it needs packages: see the page"),
            NotComputed(metric="all", reason="a direction of its own", system="engine",
                        test_set="talks"),
        ),
        slices=tuple(
            SliceScore(test_set=test_set, system=system, kind="length", label="1-10 words",
                       sentences=50, scores={"chrf++": VALUES[system]})
            for test_set, system in places
        ),
        flags=tuple(
            FlagCount(test_set=test_set, system=system, flag="numbers", count=3, of=60)
            for test_set, system in places
        ),
        ngrams=(
            NgramChange(test_set="news", baseline="base", system="tuned", ngram="இரண்டு", gained=9),
            NgramChange(test_set="news", baseline="base", system="tuned", ngram="ஒன்று", gained=-4),
        ),
        costs=tuple(
            Cost(test_set=test_set, system=system, seconds=seconds, characters=10_000)
            for test_set in SENTENCES
            for system, seconds in zip(SYSTEMS, (4.0, 5.0, 1.0), strict=True)
        ),
        confidences=(
            ConfidenceSummary(
                test_set="news", system="tuned", threshold=60, estimated=0.4, usable=0.45,
                correlation=0.6,
                bins=(ConfidenceBin(confidence=-1, estimated=0.4, usable=0.45, sentences=120),),
            ),
        ),
    )  # fmt: skip


def compared(
    test_set: str, metric: str, baseline: str, system: str, difference: float, p_value: float
) -> Comparison:
    return Comparison(
        test_set=test_set, metric=metric, baseline=baseline, system=system, difference=difference,
        interval=(difference - 1, difference + 1), standard_error=0.4, p_value=p_value,
        bootstrap_p=p_value, resamples=1000, detectable=1.1, predicted_detectable=1.2,
        agreement=80.0,
    )  # fmt: skip
