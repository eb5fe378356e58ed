"""A block of pairs while the rules look at it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nmt.config import CleaningConfig
from nmt.data.cleaning.characters.code_points import Kind, kinds
from nmt.data.cleaning.characters.text_block import Counts, Mask, Side
from nmt.data.cleaning.detection.words import Words, words_of

Values = Sequence[float | str | None] | NDArray[np.float32] | NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Drop:
    """A pair that a rule dropped."""

    row: int
    """Index of the pair in its block."""
    rule: str
    value: float | str | None
    """What the rule compared with its limit, or what it found."""


@dataclass(slots=True, eq=False)
class Pairs:
    """Pairs, normalised and without markup, and which of them the rules have dropped so far."""

    raw_sources: Sequence[str]
    """The sources as in the file."""
    raw_targets: Sequence[str]
    sources: list[str]
    targets: list[str]
    source_language: str
    """FLORES-200 code."""
    target_language: str
    rules: CleaningConfig
    source: Side = field(init=False)
    target: Side = field(init=False)
    left: Mask = field(init=False)
    """The pairs that no rule has dropped."""
    drops: list[Drop] = field(default_factory=list)
    _words: dict[int, Words] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look up the characters of both sides."""
        table = kinds(self.source_language, self.target_language)
        self.source, self.target = Side(self.sources, table), Side(self.targets, table)
        self.left = np.ones(len(self.sources), bool)

    def drop(self, rule: str, broken: Mask, values: Values | None = None) -> None:
        """Drop the pairs that break a rule, unless an earlier rule did."""
        shown = values.tolist() if isinstance(values, np.ndarray) else values
        for row in np.flatnonzero(broken & self.left).tolist():
            self.drops.append(Drop(row, rule, shown[row] if shown else None))
        self.left &= ~broken

    def drop_found(
        self, rule: str, suspects: Mask, find: Callable[[int], float | str | None]
    ) -> None:
        """Drop those of the suspected pairs in which a slow look finds something."""
        for row in np.flatnonzero(suspects & self.left).tolist():
            value = find(row)
            if value is not None:
                self.drops.append(Drop(row, rule, value))
                self.left[row] = False

    def drop_texts(
        self, rule: str, side: Side, suspects: Mask, find: Callable[[str], float | str | None]
    ) -> None:
        """Drop the pairs of which a slow look finds something in the suspected text of a side."""
        self.drop_found(rule, suspects, lambda row: find(side.texts[row]))

    @property
    def both(self) -> tuple[Side, Side]:
        """Return the source and the target."""
        return self.source, self.target

    def words(self, side: Side) -> Words:
        """Return the words of a side, which are hashed only once."""
        if id(side) not in self._words:
            self._words[id(side)] = words_of(side)
        return self._words[id(side)]

    def sides(self) -> Iterator[tuple[Side, str]]:
        """Yield the two sides with their languages."""
        yield self.source, self.source_language
        yield self.target, self.target_language

    @property
    def changed(self) -> Mask:
        """Tell of each pair whether normalising or stripping changed it."""
        # A text without changes is the same object, so that no characters are compared.
        return np.fromiter(
            (
                source is not raw_source or target is not raw_target
                for source, raw_source, target, raw_target in zip(
                    self.sources, self.raw_sources, self.targets, self.raw_targets, strict=True
                )
            ),
            bool,
            len(self.sources),
        )

    def either(self, test: Callable[[Side], Mask]) -> Mask:
        """Tell of each pair whether a test is true of one of its sides."""
        return test(self.source) | test(self.target)


def weighted_lengths(side: Side) -> Counts:
    """Count the characters of each text, as long as a letter of an alphabet is on average."""
    # An ideogram is a syllable or a word, and a Korean letter a syllable.
    return side.lengths + 2 * side.count_kind(Kind.IDEOGRAM) + side.count_kind(Kind.HANGUL)
