"""The decision of a gate as lines for a terminal."""

from collections.abc import Iterator

from nmt.runs.evaluation import METRIC_NAMES
from nmt.runs.gate import GateResult

_ANSWERS = {
    "accept": "ACCEPT: the engine may replace {baseline}",
    "reject": "REJECT: the engine must not replace {baseline}",
    "undecided": "UNDECIDED: these test sets cannot tell whether the engine may replace {baseline}",
}


def gate_lines(result: GateResult) -> Iterator[str]:
    """List the sets, the rules with their figures, and the answer."""
    metric = METRIC_NAMES[result.metric]
    for each in result.sets:
        predicted = each.predicted_detectable
        known = "" if predicted is None else f", predicted {predicted:.2f}"
        yield (
            f"{each.name}: {each.sentences:,} sentences, difference {each.difference:+.2f} "
            f"{metric}, detectable {each.detectable:.2f}{known}"
        )
    for rule in result.rules:
        yield f"{rule.outcome:>7}  {rule.describe()}"
    yield from result.remarks
    if result.people:
        yield f"people, by {result.people.ratings} sentences: {result.people.reason}"
    baseline = f"engine {result.baseline}" if result.baseline else "the base"
    yield _ANSWERS[result.verdict].format(baseline=baseline)
