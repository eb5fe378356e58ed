"""Figures and verdicts in words, the same on the console and in the report."""

import unicodedata

from nmt.runs.evaluation import BASE_SYSTEM, METRIC_NAMES, Comparison, format_p_value

NOT_COMPUTED = "not computed"
GENERAL_TOLERANCE = 1.0
"""BLEU that the general test set may lose and still count as kept."""

_JOINERS = "\u200c\u200d"  # they decide how Indic letters join, so they are text
_REPLACED = {"Cs": "\ufffd", "Zl": "\n", "Zp": "\n"}


def clean(text: str) -> str:
    """Remove control and bidirectional formatting characters, but keep line breaks and tabs."""
    # A sentence could otherwise reorder the text around it, or send commands to the terminal.
    return "".join(_clean_character(character) for character in text)


def number(value: float | None, digits: int = 2) -> str:
    """Write a score, or that there is none."""
    return NOT_COMPUTED if value is None else f"{value:.{digits}f}"


def change(before: float | None, after: float | None) -> str:
    """Write the signed difference of two scores, or that there is none."""
    if before is None or after is None:
        return NOT_COMPUTED
    return f"{round(after - before, 2) + 0.0:+.2f}"  # + 0.0 turns -0.0 into 0.0


def metric_name(metric: str) -> str:
    """Return a metric's name as it is usually written."""
    return METRIC_NAMES.get(metric, metric)


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


def verdict(comparison: Comparison) -> str:
    """Say in words how a system compares with its baseline."""
    metric = metric_name(comparison.metric)
    chance = f"({format_p_value(comparison.p_value)}, paired bootstrap of {metric})"
    if not comparison.is_significant:
        return f"no significant difference {chance}"
    baseline = "the base" if comparison.baseline == BASE_SYSTEM else comparison.baseline
    return f"significantly {comparison.verdict} than {baseline} {chance}"


def chance_verdict(comparison: Comparison | None) -> str:
    """Say whether a difference may be due to the choice of test sentences."""
    if comparison is None:
        return NOT_COMPUTED
    if not comparison.is_significant:
        return "may be chance"
    return "very unlikely to be chance" if comparison.p_value < 0.01 else "unlikely to be chance"


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


def _clean_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in _REPLACED:
        return _REPLACED[category]
    kept = character in "\n\t" or character in _JOINERS or category not in ("Cc", "Cf")
    return character if kept else ""
