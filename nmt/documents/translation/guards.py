"""Signs that the translation of a sentence is wrong."""

import re
from collections import Counter
from functools import cache

import regex

from nmt.data.cleaning.characters.scripts import (
    count_letters_by_script,
    has_only_target_letters,
)
from nmt.data.cleaning.detection.numbers import count_numbers, find_number_readings, may_be_spelled
from nmt.documents.document import WarningKind
from nmt.languages import script_of
from nmt.scoring.faults.copies import CopyCheck
from nmt.scoring.faults.languages import has_foreign_script, is_in_other_script
from nmt.scoring.faults.repetition import repeats_itself

_CONTENT = regex.compile(r"[\p{L}\p{N}\p{S}]")
_MIN_RATIO, _MAX_RATIO = 0.3, 3.0
_MIN_CHARACTERS = 20
"""Characters from which the length of a text says something."""
# An ideogram is about a word, a syllable of Korean about two letters.
_WEIGHTS = {"Hans": 3, "Hant": 3, "Jpan": 2, "Hang": 2}
_MIN_FOREIGN_SHARE = 0.3
"""Share of letters in the source's script from which a translation may be a copy."""
_MIN_COMMON_SHARE = 0.2
"""Share of words in common from which it may be one in the same script."""
_NAME = regex.compile(r"\S+?[\p{Lu}\p{N}]\S*|\P{L}+")
_BRACKET = re.compile(r"[(\[{（［【〔]")
# Quotation marks around single words are often left out on purpose, around a sentence they are not.
_QUOTATION = re.compile(r"[\"“”„«»「『‘][^\"“”„«»「」『』]{20,}[\"“”«»」』]")
_MARK = re.compile('[(\\[{（［【〔"“”„«»「『‘]')
"""With one of these, a text may have what the patterns above find."""
_QUOTE = re.compile(r"[\"“”„«»「」『』‘’'`]|&quot;")
_LONG_WORD = 20
_DIGIT = re.compile(r"\d")
_TIME = re.compile(r"(?<=\d):(?=\d)")
_BRACKETED = re.compile(r"\([^()]*\)")
_ROUND = re.compile(r"0|10{2,}")


def check_translation(
    source: str, translation: str, source_language: str, target_language: str
) -> tuple[WarningKind, ...]:
    """Find what makes a translation doubtful.

    Args:
        source: the sentence, normalised.
        translation: of the sentence, normalised.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
    """
    pair = source_language, target_language
    if not any(map(str.isalnum, translation)) and not _CONTENT.search(translation):
        return ("empty",) if _CONTENT.search(source) else ()
    language = _find_language_fault(source, translation, *pair)
    faults: dict[WarningKind, bool] = {
        "length": _has_odd_length(source, translation, *pair),
        "repetition": _may_repeat(translation) and repeats_itself(translation, source, ()),
        "copied": language == "copied",
        "other_script": language == "other_script",
        "numbers": _has_other_numbers(source, translation),
        "punctuation": _lost_marks(source, translation),
    }
    return tuple(kind for kind, is_found in faults.items() if is_found)


def _has_odd_length(
    source: str, translation: str, source_language: str, target_language: str
) -> bool:
    length = len(source) * _weight(source_language)
    translated_length = len(translation) * _weight(target_language)
    # A short text may be an abbreviation, or be translated by one.
    if translated_length > _MAX_RATIO * max(length, _MIN_CHARACTERS):
        return True
    return length > _MIN_CHARACTERS and translated_length < _MIN_RATIO * length


def _weight(language: str) -> int:
    return _WEIGHTS.get(_script(language), 1)


@cache
def _script(language: str) -> str:
    return script_of(language)


def _may_repeat(translation: str) -> bool:
    """Tell whether it is worth searching a text for repetitions, which takes ten times as long."""
    words = translation.replace(",", " ").replace(".", " ").split()
    distinct = set(words)
    if len(distinct) < 0.8 * len(words):
        return True
    # A word that comes three times is at least two words more than there are distinct ones.
    if len(words) - len(distinct) >= 2 and max(Counter(words).values()) > 2:
        return True
    return any(len(word) > _LONG_WORD and len(word) > 2 * len(set(word)) for word in distinct)


def _find_language_fault(
    source: str, translation: str, source_language: str, target_language: str
) -> WarningKind | None:
    """Tell whether a translation is a copy, or in another script than it should be in."""
    pair = source_language, target_language
    is_same_script = _script(source_language) == _script(target_language)
    if not is_same_script and has_only_target_letters(translation, *pair):
        return None
    counts = count_letters_by_script(translation, *pair)
    if is_same_script:
        may_be_copy = _has_common_words(source, translation)
    else:
        may_be_copy = counts.known >= _MIN_FOREIGN_SHARE * counts.total
    if may_be_copy and not _is_name(source):
        check = _copy_check(*pair)
        if check.is_copy(source, translation, check.limits(source, ())):
            return "copied"
    if counts.target < counts.total and is_in_other_script(translation, *pair):
        return "other_script"
    if counts.third and has_foreign_script(translation, source, (), pair):
        return "other_script"
    return None


def _has_common_words(source: str, translation: str) -> bool:
    words, own = set(source.casefold().split()), set(translation.casefold().split())
    return len(words & own) >= _MIN_COMMON_SHARE * len(own)


def _is_name(source: str) -> bool:
    """Tell whether a text may stay as it is, such as `GitHub`, `NASA TV` and `iPhone 15`."""
    return all(_NAME.fullmatch(word) for word in source.split())


@cache
def _copy_check(source_language: str, target_language: str) -> CopyCheck:
    return CopyCheck(source_language, target_language)


def _has_other_numbers(source: str, translation: str) -> bool:
    """Tell whether a translation lacks a number, or has one that is new or comes more often.

    Numbers are compared by value. A round one may become a word, and a word a small number.
    """
    if not _DIGIT.search(source) and not _DIGIT.search(translation):
        return False
    numbers, translated = count_numbers(source), count_numbers(translation)
    if numbers == translated or _with_points(source) == _with_points(translation):
        return False
    # People write a term again in brackets, in its own script.
    main = _BRACKETED.sub(lambda match: match[0] * (match[0] in source), translation)
    lacking, new = numbers - translated, count_numbers(main) - numbers
    # `2,5` may be a number with a fraction, or two numbers.
    readings = find_number_readings(translation) - translated.keys()
    own_readings = find_number_readings(source) - numbers.keys()
    small = {number for number in new if number not in numbers and may_be_spelled(number)}
    lost = {number for number in lacking if not _ROUND.fullmatch(number)}
    return bool(lost - readings or new.keys() - own_readings - small)


def _with_points(text: str) -> Counter[str]:
    """Count numbers with `10:30` as `10.30`, as some languages write a time."""
    return count_numbers(_TIME.sub(".", text))


def _lost_marks(source: str, translation: str) -> bool:
    """Tell whether brackets, or the quotation marks of a longer quotation, were lost."""
    if not _MARK.search(source):
        return False
    if _BRACKET.search(source) and not _BRACKET.search(translation):
        return True
    return _QUOTATION.search(source) is not None and not _QUOTE.search(translation)
