"""All sentences of an evaluation, packed into the page for the script to open."""

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nmt.errors import StorageError
from nmt.languages import languages
from nmt.report import formatting
from nmt.report.page.outcome import label_of
from nmt.report.ranking import rank
from nmt.report.scores import Results
from nmt.report.stored import StoredSet
from nmt.runs.evaluation import BASE_SYSTEM, FLAGS, LOWER_IS_BETTER, Sample
from nmt.scoring.stored import HypothesisRow

MAX_SENTENCES = 20_000
"""Sentences of a test set that the page holds; a browser keeps all of an opened set in memory."""
_METRICS = {"chrf++": 1, "chrf": 1, "bleu": 1, "comet": 4, "metricx": 2}
"""Metric by which sentences can be sorted -> decimals that are kept."""


@dataclass(frozen=True, slots=True)
class PackedSet:
    """The sentences of one test set as compressed text."""

    test_set: str
    label: str
    sentences: int
    """Number of sentences that are packed."""
    total: int
    blob: str
    """Base64 of gzip of JSON."""


@dataclass(slots=True)
class _Columns:
    """What is kept of one system's rows."""

    # The rows themselves take several times the memory: there may be 80,000 of them.
    hypotheses: list[str] = field(default_factory=list[str])
    scores: dict[str, list[float | None]] = field(default_factory=dict[str, list[float | None]])
    confidences: list[float | None] = field(default_factory=list[float | None])
    usable: list[float | None] = field(default_factory=list[float | None])
    flags: list[list[int]] = field(default_factory=list[list[int]])


@dataclass(slots=True)
class StoredSentences:
    """The sentences of a test set and what each system made of them."""

    sources: list[str]
    references: list[list[str]]
    domains: list[str | None]
    overlaps: list[bool | None]
    total: int
    systems: dict[str, _Columns] = field(default_factory=dict[str, _Columns])


def collect_sentences(stored: Iterable[StoredSet]) -> dict[str, StoredSentences]:
    """Read the stored translations of all systems, by test set.

    Raises:
        StorageError: two systems have different numbers of translations of a test set.
    """
    found: dict[str, StoredSentences] = {}
    for each in stored:
        _collect(found, each)
    return found


def pack_sets(results: Results, found: Mapping[str, StoredSentences]) -> list[PackedSet]:
    """Pack the sentences of each test set that the evaluation names."""
    order = [name for name in results.evaluation.test_sets if name in found]
    return [_pack(results, name, found[name]) for name in order]


def first_samples(found: Mapping[str, StoredSentences], count: int) -> list[Sample]:
    """Take the first sentences of the first test set."""
    for test_set, sentences in found.items():
        return [
            Sample(
                test_set=test_set,
                source=sentences.sources[index],
                reference=sentences.references[index][0],
                hypotheses={
                    name: each.hypotheses[index] for name, each in sentences.systems.items()
                },
            )
            for index in range(min(count, len(sentences.sources)))
        ]
    return []


def _collect(found: dict[str, StoredSentences], stored: StoredSet) -> None:
    rows = list(stored.rows)
    known = found.get(stored.test_set)
    if known is None:
        kept = rows[:MAX_SENTENCES]
        known = found[stored.test_set] = StoredSentences(
            [formatting.clean(row.source) for row in kept],
            [[formatting.clean(text) for text in row.references] for row in kept],
            [row.domain and formatting.clean(row.domain) for row in kept],
            [row.overlaps for row in kept],
            len(rows),
        )
    if known.total != len(rows):
        others = ", ".join(known.systems)
        raise StorageError(
            f"test set {stored.test_set}: {len(rows):,} translations by {stored.system}, and "
            f"{known.total:,} by {others}: score the set again"
        )
    known.systems[stored.system] = _columns(rows[:MAX_SENTENCES])


def _columns(rows: Iterable[HypothesisRow]) -> _Columns:
    rows = list(rows)
    numbers = {flag: index for index, flag in enumerate(FLAGS)}
    return _Columns(
        [formatting.clean(row.hypothesis) for row in rows],
        {
            metric: [_rounded(row.scores.get(metric), digits) for row in rows]
            for metric, digits in _METRICS.items()
            if any(metric in row.scores for row in rows)
        },
        [_rounded(row.confidence, 3) for row in rows],
        [_rounded(row.usable, 2) for row in rows],
        [[numbers[flag] for flag in row.flags if flag in numbers] for row in rows],
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _pack(results: Results, test_set: str, found: StoredSentences) -> PackedSet:
    systems = [name for name in results.systems if name in found.systems]
    info = results.evaluation.test_sets[test_set]
    columns = [found.systems[name] for name in systems]
    content = {
        # The translations of one sentence are beside each other, since they are alike: gzip finds
        # repetitions within 32 KB only, and so needs a third less than for whole columns.
        "sentences": [
            [source, references, *hypotheses]
            for source, references, *hypotheses in zip(
                found.sources, found.references, *(each.hypotheses for each in columns), strict=True
            )
        ],
        "domains": found.domains if any(found.domains) else None,
        "overlaps": found.overlaps if any(found.overlaps) else None,
        "systems": [
            {
                "name": name,
                "scores": each.scores,
                "confidences": each.confidences if _any(each.confidences) else None,
                "usable": each.usable if _any(each.usable) else None,
                "flags": each.flags,
            }
            for name, each in zip(systems, columns, strict=True)
        ],
        "metrics": {metric: formatting.metric_name(metric) for metric in _sorting(columns)},
        "lower": sorted(LOWER_IS_BETTER),
        "chosen": _chosen(results, test_set, systems),
        "flags": list(FLAGS.values()),
        "languages": [tag_of(info.source_language), tag_of(info.target_language)],
    }
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Without a time, equal sentences make an equal page. Level 9 takes three times as long as 7,
    # and saves 2 %.
    blob = base64.b64encode(gzip.compress(written.encode(), 7, mtime=0)).decode()
    return PackedSet(test_set, label_of(test_set), len(found.sources), found.total, blob)


def _sorting(columns: Iterable[_Columns]) -> list[str]:
    """List the metrics by which the sentences can be sorted."""
    scored = {metric for each in columns for metric in each.scores}
    # chrF and chrF++ differ little for a sentence, so one of them is enough.
    left_out = {"chrf"} if "chrf++" in scored else set[str]()
    return [name for name in _METRICS if name in scored - left_out]


def _chosen(results: Results, test_set: str, systems: Sequence[str]) -> list[int]:
    """Choose the two systems that the page compares first: the best, and the base or the next."""
    metric = results.deciding_metric(test_set)
    ranked = [row.system for row in rank(results, test_set, metric)] if metric else []
    order = [name for name in dict.fromkeys([*ranked, *systems]) if name in systems]
    best = order[0]
    # A training is judged against its base; among other systems, the close ones are to be read.
    other = BASE_SYSTEM if BASE_SYSTEM in systems and best != BASE_SYSTEM else order[:2][-1]
    return [systems.index(best), systems.index(other)]


def _any(values: Iterable[float | None]) -> bool:
    return any(value is not None for value in values)


def tag_of(code: str) -> str:
    """Return the BCP 47 tag of a FLORES-200 code; `und` for another one."""
    language = languages().get(code)
    return f"{language.iso}-{language.script}" if language else "und"
