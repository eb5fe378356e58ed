"""The tokens that an engine for one language pair needs. Imports no torch."""

from collections.abc import Collection
from dataclasses import dataclass

import regex

from nmt.data.cleaning.characters.scripts import SHARED, script_properties
from nmt.export.byte_pairs import BytePairs

_WORD_START = "▁"
_COMMON = 32_768
"""First ids, which are common tokens: byte pairs are numbered in the order of their merges."""


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """The tokens of an engine for one language pair."""

    written: frozenset[str]
    """Those that a translation may have."""
    known: frozenset[str]
    """Those that the engine knows: also those of a source, closed under merges."""


def choose_tokens(
    pairs: BytePairs,
    seen_sources: Collection[str],
    seen_targets: Collection[str],
    source_language: str,
    target_language: str,
    *,
    common: int = _COMMON,
) -> KeptTokens:
    """Choose the tokens that texts of a language pair need.

    Args:
        pairs: the tokenizer.
        seen_sources: the tokens of the corpus' source side.
        seen_targets: those of its target side.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
        common: below this id, all tokens of the source's script are kept.
    """
    tokens = pairs.ids.keys()
    # Shared characters are digits, punctuation, symbols and the mark of a word's start.
    target = _of_script(target_language)
    source = _of_script(source_language)
    # Names and units keep their letters in any language.
    letter = regex.compile(rf"{_WORD_START}?[\x21-\x7e]|\p{{Script=Latn}}")
    written = {token for token in tokens if target.fullmatch(token) or letter.fullmatch(token)}
    written |= pairs.specials.union(seen_targets)
    # Every single character, so that a rare word falls to pieces and never becomes unknown. Also
    # the source language's frequent words: a corpus of one domain lacks many of them.
    read = {
        token
        for token, number in pairs.ids.items()
        if len(token) == 1 or (number < common and source.fullmatch(token))
    }
    known = pairs.close(written | read | set(seen_sources))
    return KeptTokens(frozenset(written), frozenset(known))


def _of_script(language: str) -> "regex.Pattern[str]":
    """Match tokens of a language's script and of characters that all scripts share."""
    return regex.compile(rf"[{script_properties(language)}{SHARED}]+", regex.V1)
