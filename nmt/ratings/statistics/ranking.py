"""The order of systems by their ratings, with intervals, and which of them cannot be told apart.

Sources: clusters and expected wins as in Bojar et al. 2014, https://aclanthology.org/W14-3302;
Bradley and Terry 1952; its fit by Hunter 2004, MM algorithms for generalized Bradley-Terry models.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.ratings.design import Design
from nmt.ratings.given import Rating
from nmt.ratings.statistics.agreement import standardize
from nmt.runs.evaluation import Interval
from nmt.scoring.significance.resampling import interval_of, resample

SAMPLES = 1000
_MAX_ITERATIONS = 10_000
_TOLERANCE = 1e-10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RankedSystem:
    """A system in the order of the ratings."""

    system: str
    cluster: int
    """1 for the best; systems of one cluster cannot be told apart."""
    sentences: int
    mean: float
    """In points."""
    mean_interval: Interval
    """95 %, from resampled sentences."""
    standard: float
    """Mean standard score: each rater has mean 0 and deviation 1."""
    standard_interval: Interval
    expected_wins: float | None
    """Mean share of wins against each other system, without ties; None if all are ties."""
    strength: float | None
    """Logarithm of the strength of Bradley and Terry, with mean 0; None if it has no limit."""


def rank_systems(ratings: Iterable[Rating], design: Design) -> list[RankedSystem]:
    """Order the systems by their mean standard score, over the sentences that were rated.

    Returns:
        The best first; empty if there is no rating.
    """
    rows = [rating for rating in ratings if rating.kind == "rating"]
    if not rows:
        return []
    scores = standardize(rows, design)
    segments = sorted({segment for segment, _ in scores})
    standard = np.array(
        [[scores[segment, system] for system in design.systems] for segment in segments]
    )
    points = _mean_points(rows, design, segments)
    count = len(design.systems)
    drawn = resample(np.hstack([standard, points]), SAMPLES, design.seed) / len(segments)
    wins = count_wins(rows, design)
    expected, strengths = expected_wins(wins), bradley_terry(wins)
    order = sorted(range(count), key=lambda place: -standard[:, place].mean())
    clusters = find_clusters(drawn[:, order])
    return [
        RankedSystem(
            system=design.systems[place],
            cluster=cluster,
            sentences=len(segments),
            mean=float(points[:, place].mean()),
            mean_interval=interval_of(drawn[:, count + place]),
            standard=float(standard[:, place].mean()),
            standard_interval=interval_of(drawn[:, place]),
            expected_wins=expected[place],
            strength=None if strengths is None else float(strengths[place]),
        )
        for place, cluster in zip(order, clusters, strict=True)
    ]


def _mean_points(rows: Sequence[Rating], design: Design, segments: Sequence[int]) -> Floats:
    """Return the points of each segment and system, as the mean over raters."""
    found: dict[int, list[list[float]]] = {segment: [] for segment in segments}
    for rating in rows:
        values = [design.how.points(rating.values[system]) for system in design.systems]
        found[rating.segment].append(values)
    return np.array([np.mean(found[segment], axis=0) for segment in segments])


def find_clusters(resampled: Floats) -> list[int]:
    """Number the clusters of systems: a new one begins where all above are better than all below.

    Args:
        resampled: `(samples, systems)`, mean scores of resampled sentences, the best system first.

    Returns:
        For each system the number of its cluster, from 1.
    """
    count = resampled.shape[1]
    better = np.zeros((count, count), dtype=bool)
    for above, below in itertools.combinations(range(count), 2):
        low, _ = interval_of(resampled[:, above] - resampled[:, below])
        better[above, below] = low > 0
    clusters, number = [1], 1
    for place in range(1, count):
        number += bool(better[:place, place:].all())
        clusters.append(number)
    return clusters


def count_wins(rows: Iterable[Rating], design: Design) -> Floats:
    """Count how often each system got more than each other one, `(winner, loser)`."""
    count = len(design.systems)
    wins = np.zeros((count, count))
    for rating in rows:
        points = [design.how.points(rating.values[system]) for system in design.systems]
        for one, other in itertools.permutations(range(count), 2):
            wins[one, other] += points[one] > points[other]
    return wins


def expected_wins(wins: Floats) -> list[float | None]:
    """Compute the mean share of wins of each system against the others, without ties."""
    found: list[float | None] = []
    for place in range(len(wins)):
        shares = [
            wins[place, other] / (wins[place, other] + wins[other, place])
            for other in range(len(wins))
            if other != place and wins[place, other] + wins[other, place]
        ]
        found.append(float(np.mean(shares)) if shares else None)
    return found


def bradley_terry(wins: Floats) -> Floats | None:
    """Fit the strengths from which the chances of wins follow: `1 / (1 + exp(theirs - own))`.

    Args:
        wins: `(winner, loser)`, without ties.

    Returns:
        Logarithms with mean 0. None if they have no limit: some systems never lose to others.
    """
    count = len(wins)
    reached = wins > 0
    for middle in range(count):
        reached |= reached[:, [middle]] & reached[[middle], :]
    if not (reached | np.eye(count, dtype=bool)).all():
        return None
    games = wins + wins.T
    strengths = np.ones(count)
    for _ in range(_MAX_ITERATIONS):
        chances = games / (strengths[:, None] + strengths[None, :])
        updated = wins.sum(axis=1) / chances.sum(axis=1)
        updated /= np.exp(np.log(updated).mean())
        change = np.abs(updated - strengths).max()
        strengths = updated
        if change < _TOLERANCE:
            break
    return np.log(strengths)
