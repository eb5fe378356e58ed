"""Figures and verdicts in words, the same on the console and in the report."""

import unicodedata

from nmt.runs import comparison
from nmt.runs.comparison import Significance

NOT_COMPUTED = "not computed"
GENERAL_TOLERANCE = 1.0
"""BLEU that the general part may lose and still count as kept."""

_JOINERS = "\u200c\u200d"  # decide how Indic letters join, so they are text
_REPLACED = {"Cs": "\ufffd", "Zl": "\n", "Zp": "\n"}


def clean(text: str) -> str:
    """Text without control and bidirectional formatting characters; lines and tabs stay.

    What is shown then stands in the order it is stored in, and reaches a terminal as plain text.
    """
    return "".join(_clean_character(character) for character in text)


def number(value: float | None, digits: int = 2) -> str:
    """A score, or that there is none."""
    return NOT_COMPUTED if value is None else f"{value:.{digits}f}"


def change(before: float | None, after: float | None) -> str:
    """Signed difference of two scores, or that there is none."""
    if before is None or after is None:
        return NOT_COMPUTED
    return f"{round(after - before, 2) + 0.0:+.2f}"  # + 0.0 makes -0.0 positive


def setting(value: object) -> str:
    """A setting's value, short: `0.0003`, `6.2e-05`, `cosine`."""
    return f"{value:.3g}" if isinstance(value, float) else clean(str(value))


def duration(seconds: float) -> str:
    """Time as people say it: `0.4 s`, `37 s`, `4 min 05 s`, `2 h 03 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def probability(p_value: float | None) -> str:
    """`p = 0.032`, `p < 0.001`, or that there is none."""
    return NOT_COMPUTED if p_value is None else comparison.probability(p_value)


def verdict(significance: Significance | None) -> str:
    """Say which system is better, as far as the test sentences tell."""
    if significance is None:
        return NOT_COMPUTED
    chance = f"({probability(significance.p_value)}, paired bootstrap of BLEU)"
    if not significance.is_significant:
        return f"no significant difference {chance}"
    word = "worse" if significance.is_worse else "better"
    return f"significantly {word} than the base {chance}"


def chance_verdict(p_value: float | None, significance: Significance | None) -> str:
    """Whether the difference may be luck of the test sentences."""
    if p_value is None:
        return NOT_COMPUTED
    certain = p_value < 0.05 if significance is None else significance.is_significant
    if not certain:
        return "may be chance"
    return "very unlikely to be chance" if p_value < 0.01 else "unlikely to be chance"


def gain_verdict(before: float, after: float) -> str:
    """Which of the two is better by BLEU."""
    if round(after - before, 2) == 0:
        return "no change"
    return "better than the base" if after > before else "worse than the base"


def general_verdict(before: float | None, after: float | None) -> str:
    """Whether the text outside the domain is still translated as well as before."""
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
