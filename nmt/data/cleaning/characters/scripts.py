"""The script of a sentence's letters, by Unicode's script property."""

from dataclasses import dataclass
from functools import cache

import regex

from nmt.languages import script_of

# ISO 15924 codes that mean several Unicode scripts.
_MIXED = {
    "Hans": ("Hani", "Bopo"),
    "Hant": ("Hani", "Bopo"),
    "Jpan": ("Hani", "Hira", "Kana"),
    "Hang": ("Hang", "Hani"),
}
SHARED = r"\p{Script=Zyyy}\p{Script=Zinh}"
"""Letters that any script may use, such as modifier letters: the inside of a regex set."""


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """The letters of a text by script, weighted as in `weighted_lengths`."""

    target: int
    """Letters in the script of the target language."""
    known: int
    """Latin letters and those of the source language's script, unless it is the target's."""
    third: int
    """Letters of other scripts."""

    @property
    def total(self) -> int:
        """Return the letters of all scripts."""
        return self.target + self.known + self.third


def count_letters_by_script(text: str, source_language: str, target_language: str) -> LetterCounts:
    """Count the letters of a text by script; much faster for one text than a `Side` is.

    Args:
        text: any text.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code of the language that the text should be in.
    """
    classes = text.translate(_classes(source_language, target_language))
    return LetterCounts(*map(classes.count, (_TARGET, _KNOWN, _THIRD)))


def has_only_target_letters(text: str, source_language: str, target_language: str) -> bool:
    """Tell whether a text has letters, all of them in the script of the target language.

    Args:
        text: any text.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code of the language that the text should be in.
    """
    # Each character once: that is several times as fast as counting them.
    classes = _classes(source_language, target_language)
    found = "".join(set(map(classes.__getitem__, map(ord, set(text)))))
    return _TARGET in found and _KNOWN not in found and _THIRD not in found


def script_share(text: str, language: str) -> float | None:
    """Compute the share of a text's letters that are in the script of its language, in 0-1.

    Returns:
        None if the text has no letters, or only letters that all scripts share.
    """
    letters = sum(map(_scripted().__getitem__, text))
    return sum(map(_letters_of(language).__getitem__, text)) / letters if letters else None


# Matching the script property is slow, so each character is matched only once.
class _Members(dict[str, bool]):
    """A cache of which characters are in a set."""

    def __init__(self, characters: str) -> None:
        super().__init__()
        self._set = regex.compile(characters, regex.V1)

    def __missing__(self, character: str) -> bool:
        found = self[character] = self._set.match(character) is not None
        return found


_TARGET, _KNOWN, _THIRD = "tkx"
"""Classes of letters in the tables of `str.translate`."""


class _Classes(dict[int, str]):
    """A table for `str.translate` from a letter to its class; other characters vanish."""

    def __init__(self, source_language: str, target_language: str) -> None:
        super().__init__()
        known = rf"{script_properties(source_language)}\p{{Script=Latn}}"
        self._sets = {
            _TARGET: _Members(rf"[\p{{L}}&&[{script_properties(target_language)}]]"),
            _KNOWN: _Members(rf"[\p{{L}}&&[{known}]]"),
            _THIRD: _scripted(),
        }

    def __missing__(self, code: int) -> str:
        character = chr(code)
        classes = (name for name, members in self._sets.items() if members[character])
        found = self[code] = next(classes, "") * _weight(character)
        return found


@cache
def _classes(source_language: str, target_language: str) -> _Classes:
    return _Classes(source_language, target_language)


def _weight(character: str) -> int:
    # An ideogram is about a word, so that one Latin name must not outweigh a Chinese sentence.
    if regex.match(r"[\p{Han}\p{Hiragana}\p{Katakana}]", character):
        return 3
    return 2 if regex.match(r"\p{Hangul}", character) else 1


def script_properties(language: str) -> str:
    """Build the inside of a regex set that matches a language's script."""
    script = script_of(language)
    return "".join(rf"\p{{Script={name}}}" for name in _MIXED.get(script, (script,)))


@cache
def _scripted() -> _Members:
    return _Members(rf"[\p{{L}}--[{SHARED}]]")


@cache
def _letters_of(language: str) -> _Members:
    return _Members(rf"[\p{{L}}&&[{script_properties(language)}]]")


def has_third_script(text: str, source_language: str, target_language: str) -> bool:
    """Tell whether a text has a letter that is in neither script, not Latin and not a symbol."""
    return _foreign_to(source_language, target_language).search(text) is not None


@cache
def _foreign_to(source_language: str, target_language: str) -> regex.Pattern[str]:
    scripts = script_properties(source_language) + script_properties(target_language)
    known = rf"{scripts}\p{{Script=Latn}}{SHARED}"
    # A single Greek letter is a symbol in any language, as in `5 μg`, `IFNβ` and `10 kΩ`.
    word = rf"[\p{{Script=Grek}}--[{known}]]{{2,}}"
    return regex.compile(rf"{word}|[\p{{L}}--[{known}\p{{Script=Grek}}]]", regex.V1)
