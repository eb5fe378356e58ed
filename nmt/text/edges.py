"""The edges of a sentence: marks of lists, headings, quotations and others around its words."""

import re
from collections.abc import Sequence
from functools import cache

import regex

from nmt.languages import script_of
from nmt.text.normalise import NOISE
from nmt.text.protected import Protected

# Private-use characters mask what is not language; one of the text itself is taken as such a mark.
CODE, TOKEN, NAME, EMOJI = "\ue000", "\ue001", "\ue002", "\ue003"
_MASKS = {"fixed": TOKEN, "name": NAME, "emoji": EMOJI}
_BESIDE = rf"\s{CODE}{EMOJI}" + NOISE.pattern.removeprefix("[").removesuffix("]+")
_LEADING = re.compile(
    rf"""(?: [{_BESIDE}]++
      | \(?\d{{1,3}}[.)](?=\s) | (?:\d{{1,3}}\.){{2,6}}\d{{0,3}}(?=\s)       # numbers of a list
      | [-–—*•‣◦▪▫●○■□◆◇★☆►▸→⇒·+~=_|]++(?=[\s{CODE}]|\Z) | \[[ ]?\](?=\s)       # bullets
      | [•‣◦▪▫●○■□◆◇★☆►▸·>] | \#{{1,6}}(?=\s) | [-–—](?=[^\W\d]|["'“‘«(])  # quotations, speakers
      | {TOKEN}++(?=\s*[:|–—]|\s+-\s|[.!?][\s{CODE}]) | (?<={TOKEN})\s*[:|–—.!?]++
      | (?<={TOKEN})\s+-(?=\s)
    )*+""",
    re.VERBOSE,
)
# Of the reversed text.
_TRAILING = re.compile(
    rf"""(?: [{_BESIDE}]++ | [-–—*•·|=_~#]++(?=\s)
      | [.,;!?)\]»”"’']{{0,3}}{TOKEN}++(?=[\s{CODE}]*[:.!?|–—…]|\s+-\s)
      | \){TOKEN}++\((?=\s)
    )*+""",
    re.VERBOSE,
)
_UNICODE_SCRIPTS = {"Hans": "Han", "Hant": "Han", "Hang": "Hangul}\\p{Han"}
_LATIN_LETTER = re.compile("[A-Za-z]")
_ANY_LETTER = regex.compile(r"\p{L}")


def mask(text: str, words: Sequence[Protected]) -> str:
    """Replace protected words by private-use characters, as many as they have."""
    parts: list[str] = []
    at = 0
    for word in words:
        parts += (text[at : word.start], _MASKS[word.kind] * (word.end - word.start))
        at = word.end
    return "".join((*parts, text[at:])) if parts else text


def core_of(masked: str, start: int, end: int) -> tuple[int, int]:
    """Find the words of a sentence, without white space, marks and protected words at its edges.

    Args:
        masked: text as `mask` returns it, with `CODE` for each inline code.
        start: of the sentence.
        end: of the sentence.

    Returns:
        Start and end of the words; equal if there are none.
    """
    first = start
    # No mark begins with a letter, as most sentences do.
    if not masked[start : start + 1].isalpha() and (leading := _LEADING.match(masked, start, end)):
        first = leading.end()
    if masked[end - 1 : end].isalpha() or (masked[end - 1 : end] in ".!?" and TOKEN not in masked):
        return first, end
    trailing = _TRAILING.match(masked[first:end][::-1])
    return first, end - trailing.end() if trailing else end


def has_words(masked: str, language: str) -> bool:
    """Tell whether a text has a letter of the script of a language, outside protected words.

    Args:
        masked: as `mask` returns it.
        language: FLORES-200 code, or an ISO code, for letters of any script.
    """
    if _is_latin(language) and _LATIN_LETTER.search(masked):  # many times as fast
        return True
    return bool(_letters(language).search(masked))


@cache
def _is_latin(language: str) -> bool:
    return _letters(language).fullmatch("a") is not None


@cache
def _letters(language: str) -> regex.Pattern[str]:
    """Return the pattern of a letter that a text of a language consists of."""
    if "_" not in language:  # a language may have several scripts
        return _ANY_LETTER
    script = script_of(language)
    if script == "Jpan":
        return regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
    return regex.compile(rf"[\p{{{_UNICODE_SCRIPTS.get(script, script)}}}--[^\p{{L}}]]", regex.V1)
