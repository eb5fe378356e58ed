"""What a study has found, as lines for a terminal."""

from collections.abc import Iterator, Sequence

from nmt.cli.table import table
from nmt.ratings.batches import Key
from nmt.ratings.checks import missing_rows
from nmt.ratings.decision import Decision, decide
from nmt.ratings.design import Design
from nmt.ratings.given import Rating
from nmt.ratings.statistics.agreement import (
    agreement_of_raters,
    agreement_with_oneself,
    summarize_raters,
)
from nmt.ratings.statistics.correlation import correlate_metrics
from nmt.ratings.statistics.post_editing import measure_post_edits
from nmt.ratings.statistics.ranking import rank_systems
from nmt.runs.evaluation import Interval

_UNKNOWN = "-"


def report_lines(design: Design, ratings: Sequence[Rating], keys: Sequence[Key]) -> list[str]:
    """Write the state, the raters, the ranking and the decision of a study."""
    lines = [_headline(design), *_batches(design, ratings, keys)]
    if not ratings:
        return lines
    if design.how.one_system:
        return [*lines, "", *_post_edits(design, ratings)]
    lines += ["", *_raters(design, ratings), *_agreement(design, ratings)]
    lines += ["", *_ranking(design, ratings), *_correlations(design, ratings)]
    return [*lines, "", *_decision(design, ratings, keys)]


def _headline(design: Design) -> str:
    return (
        f"study '{design.study}' of run '{design.run}': {design.how.about}; "
        f"{', '.join(design.systems)} on '{design.test_set}', whose translations differ in "
        f"{len(design.segments):,} of {design.sentences:,} sentences"
    )


def _batches(design: Design, ratings: Sequence[Rating], keys: Sequence[Key]) -> Iterator[str]:
    if not keys:
        yield "no sheet has been written yet: give `nmt ratings sheet`"
    for key in keys:
        missing = missing_rows(ratings, key)
        rest = ", ".join(f"{count} of rater '{rater}'" for rater, count in missing.items())
        state = f"{rest} are missing" if rest else "complete"
        yield f"batch {key.batch}: {len(key.rows)} rows, {state}"


def _raters(design: Design, ratings: Sequence[Rating]) -> Iterator[str]:
    summaries = summarize_raters(ratings, design)
    is_score = design.protocol != "pairwise"
    heads = ("rater", "rows", "mean", "deviation", "degraded seen", "repeats differ by")
    yield table(
        heads,
        [
            (
                each.rater,
                str(each.rows),
                f"{each.mean:.1f}" if is_score else _UNKNOWN,
                f"{each.deviation:.1f}" if is_score else _UNKNOWN,
                f"{each.controls_passed} of {each.controls}",
                _number(each.repeat_difference, 1) if is_score else _UNKNOWN,
            )
            for each in summaries
        ],
    )
    yield from (each.warning for each in summaries if each.warning)


def _agreement(design: Design, ratings: Sequence[Rating]) -> Iterator[str]:
    between = agreement_of_raters(ratings, design)
    within = agreement_with_oneself(ratings, design)
    for field, value in between.items():
        yield (
            f"Krippendorff's alpha of '{field}' ({design.how.level}): {_number(value)} between "
            f"raters, {_number(within[field])} with themselves"
        )


def _ranking(design: Design, ratings: Sequence[Rating]) -> Iterator[str]:
    is_rank = design.protocol == "pairwise"
    heads = ("rank", "system", "sentences", "standard score", "mean rank" if is_rank else "mean",
             "expected wins", "Bradley-Terry")  # fmt: skip
    rows: list[tuple[str, ...]] = []
    for each in rank_systems(ratings, design):
        mean, (low, high) = each.mean, each.mean_interval
        if is_rank:
            mean, low, high = -mean / 100, -high / 100, -low / 100
        rows.append(
            (
                str(each.cluster),
                each.system,
                str(each.sentences),
                _interval(each.standard, each.standard_interval),
                _interval(mean, (low, high)),
                _number(each.expected_wins),
                _number(each.strength),
            )
        )
    yield table(heads, rows)
    yield "Systems of the same rank cannot be told apart. Intervals: 95 %, resampled sentences."


def _correlations(design: Design, ratings: Sequence[Rating]) -> Iterator[str]:
    found = correlate_metrics(ratings, design)
    if not found:
        return
    yield ""
    heads = ("metric", "correlated", "number", "Pearson", "Kendall")
    yield table(
        heads,
        [
            (each.metric, each.what, str(each.count), _number(each.pearson), _number(each.kendall))
            for each in found
        ],
    )


def _post_edits(design: Design, ratings: Sequence[Rating]) -> Iterator[str]:
    found = measure_post_edits(ratings, design)
    yield table(
        ("system", "sentences", "unchanged", "HTER", "seconds per source word"),
        [
            (
                each.system,
                str(each.sentences),
                str(each.unchanged),
                _interval(each.hter, each.hter_interval, 1),
                _interval(each.seconds_per_word, each.seconds_interval),
            )
            for each in found
        ],
    )
    yield f"Intervals: 95 %, resampled sentences. HTER: {found[0].signature}" if found else ""


def _decision(design: Design, ratings: Sequence[Rating], keys: Sequence[Key]) -> Iterator[str]:
    if design.gain is None:
        yield "no decision: it needs two systems and a protocol with scores or ranks"
        return
    yield from decision_lines(design, decide(ratings, design, keys))


def decision_lines(design: Design, decision: Decision) -> Iterator[str]:
    """Write a decision, and what is needed to go on."""
    baseline, candidate = design.systems
    yield (
        f"{candidate} against {baseline}: {decision.answer}, after look {decision.looks} of "
        f"{design.looks}: {decision.reason}"
    )
    if decision.next_batch is not None:
        controls = f" and {decision.missing_controls} repeats and degraded rows"
        yield (
            f"needed: ratings of {decision.missing} sentences"
            f"{controls if decision.missing_controls else ''} of batch {decision.next_batch}; "
            f"`nmt ratings sheet run={design.run} --name {design.study} --output DIR` writes its "
            "sheets"
        )


def _interval(value: float, interval: Interval, digits: int = 2) -> str:
    low, high = interval
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _number(value: float | None, digits: int = 2) -> str:
    return _UNKNOWN if value is None else f"{value:.{digits}f}"
