"""The trials and methods of a search as lines of the log."""

from collections.abc import Mapping, Sequence

from nmt.runs.evaluation import METRIC_NAMES
from nmt.runs.trials import UNFINISHED, Trial
from nmt.runs.tuning import MethodResult


def table_lines(trials: Sequence[Trial], total: int, metric: str = "bleu") -> list[str]:
    """Format the trials as a table for the log, best first."""
    keys = sorted({key for trial in trials for key in trial.config})
    ended = sum(trial.state not in UNFINISHED for trial in trials)
    names = [METRIC_NAMES[metric], *(["BLEU"] if metric != "bleu" else [])]
    head = [*names, "steps", "state", *(key.rpartition(".")[2] for key in keys)]
    rows = [
        [
            *(_score(value) for value in (trial.score, trial.bleu)[: len(names)]),
            str(trial.steps),
            trial.state,
            *(_shown(trial.config.get(key)) for key in keys),
        ]
        for trial in trials
    ]
    return [f"tune: {ended} of {total} trials ended", *_aligned([head, *rows])]


def method_lines(methods: Sequence[MethodResult], metric: str) -> list[str]:
    """Format what was found of each method, best first."""
    head = ["method", METRIC_NAMES[metric], "trials", "seconds", "parameters", "settings"]
    rows = [
        [
            each.method,
            _score(each.score),
            str(each.trials),
            f"{each.seconds:.0f}",
            "-" if each.trained_parameters is None else f"{each.trained_parameters:,}",
            describe(each.settings or {}),
        ]
        for each in methods
    ]
    return _aligned([head, *rows])


def describe(settings: Mapping[str, object]) -> str:
    """Write the settings of a trial in a few words."""
    shown = {key.rpartition(".")[2]: _shown(value) for key, value in settings.items()}
    return " ".join(f"{key}={value}" for key, value in shown.items()) or "-"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.2e}" if isinstance(value, float) else str(value)
