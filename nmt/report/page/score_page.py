"""The page of an evaluation: one HTML file that loads nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nmt import __version__
from nmt.report import formatting
from nmt.report.highlight import DiffSpan, mark_differences
from nmt.report.page import findings, provenance, quality, tables
from nmt.report.page.environment import render
from nmt.report.page.outcome import choice, winners
from nmt.report.page.sentences import (
    StoredSentences,
    collect_sentences,
    first_samples,
    pack_sets,
    tag_of,
)
from nmt.report.scores import Results
from nmt.report.stored import StoredSet
from nmt.runs.evaluation import EvaluationResult, Sample

_SAMPLES = 12
"""Sentences that are visible where no script runs, if the evaluation names none."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sentence with the words that only one of two systems has right."""

    source: str
    reference: str
    translations: dict[str, tuple[DiffSpan, ...]]
    """System -> its translation."""
    tags: tuple[str, str]
    """BCP 47 tags of the source and of the target."""


def render_scores(result: EvaluationResult, stored: Iterable[StoredSet], title: str) -> str:
    """Render the page of an evaluation, as UTF-8 text.

    Args:
        result: what was measured.
        stored: the translations, of which the page holds every sentence.
        title: heading of the page.

    Raises:
        StorageError: two systems have different numbers of translations of a test set.
    """
    return render(
        "scores.html.j2",
        title=title,
        version=__version__,
        **evaluation_parts(result, stored),
    )


def evaluation_parts(
    result: EvaluationResult, stored: Iterable[StoredSet], sides: tuple[str, str] = ("", "")
) -> dict[str, object]:
    """Make what the templates of all pages show of an evaluation.

    Args:
        result: what was measured.
        stored: the translations.
        sides: FLORES-200 codes of source and target, for a test set that does not name its own.
    """
    results = Results(result)
    found = collect_sentences(stored)
    best = winners(results)
    return {
        "evaluation": result,
        "results": results,
        "winners": best,
        "choice": choice(best),
        "metrics": {name: formatting.metric_name(name) for name in tables.metric_order(results)},
        "has_unseen": any(row.part == "unseen" for row in result.scores),
        "score_tables": tables.score_tables(results),
        "score_charts": quality.score_charts(results),
        "verdict_tables": tables.verdict_tables(results),
        "set_table": tables.set_table(results),
        "slice_tables": findings.slice_tables(results),
        "flag_tables": findings.flag_tables(results),
        "ngram_lists": findings.ngram_lists(results),
        "confidence_table": findings.confidence_table(results),
        "confidence_charts": quality.confidence_charts(results),
        "ladder_tables": tables.ladder_tables(results),
        "cost_table": quality.cost_table(results),
        "cost_charts": quality.cost_charts(results),
        "system_styles": {
            name: quality.style_of(results.systems, name) for name in results.systems
        },
        "system_table": provenance.system_table(results),
        "signature_table": provenance.signature_table(results),
        "missing_table": provenance.missing_table(result),
        "sample_rows": _sample_rows(results, _samples(result, found), sides),
        "packed_sets": pack_sets(results, found),
    }


def _samples(result: EvaluationResult, found: Mapping[str, StoredSentences]) -> Sequence[Sample]:
    return result.samples or first_samples(found, _SAMPLES)


def _sample_rows(
    results: Results, samples: Iterable[Sample], sides: tuple[str, str]
) -> list[SampleRow]:
    """Mark in each sample the words in which the systems differ."""
    return [_sample_row(results, sample, sides) for sample in samples]


def _sample_row(results: Results, sample: Sample, sides: tuple[str, str]) -> SampleRow:
    # Invisible characters are removed first, because they would split words.
    reference = formatting.clean(sample.reference)
    cleaned = {name: formatting.clean(text) for name, text in sample.hypotheses.items()}
    info = results.evaluation.test_sets[sample.test_set]
    codes = (info.source_language or sides[0], info.target_language or sides[1])
    spans = mark_differences(reference, cleaned, results.baseline)
    return SampleRow(sample.source, reference, spans, (tag_of(codes[0]), tag_of(codes[1])))
