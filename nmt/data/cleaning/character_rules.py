"""Rules about characters: damaged text, markup, scripts and languages."""

import numpy as np

from nmt.data.cleaning.characters.code_points import Kind
from nmt.data.cleaning.characters.scripts import has_third_script, script_share
from nmt.data.cleaning.characters.text_block import Counts, Mask, Side
from nmt.data.cleaning.detection.addresses import may_have_address, without_addresses
from nmt.data.cleaning.detection.language import MIN_LETTERS, language_check
from nmt.data.cleaning.detection.markup import find_markup
from nmt.data.cleaning.detection.mojibake import find_mojibake
from nmt.data.cleaning.pairs import Pairs


def drop_damaged(pairs: Pairs) -> None:
    """Drop text that was decoded wrongly, and text with markup."""
    pairs.drop("broken_characters", pairs.either(lambda side: side.count_kind(Kind.BROKEN) > 0))
    if pairs.rules.drop_mojibake:
        suspects = pairs.either(_may_be_mojibake) | pairs.changed
        pairs.drop_found("mojibake", suspects, lambda row: _mojibake_in(pairs, row))
    if pairs.rules.drop_markup:
        suspects = pairs.either(_may_have_markup)
        pairs.drop_found(
            "markup", suspects, lambda row: find_markup(pairs.sources[row], pairs.targets[row])
        )


def _may_have_markup(side: Side) -> Mask:
    # Quotes are too common to be a kind, and three of them too rare.
    emphasis = ("'''" in text for text in side.texts)
    return (side.count_kind(Kind.MARKUP) > 0) | np.fromiter(emphasis, bool, len(side.texts))


def _may_be_mojibake(side: Side) -> Mask:
    heads, tails = side.has(Kind.MOJIBAKE_HEAD), side.has(Kind.MOJIBAKE_TAIL)
    return side.count(np.append(heads[:-1] & tails[1:], False)) > 0


def _mojibake_in(pairs: Pairs, row: int) -> str | None:
    return find_mojibake(pairs.raw_sources[row]) or find_mojibake(pairs.raw_targets[row])


def drop_wrong_script(pairs: Pairs) -> None:
    """Drop sides in another script than their language's, and those with words of a third one."""
    own = (Kind.SOURCE_LETTER, Kind.TARGET_LETTER)
    for (side, language), kind in zip(pairs.sides(), own, strict=True):
        letters = count_letters(side, Kind.LETTER)
        share = count_letters(side, kind) / np.maximum(letters, 1)
        for row in np.flatnonzero(share < pairs.rules.min_script_share).tolist():
            if may_have_address(side.texts[row]):
                share[row] = script_share(without_addresses(side.texts[row]), language) or 0
        # A side without letters, such as a number, has no share and passes.
        wrong = (letters > 0) & (share < pairs.rules.min_script_share)
        pairs.drop("wrong_script", wrong, share.astype(np.float32))
    languages = pairs.source_language, pairs.target_language
    for side in (pairs.source, pairs.target):
        third = side.count_kind(Kind.THIRD_LETTER) > 0
        for row in np.flatnonzero(third & pairs.left).tolist():
            third[row] = has_third_script(side.texts[row], *languages)
        pairs.drop("wrong_script", third)


def count_letters(side: Side, kind: Kind) -> Counts:
    """Count the letters of a kind in each text, weighted as in `weighted_lengths`."""
    # As in lengths: otherwise the letters of one foreign name outweigh a Chinese sentence.
    ideograms, syllables = (side.count_both(kind, k) for k in (Kind.IDEOGRAM, Kind.HANGUL))
    return side.count_kind(kind) + 2 * ideograms + syllables


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
