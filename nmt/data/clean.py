"""Filters for pairs, with counts and examples of the dropped ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import regex

from nmt.config import CleaningConfig, DataConfig
from nmt.data.markup import has_markup, strip_markup
from nmt.data.scripts import has_third_script, script_share
from nmt.errors import shortened
from nmt.text.normalise import normalise
from nmt.text.pair import Pair

EXAMPLES = 3
EXAMPLE_CHARACTERS = 120
# Traces of a text that was decoded with the wrong encoding or written in a private font.
_BROKEN = regex.compile(r"[\uFFFD\p{Co}]")
_IDEOGRAMS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")


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
        """List the reasons with their counts, the most frequent first: `12 html, 3 duplicate`."""
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
    """Strip markup, drop pairs that fail a filter, and keep the first of duplicates."""
    cleaned = Cleaned()
    seen: set[Pair] = set()
    for raw in pairs:
        cleaned.read += 1
        pair = _without_markup(raw)
        reason = reason_to_drop(pair, data) or ("duplicate" if pair in seen else None)
        if reason:
            cleaned.drop(reason, raw)  # the examples show what is in the file
            continue
        seen.add(pair)
        cleaned.kept.append(pair)
    return cleaned


def reason_to_drop(pair: Pair, data: DataConfig) -> str | None:
    """Return the first rule that a pair breaks, or None."""
    if not pair.source or not pair.target:
        return "empty"
    if _BROKEN.search(pair.source) or _BROKEN.search(pair.target):
        return "broken_characters"
    if has_markup(pair.source) or has_markup(pair.target):
        return "html"
    if pair.source == pair.target:
        return "identical"
    # The script is checked last, since that takes the most time.
    return _length_reason(pair, data.cleaning) or _script_reason(pair, data)


def _length_reason(pair: Pair, rules: CleaningConfig) -> str | None:
    source, target = (_count_letters(text) for text in (pair.source, pair.target))
    if min(source, target) < rules.min_characters:
        return "too_short"
    if max(len(pair.source.split()), len(pair.target.split())) > rules.max_words:
        return "too_long"
    if not rules.min_length_ratio <= target / source <= rules.max_length_ratio:
        return "length_ratio"
    return None


def _count_letters(text: str) -> int:
    # An ideogram counts as three letters, since it is a syllable or a word.
    return len(text) + 2 * len(_IDEOGRAMS.findall(text))


def _script_reason(pair: Pair, data: DataConfig) -> str | None:
    sides = ((pair.source, data.source_language), (pair.target, data.target_language))
    for text, language in sides:
        share = script_share(text, language)
        # A side without letters, such as a number, has no share and passes.
        if share is not None and share < data.cleaning.min_script_share:
            return "wrong_script"
        if has_third_script(text, data.source_language, data.target_language):
            return "wrong_script"
    return None


def _without_markup(pair: Pair) -> Pair:
    source, target = strip_markup(pair.source), strip_markup(pair.target)
    # Most pairs have no markup: normalising them again would only cost time.
    if source == pair.source and target == pair.target:
        return pair
    return Pair(normalise(source), normalise(target))


def _shorten(pair: Pair) -> dict[str, str]:
    return {
        "source": shortened(pair.source, EXAMPLE_CHARACTERS),
        "target": shortened(pair.target, EXAMPLE_CHARACTERS),
    }
