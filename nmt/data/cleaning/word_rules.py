"""Rules about words and sentences: copies, lengths, repetition, numbers and addresses."""

import numpy as np
from numpy.typing import NDArray

from nmt.data.cleaning.characters.code_points import Kind
from nmt.data.cleaning.characters.text_block import Mask
from nmt.data.cleaning.detection.addresses import addresses_of, may_have_address
from nmt.data.cleaning.detection.language import are_related
from nmt.data.cleaning.detection.numbers import numbers_differ, suspect_numbers
from nmt.data.cleaning.detection.sentences import count_sentences, is_finished
from nmt.data.cleaning.detection.untranslated import (
    MIN_FOREIGN_SHARE,
    copied_share,
    foreign_share,
    may_be_copied,
)
from nmt.data.cleaning.detection.words import (
    count_repetitions,
    longest_runs,
    longest_word,
    repeating,
    repeating_characters,
    text_hashes,
)
from nmt.data.cleaning.features import (
    NUMBERS_DIFFER,
    SENTENCES_DIFFER,
    SOURCE_HAS_MORE_SENTENCES,
    SOURCE_UNFINISHED,
    TARGET_UNFINISHED,
    URLS_DIFFER,
)
from nmt.data.cleaning.pairs import Pairs, weighted_lengths
from nmt.languages import languages, resolve_language, script_of

_MAX_COPIED = 0.2
_MAX_COPIED_IN_ONE_SCRIPT = 0.3
"""A higher share, since two languages of one script have some words in common."""


def drop_copies(pairs: Pairs) -> None:
    """Drop pairs whose sides are the same text, or differ in case and punctuation only."""
    same = np.fromiter(map(str.__eq__, pairs.sources, pairs.targets), bool, len(pairs.sources))
    first, second = pairs.source_language, pairs.target_language
    # In related languages a sentence may well be the same but for a comma.
    if script_of(first) == script_of(second) and not are_related(first, second):
        source, target = (text_hashes(pairs.words(side), side) for side in pairs.both)
        # Numbers without words are the same in every language.
        same |= (source == target) & (pairs.source.count_kind(Kind.LETTER) > 0)
    pairs.drop("identical", same)


def drop_by_length(pairs: Pairs) -> None:
    """Drop pairs that are too short or too long, whatever the corpus is like."""
    shortest = np.minimum(weighted_lengths(pairs.source), weighted_lengths(pairs.target))
    pairs.drop("too_short", shortest < pairs.rules.min_characters, shortest)
    # A normalised text has one space between two words, and one separator after it.
    words = np.maximum(pairs.source.count_kind(Kind.SPACE), pairs.target.count_kind(Kind.SPACE))
    pairs.drop("too_long", words > pairs.rules.max_words, words)


def drop_by_words(pairs: Pairs) -> None:
    """Drop pairs with a repeated or an endless word."""
    _drop_long_words(pairs)
    _drop_repetitions(pairs)


def _drop_long_words(pairs: Pairs) -> None:
    limit = pairs.rules.max_word_characters
    if limit is None:
        return

    def find(text: str) -> float | None:
        length = longest_word(text)
        return length if length > limit else None

    for side, language in pairs.sides():
        if not languages()[resolve_language(language)].is_unsegmented:
            pairs.drop_texts("long_word", side, longest_runs(side) > limit, find)


def _drop_repetitions(pairs: Pairs) -> None:
    limit = pairs.rules.max_word_repetitions
    if limit is None:
        return
    suspects = pairs.either(lambda side: repeating(pairs.words(side), limit, len(pairs.sources)))

    def find(row: int) -> float | None:
        counts = [count_repetitions(text[row]) for text in (pairs.sources, pairs.targets)]
        # `No, no, no, no!` is repeated in the translation too.
        if max(counts) <= limit or (min(counts) > limit and max(counts) <= 2 * limit):
            return None
        return max(counts)

    pairs.drop_found("repetition", suspects, find)
    for side, language in pairs.sides():
        if languages()[resolve_language(language)].is_unsegmented:
            pairs.drop("repetition", repeating_characters(side, limit))


def drop_untranslated(pairs: Pairs) -> None:
    """Drop targets that are partly a copy of the source."""
    if not pairs.rules.drop_untranslated:
        return
    if script_of(pairs.source_language) != script_of(pairs.target_language):
        foreign = foreign_share(pairs.target, Kind.TARGET_LETTER, Kind.SOURCE_LETTER)
        suspects, limit = foreign > MIN_FOREIGN_SHARE, _MAX_COPIED
    elif not are_related(pairs.source_language, pairs.target_language):
        words = pairs.words(pairs.source), pairs.words(pairs.target)
        suspects, limit = may_be_copied(*words, len(pairs.sources)), _MAX_COPIED_IN_ONE_SCRIPT
    else:
        return

    def find(row: int) -> float | None:
        share = copied_share(pairs.sources[row], pairs.targets[row])
        return round(share, 3) if share > limit else None

    pairs.drop_found("untranslated", suspects, find)


def flags_of(pairs: Pairs) -> NDArray[np.uint8]:
    """Flag the pairs whose sides differ; drop those with a difference that is to be dropped."""
    flags = np.zeros(len(pairs.sources), np.uint8)
    rules = pairs.rules
    if rules.numbers != "ignore":
        differ = suspect_numbers(pairs.source, pairs.target) & pairs.left
        for row in np.flatnonzero(differ).tolist():
            differ[row] = numbers_differ(pairs.sources[row], pairs.targets[row])
        flags |= np.uint8(NUMBERS_DIFFER) * differ
        if rules.numbers == "drop":
            pairs.drop("numbers", differ)
    if rules.urls != "ignore":
        differ = _addresses_differ(pairs)
        flags |= np.uint8(URLS_DIFFER) * differ
        if rules.urls == "drop":
            pairs.drop("urls", differ)
    in_source, in_target = count_sentences(pairs.source), count_sentences(pairs.target)
    flags |= np.uint8(SENTENCES_DIFFER) * (in_source != in_target)
    flags |= np.uint8(SOURCE_HAS_MORE_SENTENCES) * (in_source > in_target)
    source, target = is_finished(pairs.source), is_finished(pairs.target)
    flags |= np.uint8(TARGET_UNFINISHED) * (source & ~target)
    flags |= np.uint8(SOURCE_UNFINISHED) * (target & ~source)
    return flags


def _addresses_differ(pairs: Pairs) -> Mask:
    differ = np.zeros(len(pairs.sources), bool)
    for row, texts in enumerate(zip(pairs.sources, pairs.targets, strict=True)):
        if any(map(may_have_address, texts)):
            source, target = map(addresses_of, texts)
            differ[row] = source != target
    return differ
