"""The rules for single pairs, applied to a block of them at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nmt.config import CleaningConfig
from nmt.data.cleaning.code_points import Kind, kinds
from nmt.data.cleaning.features import Features
from nmt.data.cleaning.markup import has_markup, strip_markup
from nmt.data.cleaning.normalised import normalise_all
from nmt.data.cleaning.scripts import has_third_script
from nmt.data.cleaning.text_block import Mask, Side
from nmt.text.normalise import normalise

# The arrays of so many pairs fit into a processor's cache.
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Drop:
    """A pair that a rule dropped."""

    row: int
    """Index of the pair in its block."""
    rule: str
    value: float | str | None
    """What the rule compared with its limit."""


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


Values = Sequence[float | str | None] | NDArray[np.float32] | NDArray[np.int32]


@dataclass(slots=True, eq=False)
class Pairs:
    """A part of a block while the rules look at it."""

    sources: list[str]
    targets: list[str]
    source_language: str
    target_language: str
    rules: CleaningConfig
    source: Side = field(init=False)
    target: Side = field(init=False)
    left: Mask = field(init=False)
    """The pairs that no rule has dropped so far."""
    source_lengths: NDArray[np.int32] = field(init=False)
    target_lengths: NDArray[np.int32] = field(init=False)
    drops: list[Drop] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Look up the characters of both sides."""
        table = kinds(self.source_language, self.target_language)
        self.source, self.target = Side(self.sources, table), Side(self.targets, table)
        self.left = np.ones(len(self.sources), bool)
        self.source_lengths = _weighted_lengths(self.source)
        self.target_lengths = _weighted_lengths(self.target)

    def drop(self, rule: str, broken: Mask, values: Values | None = None) -> None:
        """Drop the pairs that break a rule, unless an earlier rule did."""
        shown = values.tolist() if isinstance(values, np.ndarray) else values
        for row in np.flatnonzero(broken & self.left).tolist():
            self.drops.append(Drop(row, rule, shown[row] if shown else None))
        self.left &= ~broken

    def sides(self) -> Iterator[tuple[Side, str]]:
        """Yield the two sides with their languages."""
        yield self.source, self.source_language
        yield self.target, self.target_language

    def either(self, test: Callable[[Side], Mask]) -> Mask:
        """Tell of each pair whether a test is true of one of its sides."""
        return test(self.source) | test(self.target)


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
        rows = slice(start, start + _CHUNK)
        pairs = Pairs(
            _without_markup(normalise_all(sources[rows])),
            _without_markup(normalise_all(targets[rows])),
            source_language,
            target_language,
            rules,
        )
        _apply(pairs)
        parts.append(_cleaned(pairs, start))
    return CleanedBlock(
        [text for part in parts for text in part.sources],
        [text for part in parts for text in part.targets],
        np.concatenate([part.rows for part in parts]) if parts else np.empty(0, np.int32),
        Features.concatenated([part.features for part in parts]),
        [drop for part in parts for drop in part.drops],
    )


def _without_markup(texts: list[str]) -> list[str]:
    for row, text in enumerate(texts):
        # The test is fast, and most texts have neither.
        if "<" in text or "&" in text:
            stripped = strip_markup(text)
            if stripped != text:
                texts[row] = normalise(stripped)
    return texts


def _apply(pairs: Pairs) -> None:
    """Apply the rules; of several that a pair breaks, the first one counts."""
    pairs.drop("empty", pairs.either(lambda side: side.lengths == 0))
    pairs.drop("broken_characters", pairs.either(lambda side: side.count_kind(Kind.BROKEN) > 0))
    pairs.drop("html", pairs.either(_has_markup))
    same = np.fromiter(map(str.__eq__, pairs.sources, pairs.targets), bool, len(pairs.sources))
    pairs.drop("identical", same)
    _drop_by_length(pairs)
    _drop_by_script(pairs)


def _has_markup(side: Side) -> Mask:
    suspects = side.count_kind(Kind.MARKUP) > 0
    for row in np.flatnonzero(suspects).tolist():
        suspects[row] = has_markup(side.texts[row])
    return suspects


def _weighted_lengths(side: Side) -> NDArray[np.int32]:
    """Count the characters of each text, as long as a letter of an alphabet is on average."""
    # An ideogram is a syllable or a word, and a Korean letter a syllable.
    return side.lengths + 2 * side.count_kind(Kind.IDEOGRAM) + side.count_kind(Kind.HANGUL)


def _drop_by_length(pairs: Pairs) -> None:
    shortest = np.minimum(pairs.source_lengths, pairs.target_lengths)
    pairs.drop("too_short", shortest < pairs.rules.min_characters, shortest)
    # A normalised text has one space between two words.
    words = [side.count_kind(Kind.SPACE) for side in (pairs.source, pairs.target)]
    longest = np.maximum(*words)
    pairs.drop("too_long", longest > pairs.rules.max_words, longest)


def _drop_by_script(pairs: Pairs) -> None:
    for side, own in ((pairs.source, Kind.SOURCE_LETTER), (pairs.target, Kind.TARGET_LETTER)):
        ideograms = side.has(Kind.IDEOGRAM)
        # As in lengths: otherwise the letters of one foreign name outweigh a Chinese sentence.
        letters = side.count_kind(Kind.LETTER) + 2 * side.count(ideograms & side.has(Kind.LETTER))
        in_script = side.count_kind(own) + 2 * side.count(ideograms & side.has(own))
        # A side without letters, such as a number, has no share and passes.
        share = in_script / np.maximum(letters, 1)
        wrong = (letters > 0) & (share < pairs.rules.min_script_share)
        pairs.drop("wrong_script", wrong, share.astype(np.float32))
    for side in (pairs.source, pairs.target):
        third = side.count_kind(Kind.THIRD_LETTER) > 0
        for row in np.flatnonzero(third & pairs.left).tolist():
            third[row] = has_third_script(
                side.texts[row], pairs.source_language, pairs.target_language
            )
        pairs.drop("wrong_script", third)


def _cleaned(pairs: Pairs, start: int) -> CleanedBlock:
    rows = np.flatnonzero(pairs.left)
    source, target = pairs.source_lengths[rows], pairs.target_lengths[rows]
    features = Features(
        np.log(target / source).astype(np.float32),
        source + target,
        np.zeros(len(rows), np.uint8),
    )
    drops = sorted(pairs.drops, key=lambda drop: drop.row)
    return CleanedBlock(
        [pairs.sources[row] for row in rows.tolist()],
        [pairs.targets[row] for row in rows.tolist()],
        (rows + start).astype(np.int32),
        features,
        [Drop(drop.row + start, drop.rule, drop.value) for drop in drops],
    )
