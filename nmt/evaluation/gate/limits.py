"""The gate's limits that need no statistics: faults, leaks, time and size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.config import GateConfig
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.gate import GateRule


@dataclass(frozen=True, slots=True)
class Pair:
    """Names of the systems that a gate compares."""

    engine: str
    baseline: str


def limit_rules(
    result: EvaluationResult, settings: GateConfig, pair: Pair, sets: Sequence[str]
) -> Iterator[GateRule]:
    """Check each limit; none of them can raise the share of wrongly accepted engines."""
    for name in sets:
        yield _fault_rule(result, pair.engine, name, "off_target", settings.max_off_target)
        yield _fault_rule(result, pair.engine, name, "empty", settings.max_empty)
        yield from _overlap_rule(result, name, settings.max_overlap)
    if settings.max_slowdown is not None:
        yield _time_rule(result, pair, settings.max_slowdown)
    if settings.max_growth is not None:
        yield _size_rule(result, pair, settings.max_growth)


def _fault_rule(
    result: EvaluationResult, engine: str, test_set: str, flag: str, limit: float
) -> GateRule:
    name = {"off_target": "off-target", "empty": "empty"}[flag]
    rows = [
        row
        for row in result.flags
        if (row.system, row.test_set, row.flag) == (engine, test_set, flag)
    ]
    if not rows or not rows[0].of:
        # Such as a language that the identifier does not know.
        return GateRule(
            name=name, test_set=test_set, outcome="passed", limit=limit, text="could not be judged"
        )
    share = rows[0].count / rows[0].of
    return GateRule(
        name=name,
        test_set=test_set,
        outcome="passed" if share <= limit else "failed",
        figure=share,
        limit=limit,
        text=f"{share:.1%} of the translations, at most {limit:.1%} is allowed",
    )


def _overlap_rule(result: EvaluationResult, test_set: str, limit: float) -> Iterator[GateRule]:
    info = result.test_sets[test_set]
    if info.overlap is None:
        return
    share = info.overlap / info.sentences
    text = f"{share:.1%} of the sentences are like a training pair, at most {limit:.1%} is allowed"
    if share > limit:
        text += f": name evaluation.sets.{test_set} before `nmt prepare`, which drops such pairs"
    yield GateRule(
        name="leak",
        test_set=test_set,
        # Not the engine's fault, but nothing can be decided on such a set.
        outcome="passed" if share <= limit else "open",
        figure=share,
        limit=limit,
        text=text,
    )


def _time_rule(result: EvaluationResult, pair: Pair, limit: float) -> GateRule:
    """Compare the time for a character of source over all sets that both have translated."""
    seconds = {pair.engine: 0.0, pair.baseline: 0.0}
    rows = {(row.system, row.test_set): row.seconds for row in result.costs}
    for test_set in result.test_sets:
        if (pair.engine, test_set) in rows and (pair.baseline, test_set) in rows:
            for system in seconds:
                seconds[system] += rows[system, test_set]
    devices = {result.systems[system].device for system in seconds}
    if not all(seconds.values()):
        text = "the time of one of them is missing or 0"
        return GateRule(name="time", outcome="open", limit=limit, text=text)
    if len(devices) > 1:
        named = " and ".join(sorted(device or "an unknown device" for device in devices))
        return GateRule(
            name="time", outcome="open", limit=limit,
            text=f"the times cannot be compared: they were taken on {named}",
        )  # fmt: skip
    ratio = seconds[pair.engine] / seconds[pair.baseline]
    return GateRule(
        name="time",
        outcome="passed" if ratio <= limit else "failed",
        figure=ratio,
        limit=limit,
        text=f"{ratio:.2f} times that of the baseline, at most {limit:.2f} is allowed",
    )


def _size_rule(result: EvaluationResult, pair: Pair, limit: float) -> GateRule:
    engine, baseline = (result.systems[each].size_bytes for each in (pair.engine, pair.baseline))
    if not engine or not baseline:
        text = "the size of one of the systems is not known"
        return GateRule(name="size", outcome="open", limit=limit, text=text)
    ratio = engine / baseline
    return GateRule(
        name="size",
        outcome="passed" if ratio <= limit else "failed",
        figure=ratio,
        limit=limit,
        text=f"{ratio:.2f} times that of the baseline, at most {limit:.2f} is allowed",
    )
