"""Results of which a gate decides, with the figures that a test gives."""

from dataclasses import dataclass

from nmt.config import GateConfig
from nmt.evaluation.gate.decision import Budget, Decision, decide
from nmt.evaluation.gate.limits import Pair
from nmt.runs.evaluation import (
    COMPARED_METRICS,
    Comparison,
    Cost,
    EvaluationResult,
    FlagCount,
    SystemInfo,
    SystemScore,
    TestSetInfo,
)

PAIR = Pair("engine", "stable")


@dataclass(frozen=True)
class SetFigures:
    """What a test set shows of an engine and the one that serves."""

    difference: float
    error: float
    sentences: int = 1000
    documents: int | None = None
    forgetting: bool = False
    bleu: float = 0.0
    """Difference in BLEU; its standard error is 0.3."""
    off_target: int = 0
    empty: int = 0
    overlap: int | None = None
    predicted: float | None = 0.7


def result_of(
    sets: dict[str, SetFigures],
    *,
    seconds: tuple[float, float] = (1.0, 1.0),
    sizes: tuple[int, int] = (100, 100),
    devices: tuple[str, str] = ("cpu", "cpu"),
) -> EvaluationResult:
    """Make a result; pairs of figures are those of the engine and of the one that serves."""
    names = (PAIR.engine, PAIR.baseline)
    return EvaluationResult(
        systems={
            name: SystemInfo(kind="engine", size_bytes=size, device=device)
            for name, size, device in zip(names, sizes, devices, strict=True)
        },
        test_sets={
            name: TestSetInfo(
                sentences=each.sentences,
                digest=f"{name}-digest",
                documents=each.documents,
                forgetting=each.forgetting,
                overlap=each.overlap,
            )
            for name, each in sets.items()
        },
        scores=tuple(
            SystemScore(system=system, test_set=name, metric="chrf++", value=50, signature="s")
            for name in sets
            for system in names
        ),
        comparisons=tuple(
            _comparison(name, each, metric)
            for name, each in sets.items()
            for metric in COMPARED_METRICS
        ),
        flags=tuple(
            FlagCount(test_set=name, system="engine", flag=flag, count=count, of=each.sentences)
            for name, each in sets.items()
            for flag, count in (("off_target", each.off_target), ("empty", each.empty))
        ),
        costs=tuple(
            Cost(test_set=name, system=system, seconds=taken, characters=1000)
            for name in sets
            for system, taken in zip(names, seconds, strict=True)
        ),
    )


def decide_on(
    sets: dict[str, SetFigures], settings: GateConfig | None = None, *,
    used_up: dict[str, str] | None = None, **changes: object,
) -> Decision:  # fmt: skip
    """Decide with an error rate of 5 % for this use, unless the settings divide it."""
    settings = settings or GateConfig(uses=1)
    budget = Budget(settings.error_rate / settings.uses, used_up or {})
    return decide(result_of(sets, **changes), settings, budget, PAIR)  # type: ignore[arg-type]


def _comparison(name: str, each: SetFigures, metric: str) -> Comparison:
    value, error = (each.bleu, 0.3) if metric == "bleu" else (each.difference, each.error)
    return Comparison(
        test_set=name,
        metric=metric,
        baseline=PAIR.baseline,
        system=PAIR.engine,
        difference=value,
        interval=(value - 2 * error, value + 2 * error),
        standard_error=error,
        p_value=0.5,
        bootstrap_p=0.5,
        resamples=100,
        detectable=2.8 * error,
        predicted_detectable=each.predicted,
        agreement=80.0,
    )
