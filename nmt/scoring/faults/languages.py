"""Translations in another language or script than they should be in."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmt.data.cleaning.character_rules import count_letters
from nmt.data.cleaning.characters.code_points import Bits, Kind
from nmt.data.cleaning.characters.scripts import count_letters_by_script, has_third_script
from nmt.data.cleaning.characters.text_block import Side
from nmt.data.cleaning.detection.language import MIN_LETTERS, language_check
from nmt.scoring.faults.patterns import without_codes

_MIN_SHARE = 0.5
"""Share of the letters that have to be in the script of the target language."""
_MIN_SCRIPT_LETTERS = 10
"""Letters of a text that is judged by their script; shorter ones may be a name or a code."""
_MIN_CONFIDENCE = 0.8
"""Confidence from which language identification is believed."""


def find_off_target(texts: Sequence[str], language: str, kinds: Bits) -> NDArray[np.bool_]:
    """Find texts in another language, by their script or else by language identification.

    Languages that the identification does not know are judged by their script alone.

    Args:
        texts: normalised.
        language: FLORES-200 code that the texts should be in.
        kinds: properties of characters, with that language as the target.
    """
    side = Side([without_codes(text) for text in texts], kinds)
    letters = count_letters(side, Kind.LETTER)
    share = count_letters(side, Kind.TARGET_LETTER) / np.maximum(letters, 1)
    found = (share < _MIN_SHARE) & (letters >= _MIN_SCRIPT_LETTERS)
    check = language_check(language, _MIN_CONFIDENCE)
    if check.is_needed:
        for row in np.flatnonzero(~found & (letters >= MIN_LETTERS)).tolist():
            found[row] = check.find_other(side.texts[row]) is not None
    return found


def is_in_other_script(text: str, source_language: str, target_language: str) -> bool:
    """Tell whether a text is off target by its script alone, for a text at a time.

    Args:
        text: any text.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code of the language that the text should be in.
    """
    counts = count_letters_by_script(text, source_language, target_language)
    # Most texts need no more than this; searching them for codes takes longer than counting.
    if counts.target >= _MIN_SHARE * counts.total:
        return False
    counts = count_letters_by_script(without_codes(text), source_language, target_language)
    return counts.total >= _MIN_SCRIPT_LETTERS and counts.target < _MIN_SHARE * counts.total


def has_foreign_script(
    hypothesis: str, source: str, references: Sequence[str], languages: tuple[str, str]
) -> bool:
    """Tell whether a translation has letters of a script that nobody else used.

    Args:
        hypothesis: normalised.
        source: normalised.
        references: normalised.
        languages: FLORES-200 codes of source and target. Their scripts may be used, and Latin.
    """
    if not has_third_script(hypothesis, *languages):
        return False
    known = set[str]().union(*(_scripts(text) for text in (source, *references)))
    foreign = "".join(letter for letter in hypothesis if _script(letter) not in known)
    return has_third_script(foreign, *languages)


def _scripts(text: str) -> set[str]:
    return {_script(character) for character in text if character.isalpha()}


def _script(character: str) -> str:
    # The name of a letter begins with its script, as in `TELUGU LETTER KA`.
    return unicodedata.name(character, "").partition(" ")[0]
