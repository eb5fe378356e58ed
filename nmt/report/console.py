"""The outcome of a run, and of an evaluation, as lines for a terminal."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from nmt.report import formatting
from nmt.report.ladder import LEGEND, ladder_lines, ladders
from nmt.report.ranking import Ranked, detectable_range, disagreements, rank
from nmt.report.scores import Difference, Results
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    GENERAL_SET,
    LOWER_IS_BETTER,
    METRIC_NAMES,
    EvaluationResult,
)
from nmt.runs.results import DataSummary, Summary
from nmt.runs.tuning import describe_differences

_MAX_RULES = 3
_MAX_NOTES = 4
"""With these, the outcome of two systems on one test set fits on a screen of 24 lines."""
_MAX_FLAGS = 6
_MAX_DISAGREEMENTS = 3
_MAX_VERDICTS = 2
"""Systems that have a line each against the baseline; more of them share lines."""
_SHOWN = ("bleu", "chrf", "chrf++", "ter", "ter-char", "comet", "metricx")
"""Metrics that fit beside each other on a line; the report has all of them."""
_MARKS = {"best": "*", "tied": "~", "behind": " ", "untested": " "}
_FAULTS = {
    "truncated": "cut short",
    "off_target": "in another language",
    "foreign_script": "with foreign script",
    "numbers": "without a number",
    "urls": "without a web address",
    "names": "without a name",
    "placeholders": "without a placeholder",
}
"""Flag -> how a count of it is written; the others are written as they are called."""
_INDENT = 11
"""Columns before the text of a line."""


def console_lines(summary: Summary) -> list[str]:
    """Write the outcome of a run in plain lines."""
    endpoint = summary.endpoint
    answer = f"{endpoint.source} -> {endpoint.target}" if endpoint.checked else "not checked"
    lines = [
        f"run {summary.run}: {summary.model.name}, licence {summary.model.license}",
        _line("data", _data(summary.data)),
        *score_lines(summary.evaluation),
        *_search_lines(summary),
        _line("seconds", _listed({k: formatting.number(v, 1) for k, v in summary.seconds.items()})),
        _line("endpoint", answer),
        *(_line("note", note) for note in summary.notes[:_MAX_NOTES]),
    ]
    return [_one_line(line) for line in lines]


def score_lines(evaluation: EvaluationResult) -> list[str]:
    """Write the scores of each test set in a table, with verdicts, faults and what is missing."""
    results = Results(evaluation)
    lines = [line for name in results.main_sets for line in _set_lines(results, name)]
    for ladder in ladders(results):
        lines += [_line("ladder", f"quality and cost on {ladder.test_set}"), *ladder_lines(ladder)]
        lines.append(_line("", LEGEND))
    lines += [line for name in results.forgetting_sets for line in _forgetting(results, name)]
    if GENERAL_SET not in evaluation.test_sets and BASE_SYSTEM in evaluation.systems:
        lines.append(_line(GENERAL_SET, formatting.NOT_COMPUTED))
    for reason, metrics in formatting.missing_by_reason(evaluation).items():
        lines.append(_line("not computed", f"{', '.join(metrics)}: {reason}"))
    return [_one_line(line) for line in lines]


def _set_lines(results: Results, test_set: str) -> Iterator[str]:
    info = results.evaluation.test_sets[test_set]
    yield _line(test_set, formatting.describe_set(info))
    metric = results.deciding_metric(test_set)
    if metric is None:
        yield _line("verdict", formatting.NOT_COMPUTED)
        return
    ranked = rank(results, test_set, metric)
    yield from _table(results, test_set, [row.system for row in ranked])
    yield from _unseen(results, test_set, metric)
    yield from _verdicts(results, test_set, ranked)
    yield from _flags(results, test_set)


def _table(results: Results, test_set: str, systems: list[str]) -> Iterator[str]:
    """Write a row for each system, with half the width of each 95 % interval."""
    metrics = [metric for metric in results.metrics([test_set]) if metric in _SHOWN]
    columns: list[list[str]] = []
    for metric in metrics:
        rows = {row.system: row for row in rank(results, test_set, metric)}
        cells = [_cell(rows.get(system)) for system in systems]
        heading = formatting.metric_name(metric)
        width = max(len(text) for text in [heading, *cells])
        columns.append([f"{text:<{width}}" for text in [heading, *cells]])
    width = max(_INDENT, *map(len, systems))
    for name, *cells in zip(["", *systems], *columns, strict=True):
        yield f"{name:<{width}} {'  '.join(cells)}".rstrip()
    notes = ["* best", "~ not significantly different from the best", "± half a 95 % interval"]
    shown = "".join(cell for column in columns for cell in column[1:])
    legend = [note for note in notes if note[0] in shown]
    lower = [formatting.metric_name(metric) for metric in metrics if metric in LOWER_IS_BETTER]
    legend += [f"{', '.join(lower)}: lower is better"] if lower else []
    yield _line("", "; ".join(legend))


def _cell(row: Ranked | None) -> str:
    if row is None:
        return "-"
    interval = row.score.interval
    metric = row.score.metric
    half = f" ±{formatting.score((interval[1] - interval[0]) / 2, metric)}" if interval else ""
    return f"{formatting.score(row.score.value, metric)}{_MARKS[row.place]}{half}"


def _unseen(results: Results, test_set: str, metric: str) -> Iterator[str]:
    scores = [results.score(name, test_set, metric, "unseen") for name in results.systems]
    values = [
        f"{score.system} {formatting.score(score.value, metric)}" for score in scores if score
    ]
    if values:
        count = results.evaluation.test_sets[test_set].overlap or 0
        name = formatting.metric_name(metric)
        text = f"{name} without the {count:,} sentences that are like a training pair: "
        yield _line("unseen", text + ", ".join(values))


def _verdicts(results: Results, test_set: str, ranked: list[Ranked]) -> Iterator[str]:
    """Compare each system with the next in rank, and with the baseline."""
    names = [row.system for row in ranked]
    neighbours = [
        # A reader expects to hear of a system against the base, and not the other way round.
        (worse, better) if better == results.baseline else (better, worse)
        for better, worse in pairwise(names)
    ]
    others = [(name, results.baseline) for name in names]
    others = [pair for pair in others if pair not in neighbours]
    beside = _tested(results, test_set, neighbours)
    differences = [*beside, *_tested(results, test_set, others)]
    if not differences:
        yield _line("verdict", formatting.NOT_COMPUTED)
        return
    if len(differences) - len(beside) <= _MAX_VERDICTS:
        verdicts = [formatting.verdict(difference) for difference in differences]
    else:
        verdicts = [formatting.verdict(difference) for difference in beside]
        verdicts += formatting.joint_verdicts(differences[len(beside) :])
    yield from (_line("verdict", verdict) for verdict in verdicts)
    for row in disagreements(results, test_set)[:_MAX_DISAGREEMENTS]:
        yield _line("warning", formatting.disagreement(row))
    metric = differences[0].metric
    found = detectable_range(results, test_set, metric)
    if found:
        yield _line("detectable", formatting.detectable(found, metric))


def _tested(results: Results, test_set: str, pairs: Iterable[tuple[str, str]]) -> list[Difference]:
    tested = (results.tested_difference(*pair, test_set) for pair in pairs)
    return [difference for difference in tested if difference]


def _flags(results: Results, test_set: str) -> Iterator[str]:
    for system in results.systems_on(test_set):
        found = [
            row
            for row in results.evaluation.flags
            if (row.test_set, row.system) == (test_set, system) and row.count
        ]
        found.sort(key=lambda row: -row.count)
        shown = [f"{row.count:,} {_FAULTS.get(row.flag, row.flag)}" for row in found[:_MAX_FLAGS]]
        more = sum(row.count for row in found[_MAX_FLAGS:])
        shown += [f"{more:,} with other faults"] if more else []
        if shown:
            yield _line("faults", f"{system}: {', '.join(shown)}")


def _forgetting(results: Results, test_set: str) -> Iterator[str]:
    before = results.value(results.baseline, test_set)
    if before is None:
        yield _line(test_set, formatting.NOT_COMPUTED)
        return
    named = len(results.systems) > 2
    for system in results.systems[1:]:
        after = results.value(system, test_set)
        if after is None:  # the lines of what was not computed say why
            continue
        scores = f"{before:.2f} -> {after:.2f} BLEU"
        verdict = formatting.general_verdict(before, after)
        change = formatting.change(before, after)
        text = f"{f'{system}: ' if named else ''}{scores} ({change}): {verdict}"
        yield _line(test_set, text)


def _search_lines(summary: Summary) -> list[str]:
    if not summary.trials:
        return [_line("search", "none")]
    states = [trial.state for trial in summary.trials]
    counts = {state: str(states.count(state)) for state in dict.fromkeys(states)}
    settings = {key: formatting.setting(value) for key, value in summary.best_config.items()}
    return [
        _line("search", f"{len(states)} trials: {_listed(counts)}"),
        *_method_lines(summary),
        *(
            _line("", sentence)
            for sentence in describe_differences(summary.against_second, summary.between_methods)
        ),
        _line("settings", _listed(settings)),
    ]


def _method_lines(summary: Summary) -> list[str]:
    """Name the best score of each method where several were compared."""
    if len(summary.methods) < 2:
        return []
    name = METRIC_NAMES[summary.validation_metric]
    scores = (
        "no score" if found.score is None else f"{name} {found.score:.2f}"
        for found in summary.methods
    )
    return [
        _line("", f"{found.method}: {score} ({found.trials} trials, {found.seconds:.0f} s)")
        for found, score in zip(summary.methods, scores, strict=True)
    ]


def _data(data: DataSummary) -> str:
    """Count the training pairs, and what the most frequent rules left out."""
    rules = sorted(data.dropped.items(), key=lambda item: -item[1])
    shown = [f"{count:,} {rule}" for rule, count in rules[:_MAX_RULES]]
    others = sum(count for _, count in rules[_MAX_RULES:])
    shown += [f"{others:,} by other rules"] if others else []
    return f"{data.sizes.get('train', 0):,} training pairs; left out: {', '.join(shown) or 'none'}"


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or formatting.NOT_COMPUTED


def _line(name: str, text: str) -> str:
    return f"{name:<{_INDENT}} {text}"


def _one_line(text: str) -> str:
    """Join the lines of a text, and leave out control characters."""
    # Texts of the user must neither break the table nor send commands to the terminal.
    return " ".join(formatting.clean(text).splitlines())
