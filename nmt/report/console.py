"""The outcome of a run as lines for a terminal."""

from collections.abc import Mapping

from nmt.report import formatting
from nmt.report.scores import (
    comparisons_on,
    headings,
    metrics_disagree,
    other_systems,
    score_rows,
    value_of,
)
from nmt.runs.evaluation import BASE_SYSTEM, GENERAL_SET, EvaluationResult
from nmt.runs.results import DataSummary, Summary

_MAX_RULES = 3
_MAX_NOTES = 4
"""With these, the outcome of two systems on one test set fits on a screen of 24 lines."""


def console_lines(summary: Summary) -> list[str]:
    """Write the outcome of a run in plain lines."""
    endpoint = summary.endpoint
    answer = f"{endpoint.source} -> {endpoint.target}" if endpoint.checked else "not checked"
    lines = [
        f"run {summary.run}: {summary.model.name}, licence {summary.model.license}",
        f"data        {_data(summary.data)}",
        *score_lines(summary.evaluation),
        *_general_lines(summary.evaluation),
        *_search_lines(summary),
        f"seconds     {_listed({k: formatting.number(v, 1) for k, v in summary.seconds.items()})}",
        f"endpoint    {answer}",
        *(f"note        {note}" for note in summary.notes[:_MAX_NOTES]),
    ]
    if metrics_disagree(summary.evaluation):
        lines.append("warning     BLEU and chrF++ disagree on which system is better")
    # Texts of the user must neither break the table nor send commands to the terminal.
    return [" ".join(formatting.clean(line).splitlines()) for line in lines]


def score_lines(evaluation: EvaluationResult) -> list[str]:
    """Write a table of scores and the verdicts for each test set but the general one."""
    # The general set shows forgetting, on which one line says enough.
    test_sets = [name for name in evaluation.test_sets if name != GENERAL_SET]
    return [line for name in test_sets for line in _test_set_lines(evaluation, name)]


def _data(data: DataSummary) -> str:
    """Count the training pairs, and what the most frequent rules left out."""
    rules = sorted(data.dropped.items(), key=lambda item: -item[1])
    shown = [f"{count:,} {rule}" for rule, count in rules[:_MAX_RULES]]
    others = sum(count for _, count in rules[_MAX_RULES:])
    shown += [f"{others:,} by other rules"] if others else []
    return f"{data.sizes.get('train', 0):,} training pairs; left out: {', '.join(shown) or 'none'}"


def _test_set_lines(evaluation: EvaluationResult, test_set: str) -> list[str]:
    lines = [_table_line(test_set, headings(evaluation))]
    for row in score_rows(evaluation, test_set):
        hint = "   lower is better" if row.lower_is_better else ""
        lines.append(_table_line(row.name, row.cells()) + hint)
    comparisons = comparisons_on(evaluation, test_set)
    # With two systems it is plain which one is meant.
    named = len(evaluation.systems) > 2
    for row in comparisons:
        lines.append(f"verdict     {f'{row.system}: ' if named else ''}{formatting.verdict(row)}")
    return lines if comparisons else [*lines, f"verdict     {formatting.NOT_COMPUTED}"]


def _table_line(heading: str, cells: list[str]) -> str:
    return f"{heading:<11} {' '.join(f'{cell:>8}' for cell in cells)}"


def _general_lines(evaluation: EvaluationResult) -> list[str]:
    before = value_of(evaluation, BASE_SYSTEM, GENERAL_SET)
    if before is None:
        return [f"general     {formatting.NOT_COMPUTED}"]
    lines: list[str] = []
    named = len(evaluation.systems) > 2
    for system in other_systems(evaluation):
        after = value_of(evaluation, system, GENERAL_SET)
        scores = f"{before:.2f} -> {formatting.number(after)} BLEU"
        verdict = formatting.general_verdict(before, after)
        lines.append(
            f"general     {f'{system}: ' if named else ''}{scores} "
            f"({formatting.change(before, after)}): {verdict}"
        )
    return lines


def _search_lines(summary: Summary) -> list[str]:
    if not summary.trials:
        return ["search      none"]
    states = [trial.state for trial in summary.trials]
    counts = {state: str(states.count(state)) for state in dict.fromkeys(states)}
    settings = {key: formatting.setting(value) for key, value in summary.best_config.items()}
    return [
        f"search      {len(states)} trials: {_listed(counts)}",
        f"settings    {_listed(settings)}",
    ]


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or formatting.NOT_COMPUTED
