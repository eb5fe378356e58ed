"""Figures and verdicts in words, the same on the console and in the report."""

import unicodedata
from collections.abc import Iterable

import regex

from nmt.report.ranking import Disagreement
from nmt.report.scores import Difference
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    EVERY_METRIC,
    METRIC_NAMES,
    EvaluationResult,
    TestSetInfo,
    format_p_value,
)

NOT_COMPUTED = "not computed"
GENERAL_TOLERANCE = 1.0
"""BLEU that the general test set may lose and still count as kept."""

# The joiners decide how Indic letters join, so they are text.
_UNWANTED = regex.compile(r"[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\n\t\u200c\u200d]]", regex.V1)
_REPLACED = {"Cs": "\ufffd", "Zl": "\n", "Zp": "\n"}


def clean(text: str) -> str:
    """Remove control and bidirectional formatting characters, but keep line breaks and tabs."""
    # A sentence could otherwise reorder the text around it, or send commands to the terminal.
    return _UNWANTED.sub(lambda found: _REPLACED.get(unicodedata.category(found[0]), ""), text)


def number(value: float | None, digits: int = 2) -> str:
    """Write a score, or that there is none."""
    return NOT_COMPUTED if value is None else f"{value:.{digits}f}"


def score(value: float | None, metric: str) -> str:
    """Write a score with the decimals that are usual for its metric, or that there is none."""
    return number(value, digits_of(metric))


def digits_of(metric: str) -> int:
    """Return the number of decimals that are usual for a metric."""
    # COMET is on a scale from 0 to 1, the other metrics on one to 25 or 100.
    return 4 if metric == "comet" else 2


def change(before: float | None, after: float | None) -> str:
    """Write the signed difference of two scores, or that there is none."""
    if before is None or after is None:
        return NOT_COMPUTED
    return signed(after - before)


def signed(value: float) -> str:
    """Write a difference with its sign."""
    return f"{round(value, 2) + 0.0:+.2f}"  # + 0.0 turns -0.0 into 0.0


def metric_name(metric: str) -> str:
    """Return a metric's name as it is usually written."""
    # A system that cannot translate a set at all has one row for all its metrics.
    return "all metrics" if metric == EVERY_METRIC else METRIC_NAMES.get(metric, metric)


def missing_by_reason(evaluation: EvaluationResult) -> dict[str, list[str]]:
    """Map each reason to the metrics that were not computed for it."""
    reasons: dict[str, dict[str, None]] = {}
    for row in evaluation.not_computed:
        # With one test set it is plain which one is meant.
        test_set = row.test_set if len(evaluation.test_sets) > 1 else None
        where = ", ".join(part for part in (row.system, test_set) if part)
        name = metric_name(row.metric)
        reasons.setdefault(row.reason, {})[f"{name} ({where})" if where else name] = None
    return {reason: list(names) for reason, names in reasons.items()}


def setting(value: object) -> str:
    """Write a setting's value briefly: `0.0003`, `6.2e-05`, `cosine`."""
    return f"{value:.3g}" if isinstance(value, float) else clean(str(value))


def duration(seconds: float) -> str:
    """Write a time as people say it: `0.4 s`, `37 s`, `4 min 05 s`, `2 h 03 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    rounded = round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        return f"{rounded // 60} min {rounded % 60:02d} s"
    return f"{rounded // 3600} h {rounded % 3600 // 60:02d} min"


def verdict(difference: Difference) -> str:
    """Say in words how a system compares with another one."""
    figures = f"{signed(difference.value)} {metric_name(difference.metric)}"
    chance = format_p_value(difference.p_value)
    return f"{difference.system}: {_relation(difference)} ({figures}, {chance})"


def joint_verdicts(differences: Iterable[Difference]) -> list[str]:
    """Say in words how several systems compare with one baseline, a line for each outcome."""
    found: dict[str, list[str]] = {}
    for difference in differences:
        text = f"{difference.system} ({signed(difference.value)})"
        relation = f"{_relation(difference)} in {metric_name(difference.metric)}"
        found.setdefault(relation, []).append(text)
    return [f"{', '.join(names)}: {relation}" for relation, names in found.items()]


def _relation(difference: Difference) -> str:
    baseline = "the base" if difference.baseline == BASE_SYSTEM else difference.baseline
    if not difference.is_significant:
        return f"no significant difference from {baseline}"
    return f"significantly {'better' if difference.is_gain else 'worse'} than {baseline}"


def disagreement(row: Disagreement) -> str:
    """Say that BLEU prefers the system that another metric puts behind."""
    chance, bleu_chance = (
        f", {format_p_value(test.p_value)}" if test else "" for test in (row.test, row.bleu)
    )
    return (
        f"{metric_name(row.metric)} prefers {row.better} ({signed(row.gain)}{chance}), and BLEU "
        f"prefers {row.worse} ({signed(-row.bleu_gain)}{bleu_chance}): have somebody read the "
        "translations"
    )


def detectable(found: tuple[float, float], metric: str) -> str:
    """Say how small a difference the test set can show."""
    low, high = (f"{value:.2f}" for value in found)
    size = f"{low if low == high else f'{low} to {high}'} {metric_name(metric)}"
    pair = "" if low == high else " (depending on the pair)"
    return f"this set shows a difference of {size}{pair} in 80 % of cases, smaller ones less often"


def describe_set(info: TestSetInfo) -> str:
    """Describe what was scored: sentences, references and digest."""
    count = f"{info.sentences:,} sentences"
    if info.split_size and info.split_size != info.sentences:
        count = f"the first {info.sentences:,} of {info.split_size:,} sentences"
    references = f"{info.references} references" if info.references > 1 else "1 reference"
    parts = [count, references]
    parts += [f"{info.documents:,} documents"] if info.documents else []
    parts += [f"digest {info.digest}"] if info.digest else []
    return ", ".join(parts)


def chance_verdict(difference: Difference | None) -> str:
    """Say whether a difference may be due to the choice of test sentences."""
    if difference is None:
        return NOT_COMPUTED
    if not difference.is_significant:
        return "may be chance"
    return "very unlikely to be chance" if difference.p_value < 0.01 else "unlikely to be chance"


def gain_verdict(before: float | None, after: float | None) -> str:
    """Say whether a system has a higher BLEU than the base."""
    if before is None or after is None:
        return NOT_COMPUTED
    if round(after - before, 2) == 0:
        return "no change"
    return "better than the base" if after > before else "worse than the base"


def general_verdict(before: float | None, after: float | None) -> str:
    """Say whether general text is still translated as well as before the training."""
    if before is None or after is None:
        return NOT_COMPUTED
    if after >= before:
        return "kept"
    within = before - after <= GENERAL_TOLERANCE
    return f"kept within {GENERAL_TOLERANCE:g} BLEU" if within else "partly lost"
