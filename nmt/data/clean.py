"""Filters for pairs, with counts and examples of the dropped ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nmt.config import DataConfig
from nmt.data.cleaning import clean_block, fit_ratios, fitted_drops
from nmt.errors import shortened
from nmt.text.pair import Pair

EXAMPLES = 3
EXAMPLE_CHARACTERS = 120


@dataclass
class Drops:
    """The pairs that were dropped for one reason."""

    count: int = 0
    examples: list[Pair] = field(default_factory=list)

    def add(self, pair: Pair) -> None:
        """Count a pair, and keep the first ones as examples."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(pair)


@dataclass
class Cleaned:
    """The kept and the dropped pairs of one input."""

    read: int = 0
    kept: list[Pair] = field(default_factory=list)
    dropped: dict[str, Drops] = field(default_factory=dict)

    def drop(self, reason: str, pair: Pair) -> None:
        """Count a dropped pair."""
        self.dropped.setdefault(reason, Drops()).add(pair)

    def reasons(self) -> str:
        """List the reasons with their counts, the most frequent first: `12 markup, 3 duplicate`."""
        ranked = sorted(self.dropped.items(), key=lambda item: -item[1].count)
        return ", ".join(f"{drops.count} {reason}" for reason, drops in ranked) or "none"

    def report(self) -> dict[str, Any]:
        """Return the counts and shortened examples as plain values."""
        dropped = {
            reason: {"count": drops.count, "examples": [_shorten(pair) for pair in drops.examples]}
            for reason, drops in self.dropped.items()
        }
        return {"read": self.read, "kept": len(self.kept), "dropped": dropped}


def clean(pairs: Iterable[Pair], data: DataConfig) -> Cleaned:
    """Strip markup, drop pairs that break a rule, and keep the first of duplicates."""
    raw = list(pairs)
    block = clean_block(
        [pair.source for pair in raw], [pair.target for pair in raw],
        data.cleaning, data.source_language, data.target_language,
    )  # fmt: skip
    fitted = fitted_drops(block.features, fit_ratios(block.features), data.cleaning)
    reasons = {drop.row: drop.rule for drop in block.drops}
    kept = iter(zip(map(Pair, block.sources, block.targets), fitted.codes.tolist(), strict=True))
    cleaned = Cleaned(read=len(raw))
    seen: set[Pair] = set()
    for row, pair in enumerate(raw):
        reason = reasons.get(row)
        if reason is None:
            clean_pair, code = next(kept)
            reason = fitted.names[code] or ("duplicate" if clean_pair in seen else None)
            if reason is None:
                seen.add(clean_pair)
                cleaned.kept.append(clean_pair)
                continue
        cleaned.drop(reason, pair)  # the examples show what is in the file
    return cleaned


def _shorten(pair: Pair) -> dict[str, str]:
    return {
        "source": shortened(pair.source, EXAMPLE_CHARACTERS),
        "target": shortened(pair.target, EXAMPLE_CHARACTERS),
    }
