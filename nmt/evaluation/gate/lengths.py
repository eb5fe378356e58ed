"""How long the translations of a system usually are, which a rollout compares with."""

import math
from collections.abc import Iterable
from statistics import median

from nmt.runs.gate import LengthRatio
from nmt.text.normalise import normalise


def measure_lengths(pairs: Iterable[tuple[str, str]]) -> LengthRatio | None:
    """Measure the ratios of lengths of sources and translations.

    Args:
        pairs: sources with their translations; empty ones are left out.

    Returns:
        None if more than half of the ratios are equal, or there are none: then nothing is unusual.
    """
    lengths = [(len(normalise(source)), len(normalise(output))) for source, output in pairs]
    ratios = [math.log(after / before) for before, after in lengths if before and after]
    if not ratios:
        return None
    middle = median(ratios)
    deviation = median(abs(each - middle) for each in ratios)
    return LengthRatio(median=middle, deviation=deviation) if deviation > 0 else None
