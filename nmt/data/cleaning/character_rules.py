"""Rules about characters: damaged text, markup, scripts and languages."""

import numpy as np
import regex

from nmt.data.cleaning.code_points import Kind
from nmt.data.cleaning.language import MIN_LETTERS, language_check
from nmt.data.cleaning.markup import find_markup
from nmt.data.cleaning.mojibake import find_mojibake
from nmt.data.cleaning.pairs import Pairs
from nmt.data.cleaning.scripts import has_third_script, script_properties
from nmt.data.cleaning.text_block import Mask, Side
from nmt.data.cleaning.untranslated import (
    MIN_FOREIGN_SHARE,
    foreign_share,
    untranslated_share,
)
from nmt.languages import script_of

_MAX_UNTRANSLATED = 0.25


def drop_damaged(pairs: Pairs) -> None:
    """Drop text that was decoded wrongly, and text with markup."""
    pairs.drop("broken_characters", pairs.either(lambda side: side.count_kind(Kind.BROKEN) > 0))
    if pairs.rules.drop_mojibake:
        suspects = pairs.either(_may_be_mojibake)
        pairs.drop_found("mojibake", suspects, lambda row: _mojibake_in(pairs, row))
    if pairs.rules.drop_markup:
        suspects = pairs.either(lambda side: side.count_kind(Kind.MARKUP) > 0)
        pairs.drop_found(
            "markup",
            suspects,
            lambda row: find_markup(pairs.sources[row]) or find_markup(pairs.targets[row]),
        )


def _may_be_mojibake(side: Side) -> Mask:
    heads, tails = side.has(Kind.MOJIBAKE_HEAD), side.has(Kind.MOJIBAKE_TAIL)
    # A tail that normalisation removed leaves the space or the letter after it.
    lonely = side.count(heads) > 3
    heads[:-1] &= tails[1:]
    return lonely | (side.count(heads) > 0)


def _mojibake_in(pairs: Pairs, row: int) -> str | None:
    return find_mojibake(pairs.raw_sources[row]) or find_mojibake(pairs.raw_targets[row])


def drop_wrong_script(pairs: Pairs) -> None:
    """Drop sides in another script than their language's, and those with words of a third one."""
    for side, own in ((pairs.source, Kind.SOURCE_LETTER), (pairs.target, Kind.TARGET_LETTER)):
        ideograms, letter, in_script = (side.has(k) for k in (Kind.IDEOGRAM, Kind.LETTER, own))
        # As in lengths: otherwise the letters of one foreign name outweigh a Chinese sentence.
        letters = side.count(letter) + 2 * side.count(ideograms & letter)
        share = (side.count(in_script) + 2 * side.count(ideograms & in_script)) / np.maximum(
            letters, 1
        )
        # A side without letters, such as a number, has no share and passes.
        wrong = (letters > 0) & (share < pairs.rules.min_script_share)
        pairs.drop("wrong_script", wrong, share.astype(np.float32))
    languages = pairs.source_language, pairs.target_language
    for side in (pairs.source, pairs.target):
        third = side.count_kind(Kind.THIRD_LETTER) > 0
        for row in np.flatnonzero(third & pairs.left).tolist():
            third[row] = has_third_script(side.texts[row], *languages)
        pairs.drop("wrong_script", third)


def drop_untranslated(pairs: Pairs) -> None:
    """Drop targets that are partly in the source's language, where its script shows that."""
    if script_of(pairs.source_language) == script_of(pairs.target_language):
        return
    foreign = regex.compile(rf"[{script_properties(pairs.source_language)}]", regex.V1)
    shares = foreign_share(pairs.target, Kind.TARGET_LETTER, Kind.SOURCE_LETTER)

    def find(row: int) -> float | None:
        share = untranslated_share(pairs.sources[row], pairs.targets[row], foreign)
        return round(share, 3) if share > _MAX_UNTRANSLATED else None

    pairs.drop_found("untranslated", shares > MIN_FOREIGN_SHARE, find)


def drop_other_language(pairs: Pairs) -> None:
    """Drop sides that are in another language than theirs."""
    confidence = pairs.rules.min_language_confidence
    if confidence is None:
        return
    for side, language in pairs.sides():
        check = language_check(language, confidence)
        if check.is_needed:
            enough = side.count_kind(Kind.LETTER) >= MIN_LETTERS
            pairs.drop_texts("wrong_language", side, enough, check.find_other)
