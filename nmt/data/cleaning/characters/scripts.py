"""The script of a sentence's letters, by Unicode's script property."""

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
