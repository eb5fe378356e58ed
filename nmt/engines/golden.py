"""The golden sentence, which a loaded engine must translate as it did at export."""

import logging
from collections import Counter

from nmt.engines.card import Golden
from nmt.errors import TranslationError, shortened

log = logging.getLogger(__name__)

# Equality would be too strict: a CPU with other int8 instructions rounds differently, and may
# choose the other of two words with nearly equal scores. The answer of a wrong or damaged model
# shares almost nothing with the recorded one.
_MIN_SIMILARITY = 0.5


def check_golden(digest: str, golden: Golden, answer: str, *, is_complete: bool = True) -> None:
    """Compare an engine's greedy translation with the recorded one.

    Args:
        digest: of the engine.
        golden: what was recorded.
        answer: the translation.
        is_complete: whether the model ended it; if not, it is compared with the recorded start.

    Raises:
        TranslationError: the two are too different.
    """
    recorded = golden.target if is_complete else golden.target[: len(answer)]
    similarity = character_similarity(answer, recorded)
    if not answer or similarity < _MIN_SIMILARITY:
        source, found, expected = map(shortened, (golden.source, answer, recorded))
        raise TranslationError(
            f"engine {digest} translates its golden sentence {source!r} as {found!r} instead of "
            f"{expected!r}"
        )
    if answer != recorded:
        log.warning(
            "engine %s: golden translation has a similarity of %.0f %%", digest, 100 * similarity
        )


def character_similarity(text: str, other: str) -> float:
    """Calculate the F1 score of two texts' character bigrams, in 0-1."""
    # An edit distance would take quadratic time, and a damaged model's answer may be long.
    pairs = [Counter(zip(f" {t}", f"{t} ", strict=True)) for t in (text, other)]
    return 2 * (pairs[0] & pairs[1]).total() / (pairs[0].total() + pairs[1].total())
