"""What corrections tell: how much of a translation had to be changed, and how long that took.

Source: HTER, Snover et al. 2006, https://aclanthology.org/2006.amta-papers.25
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from nmt.languages import languages
from nmt.metrics.segment_statistics import SegmentStatistics
from nmt.metrics.ter import character_ter_statistics, ter_statistics
from nmt.ratings.design import Design
from nmt.ratings.given import Rating
from nmt.runs.evaluation import Interval
from nmt.scoring.significance.resampling import interval_of, resample

SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class PostEditing:
    """What the corrections of one system's translations tell."""

    system: str
    sentences: int
    unchanged: int
    """Translations that nothing had to be changed in."""
    hter: float
    """Edits for each 100 words of the correction; of characters in scripts without spaces."""
    hter_interval: Interval
    """95 %, from resampled sentences."""
    seconds_per_word: float
    """Time for each word of the source."""
    seconds_interval: Interval
    signature: str
    """Of the edit rate."""


def measure_post_edits(ratings: Iterable[Rating], design: Design) -> list[PostEditing]:
    """Measure the corrections of each system; of systems without any there is no row."""
    rows = list(ratings)
    found: list[PostEditing] = []
    for place, system in enumerate(design.systems):
        own = [rating for rating in rows if system in rating.texts]
        if own:
            found.append(_measure(system, place, own, design))
    return found


def _measure(system: str, place: int, own: list[Rating], design: Design) -> PostEditing:
    shown = [design.segments[rating.segment].translations[place] for rating in own]
    edited = [rating.texts[system] for rating in own]
    edits = _count_edits(shown, edited, design.target_language)
    seconds = [60 * rating.values[system]["minutes"] for rating in own]
    words = [max(1, len(design.segments[rating.segment].source.split())) for rating in own]
    counts = np.column_stack([edits.counts, seconds, words]).astype(np.float64)
    drawn = resample(counts, SAMPLES, design.seed)
    sums = counts.sum(axis=0)
    return PostEditing(
        system=system,
        sentences=len(own),
        unchanged=sum(
            one.split() == other.split() for one, other in zip(shown, edited, strict=True)
        ),
        hter=100 * float(sums[0] / sums[1]),
        hter_interval=interval_of(100 * drawn[:, 0] / drawn[:, 1]),
        seconds_per_word=float(sums[2] / sums[3]),
        seconds_interval=interval_of(drawn[:, 2] / drawn[:, 3]),
        signature=edits.signature,
    )


def _count_edits(shown: list[str], edited: list[str], language: str) -> SegmentStatistics:
    if languages()[language].is_unsegmented:
        return character_ter_statistics(shown, [edited])
    return ter_statistics(shown, [edited])
