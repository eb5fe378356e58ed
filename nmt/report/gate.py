"""The decision of a gate as lines for a terminal."""

from collections.abc import Iterator

from nmt.runs.evaluation import METRIC_NAMES
from nmt.runs.gate import GateResult, GateSet, PeopleAnswer

_ANSWERS = {
    "accept": "ACCEPT: the engine may replace {baseline}",
    "reject": "REJECT: the engine must not replace {baseline}",
    "undecided": "UNDECIDED: these test sets cannot tell whether the engine may replace {baseline}",
}


def gate_lines(result: GateResult) -> Iterator[str]:
    """List the sets, the rules with their figures, and the answer."""
    yield from (set_line(result, each) for each in result.sets)
    for rule in result.rules:
        yield f"{rule.outcome:>7}  {rule.describe()}"
    yield from result.remarks
    if result.people:
        yield people_line(result.people)
    yield answer_line(result)


def set_line(result: GateResult, found: GateSet) -> str:
    """Describe how the engines compare on a test set."""
    predicted = found.predicted_detectable
    known = "" if predicted is None else f", predicted {predicted:.2f}"
    return (
        f"{found.name}: {found.sentences:,} sentences, difference {found.difference:+.2f} "
        f"{METRIC_NAMES[result.metric]}, detectable {found.detectable:.2f}{known}"
    )


def people_line(people: PeopleAnswer) -> str:
    """Say what people have answered so far, and which of them may not have read."""
    return "; ".join([f"people, by {people.ratings} sentences: {people.reason}", *people.warnings])


def answer_line(result: GateResult) -> str:
    """Write the answer with what the engine was compared with."""
    baseline = f"engine {result.baseline}" if result.baseline else "the base"
    return _ANSWERS[result.verdict].format(baseline=baseline)
