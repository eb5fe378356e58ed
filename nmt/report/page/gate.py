"""The decision of the gate as the page of a run shows it."""

from dataclasses import dataclass

from nmt.report.gate import answer_line, people_line, set_line
from nmt.runs.gate import GateResult, GateRule

_STYLES = {"accept": "up", "passed": "up", "reject": "down", "failed": "down"}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule of the gate as the table shows it."""

    rule: GateRule
    style: str
    """Class of the style sheet for its outcome."""


@dataclass(frozen=True, slots=True)
class GateView:
    """The section of the gate."""

    verdict: str
    style: str
    """Class of the style sheet for the verdict."""
    answer: str
    reason: str
    rows: tuple[RuleRow, ...]
    sets: tuple[str, ...]
    """A sentence about each test set."""
    remarks: tuple[str, ...]


def gate_view(result: GateResult | None) -> GateView | None:
    """Return what the page shows of a decision; None where the gate has not judged the engine."""
    if result is None:
        return None
    said = [people_line(result.people)] if result.people else []
    return GateView(
        verdict=result.verdict,
        style=_style(result.verdict),
        answer=answer_line(result),
        reason=result.reason,
        rows=tuple(RuleRow(rule, _style(rule.outcome)) for rule in result.rules),
        sets=tuple(set_line(result, each) for each in result.sets),
        remarks=(*result.remarks, *said),
    )


def _style(outcome: str) -> str:
    return _STYLES.get(outcome, "")
