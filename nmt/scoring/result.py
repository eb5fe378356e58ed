"""The scores of several test sets as one result, and the sentences that it shows."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from nmt.data.test_sets import TestSet
from nmt.runs.evaluation import (
    Cost,
    EvaluationResult,
    NotComputed,
    Sample,
    SystemInfo,
    TestSetInfo,
)
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.score import ScoredSet


def join_sets(
    systems: Mapping[str, SystemInfo],
    sets: Mapping[str, tuple[TestSetInfo, ScoredSet]],
    *,
    costs: Iterable[Cost] = (),
    samples: Iterable[Sample] = (),
    not_computed: Iterable[NotComputed] = (),
) -> EvaluationResult:
    """Join the rows of all test sets.

    Args:
        systems: every system by name, the baseline first.
        sets: test set -> what is known of it, and its scores.
        costs: what the translations took.
        samples: sentences to show.
        not_computed: reasons beside those of the test sets.
    """
    scored = [each for _, each in sets.values()]
    reasons = [*not_computed, *chain.from_iterable(each.not_computed for each in scored)]
    return EvaluationResult(
        systems=dict(systems),
        test_sets={name: info for name, (info, _) in sets.items()},
        scores=tuple(chain.from_iterable(each.scores for each in scored)),
        comparisons=tuple(chain.from_iterable(each.comparisons for each in scored)),
        not_computed=tuple(_merge_reasons(reasons, len(sets))),
        slices=tuple(chain.from_iterable(each.slices for each in scored)),
        flags=tuple(chain.from_iterable(each.flags for each in scored)),
        ngrams=tuple(chain.from_iterable(each.ngrams for each in scored)),
        costs=tuple(costs),
        confidences=tuple(chain.from_iterable(each.confidences for each in scored)),
        samples=tuple(samples),
    )


def take_samples(
    test_set: TestSet, outputs: Mapping[str, SystemOutput], count: int
) -> Iterator[Sample]:
    """Take evenly spaced sentences of a test set, with the translation of each system."""
    # Chosen by position alone, so that the choice favours no system.
    stride = max(1, len(test_set) // max(1, count))
    for index in range(0, len(test_set), stride)[:count]:
        yield Sample(
            test_set=test_set.name,
            source=test_set.sources[index],
            reference=test_set.references[0][index],
            hypotheses={name: output.hypotheses[index] for name, output in outputs.items()},
        )


def _merge_reasons(rows: Iterable[NotComputed], sets: int) -> Iterator[NotComputed]:
    """Merge the rows that give one reason for every test set into one without a test set."""
    same: dict[tuple[str, str, str | None], list[NotComputed]] = {}
    for row in rows:
        same.setdefault((row.metric, row.reason, row.system), []).append(row)
    for group in same.values():
        if sets > 1 and len({row.test_set for row in group} - {None}) == sets:
            yield group[0].model_copy(update={"test_set": None})
        else:
            yield from group
