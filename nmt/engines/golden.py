"""The sentence that every engine must translate as it did when it was exported."""

import logging
from collections import Counter

from nmt.engines.card import Golden
from nmt.errors import TranslationError, shortened

log = logging.getLogger(__name__)

# A CPU with other int8 instructions rounds otherwise, and a near tie between two words falls the
# other way. A wrong or damaged model shares next to nothing with the recorded answer.
_LEAST_SIMILARITY = 0.5


def check_golden(digest: str, golden: Golden, answer: str) -> None:
    """Compare an engine's greedy answer with the recorded one.

    Raises:
        TranslationError: they have little in common.
    """
    likeness = likeness_of(answer, golden.target)
    if not answer or likeness < _LEAST_SIMILARITY:
        source, found, expected = map(shortened, (golden.source, answer, golden.target))
        raise TranslationError(
            f"engine {digest} answers its golden sentence {source!r} with {found!r} instead of "
            f"{expected!r}"
        )
    if answer != golden.target:
        log.warning("engine %s: golden answer is %.0f %% alike", digest, 100 * likeness)


def likeness_of(text: str, other: str) -> float:
    """F1 over neighbouring characters, in 0-1; its time grows with the lengths alone."""
    pairs = [Counter(zip(f" {t}", f"{t} ", strict=True)) for t in (text, other)]
    return 2 * (pairs[0] & pairs[1]).total() / (pairs[0].total() + pairs[1].total())
