"""The rules for single pairs, applied to a block of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.config import CleaningConfig
from nmt.data.cleaning.character_rules import (
    drop_damaged,
    drop_other_language,
    drop_wrong_script,
)
from nmt.data.cleaning.characters.normalised import normalise_all
from nmt.data.cleaning.detection.markup import strip_markup
from nmt.data.cleaning.features import Features
from nmt.data.cleaning.pairs import Drop, Pairs, weighted_lengths
from nmt.data.cleaning.word_rules import (
    drop_by_length,
    drop_by_words,
    drop_copies,
    drop_untranslated,
    flags_of,
)
from nmt.text.normalise import normalise

# The arrays of so many pairs fit into a processor's cache.
_CHUNK = 500


@dataclass(frozen=True, slots=True, eq=False)
class CleanedBlock:
    """The pairs of a block that passed, normalised and without markup, and the others."""

    sources: list[str]
    targets: list[str]
    rows: NDArray[np.int32]
    """Index of each kept pair in the block."""
    features: Features
    drops: list[Drop]
    """In the order of the block."""


def clean_block(
    sources: Sequence[str],
    targets: Sequence[str],
    rules: CleaningConfig,
    source_language: str,
    target_language: str,
) -> CleanedBlock:
    """Normalise pairs, strip their markup, and drop those that break a rule.

    Args:
        sources: as in the file, in any form of Unicode.
        targets: the translations, as many.
        rules: the limits.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
    """
    parts: list[CleanedBlock] = []
    for start in range(0, len(sources), _CHUNK):
        raw_sources, raw_targets = (side[start : start + _CHUNK] for side in (sources, targets))
        pairs = Pairs(
            raw_sources,
            raw_targets,
            plain_texts(raw_sources),
            plain_texts(raw_targets),
            source_language,
            target_language,
            rules,
        )
        parts.append(_cleaned(pairs, start))
    return CleanedBlock(
        [text for part in parts for text in part.sources],
        [text for part in parts for text in part.targets],
        np.concatenate([part.rows for part in parts]) if parts else np.empty(0, np.int32),
        Features.concatenated([part.features for part in parts]),
        [drop for part in parts for drop in part.drops],
    )


def plain_texts(raw: Sequence[str]) -> list[str]:
    """Normalise texts, and strip their markup."""
    texts = normalise_all(raw)
    for row, text in enumerate(texts):
        # The test is fast, and most texts have neither.
        if "<" in text or "&" in text:
            stripped = strip_markup(text)
            if stripped != text:
                texts[row] = normalise(stripped)
    return texts


def _cleaned(pairs: Pairs, start: int) -> CleanedBlock:
    """Apply the rules; of several that a pair breaks, the first one counts."""
    pairs.drop("empty", pairs.either(lambda side: side.lengths == 0))
    drop_damaged(pairs)
    drop_copies(pairs)
    drop_by_length(pairs)
    drop_wrong_script(pairs)
    drop_untranslated(pairs)
    drop_by_words(pairs)
    # The slowest rule comes last, when fewer pairs are left.
    drop_other_language(pairs)
    flags = flags_of(pairs)
    rows = np.flatnonzero(pairs.left)
    source, target = weighted_lengths(pairs.source)[rows], weighted_lengths(pairs.target)[rows]
    drops = sorted(pairs.drops, key=lambda drop: drop.row)
    return CleanedBlock(
        [pairs.sources[row] for row in rows.tolist()],
        [pairs.targets[row] for row in rows.tolist()],
        (rows + start).astype(np.int32),
        Features(np.log(target / source).astype(np.float32), source + target, flags[rows]),
        [Drop(drop.row + start, drop.rule, drop.value) for drop in drops],
    )
