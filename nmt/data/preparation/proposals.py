"""What a preparation would drop, and which limits the data itself suggests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nmt.data.cleaning import fit_ratios
from nmt.data.overlap import duplicates, excess_targets
from nmt.data.preparation.collected import Collected
from nmt.data.preparation.reports import InputReport
from nmt.data.preparation.staging import StagedBlock, read_block

_DEVIATIONS = (2.5, 3.0, 3.5, 4.0, 5.0)
_TARGETS = (1, 2, 3, 5, 10)
_QUANTILES = (0.05, 0.1, 0.25, 0.5)


@dataclass(frozen=True)
class Proposal:
    """What some limits of a setting would drop from one input."""

    input: str
    setting: str
    about: str
    """What the data is like."""
    dropped: Mapping[float, float]
    """Limit -> share of the pairs that it would drop."""


def propose(collected: Collected, staged: Sequence[StagedBlock]) -> list[Proposal]:
    """Compute what nearby limits would drop from each corpus.

    Args:
        collected: the pairs before they are compared with each other.
        staged: the blocks as they were read, with the scores.
    """
    return [
        proposal
        for number, part in enumerate(collected.parts)
        if part.role == "corpus" and not part.generated
        for proposal in (
            *_by_score(collected, staged, number),
            *_by_ratio(collected, number),
            *_by_targets(collected, number),
        )
    ]


def lines_of(reports: Mapping[str, InputReport], proposals: Sequence[Proposal]) -> Iterator[str]:
    """Write what a preparation would drop, in plain lines."""
    for name, report in reports.items():
        yield f"{name}: {report.read} pairs read, {report.kept} kept"
        if report.bad_rows:
            yield f"  {'damaged rows':<20} {report.bad_rows:>9}"
        for kind, found in (("", report.dropped), ("flag ", report.flagged)):
            for rule, pairs in sorted(found.items(), key=lambda item: -item[1].count):
                share = pairs.count / max(report.read, 1)
                yield f"  {kind + rule:<20} {pairs.count:>9} {share:>8.2%}"
        for proposal in proposals:
            if proposal.input == name:
                yield f"  {proposal.setting}: {proposal.about}; would drop"
                shares = (f"{limit:g}: {share:.2%}" for limit, share in proposal.dropped.items())
                yield f"    {', '.join(shares)}"


def _by_score(
    collected: Collected, staged: Sequence[StagedBlock], number: int
) -> Iterator[Proposal]:
    blocks = [block for block in staged if block.part == number]
    scores = np.concatenate(
        [read_block(pa.OSFile(str(block.path)))["score"].to_numpy() for block in blocks]
    )
    scores = scores[~np.isnan(scores)]
    if not len(scores):
        return
    name = collected.parts[number].name
    limits = {float(f"{limit:.4g}") for limit in np.quantile(scores, _QUANTILES)}
    dropped = {limit: float((scores < limit).mean()) for limit in sorted(limits)}
    about = f"scores from {scores.min():.4g} to {scores.max():.4g}, median {np.median(scores):.4g}"
    yield Proposal(name, f"data.corpora.{name}.min_score", about, dropped)


def _by_ratio(collected: Collected, number: int) -> Iterator[Proposal]:
    rows = np.flatnonzero(collected.main.of_part(number))
    if not len(rows):
        return
    features = collected.main.features.take(rows)
    fit = fit_ratios(features)
    distances = np.abs(fit.deviations(features))
    about = (
        f"a target has {np.exp(fit.median):.2f} times the length of its source; one deviation is "
        f"a factor of {np.exp(fit.deviation):.2f}"
    )
    dropped = {limit: float((distances > limit).mean()) for limit in _DEVIATIONS}
    setting = _setting(collected, number, "max_ratio_deviation")
    yield Proposal(collected.parts[number].name, setting, about, dropped)


def _by_targets(collected: Collected, number: int) -> Iterator[Proposal]:
    rows = np.flatnonzero(collected.main.of_part(number))
    keys = collected.main.keys.take(rows)
    keys.keep(~duplicates(keys))
    if not len(keys):
        return
    dropped = {float(limit): float(excess_targets(keys, limit).mean()) for limit in _TARGETS}
    repeated = len(keys) - len(np.unique(keys.source))
    about = f"{repeated} pairs have the source of another one"
    setting = _setting(collected, number, "max_targets_per_source")
    yield Proposal(collected.parts[number].name, setting, about, dropped)


def _setting(collected: Collected, number: int, key: str) -> str:
    part = collected.parts[number]
    return f"data.corpora.{part.name}.cleaning.{key}" if part.named else f"data.cleaning.{key}"
