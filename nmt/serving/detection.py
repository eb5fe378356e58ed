"""The language of a text, by its script, the languages that are served, and a model."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from nmt.data.cleaning.characters.scripts import script_share
from nmt.data.cleaning.detection.language import MIN_LETTERS
from nmt.errors import ConfigError
from nmt.languages import languages, resolve_language
from nmt.text.language_model import guess_languages
from nmt.text.normalise import normalise

_MAX_CHARACTERS = 1000
"""Characters that are looked at: a few sentences are enough."""
_MAX_GUESSES, _MIN_GUESS = 8, 0.01
_SURE, _UNLIKELY = 0.8, 0.1
"""Confidence from which the model is believed about a short text in a language that is not served,
and up to which the languages that are served may be."""
_MIN_CONFIDENCE = 0.5
"""Confidence below which the languages that are served go first, whatever the length is, and that a
short text gets whose language they decide."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A language that a text may be in."""

    language: str
    """FLORES-200 code."""
    confidence: float
    """0-1."""


def detect_languages(text: str, served: Collection[str]) -> list[Detection]:
    """Detect the language of a text.

    Args:
        text: any text.
        served: FLORES-200 codes of the languages that it is most likely in.

    Returns:
        The languages that it may be in, the likeliest first; empty if it has no letters.
    """
    sample = normalise(text[:_MAX_CHARACTERS])
    letters, scripts = _dominant_scripts(sample)
    if not scripts:
        return []
    possible = [each.code for each in languages().values() if each.script in scripts]
    share = script_share(sample, possible[0]) or 0.0
    if len(possible) == 1:
        return [Detection(possible[0], share)]
    # The model has seen few texts in capital letters, and takes them for any language.
    guesses = _guess(sample.lower() if sample.isupper() else sample, possible, served)
    own = [code for code in possible if code in served]
    if own and _decide_by_served(guesses, own, is_short=letters < MIN_LETTERS):
        own_guesses = {code: guesses.get(code, 0.0) + _MIN_GUESS for code in own}
        total = sum(own_guesses.values())
        guesses = {
            code: max(guess, _MIN_CONFIDENCE * guess / total) for code, guess in own_guesses.items()
        }
    best = sorted(guesses, key=guesses.__getitem__, reverse=True)
    return [Detection(code, min(1.0, guesses[code]) * share) for code in best]


def _decide_by_served(guesses: dict[str, float], own: Collection[str], *, is_short: bool) -> bool:
    """Tell whether the languages that are served count for more than what the model says."""
    sure = max(guesses.values(), default=0.0)
    expected = sum(guesses.get(code, 0.0) for code in own)
    if is_short:
        return not (sure >= _SURE and expected <= _UNLIKELY)
    return sure < _MIN_CONFIDENCE


def _guess(text: str, possible: Collection[str], served: Collection[str]) -> dict[str, float]:
    """Return the model's confidence in each language that has the right script."""
    found: dict[str, float] = {}
    for label, confidence in guess_languages(text, _MAX_GUESSES, _MIN_GUESS).items():
        rows = [code for code in _rows_of(label) if code in possible]
        if rows:
            # Of the scripts of one language, such as those of Chinese, the one that is served.
            best = next((code for code in rows if code in served), rows[0])
            found[best] = found.get(best, 0.0) + confidence
    return found


@cache
def _rows_of(label: str) -> tuple[str, ...]:
    """Return the FLORES-200 codes of a language of the model, its usual script first."""
    try:
        first = resolve_language(label)
    except ConfigError:
        return ()
    iso = languages()[first].iso
    others = (each.code for each in languages().values() if each.iso == iso)
    return tuple(dict.fromkeys((first, *others)))


def _dominant_scripts(text: str) -> tuple[int, frozenset[str]]:
    """Return the number of letters in the script that most are in, and the scripts that share it.

    Ideograms alone may be Chinese or Japanese; both are returned then.
    """
    counts: Counter[str] = Counter()
    for character, count in Counter(text).items():
        for script in _scripts_of(character):
            counts[script] += count
    most = max(counts.values(), default=0)
    return most, frozenset(script for script, count in counts.items() if count == most)


@cache
def _scripts() -> tuple[tuple[str, str], ...]:
    """Return each script with a language that is written in it."""
    return tuple({each.script: each.code for each in languages().values()}.items())


@cache
def _scripts_of(character: str) -> tuple[str, ...]:
    """Return the scripts that a letter belongs to."""
    if not character.isalpha():
        return ()
    return tuple(script for script, code in _scripts() if script_share(character, code))
