"""Text in another language than its side's, where the script does not show it."""

from functools import cache

from nmt.languages import iso_code, script_of
from nmt.text.language_model import guess_languages

MIN_LETTERS = 20
"""Minimum number of letters of a text that the model can judge."""
# The model takes as long as the text is, and a few words are enough to know most sentences.
_FIRST_LOOK, _SECOND_LOOK = 40, 200
_SURE = 0.6
"""Confidence from which the first look is enough."""
_MAX_GUESSES, _MIN_GUESS = 8, 0.01
_MAX_OWN = 0.05
"""Maximum confidence in a side's own language, or one close to it, if another is found."""

# The languages that the model knows well, by the script that they share with others. The
# others are what it finds in lists of names and in noise, so that its word does not count.
_KNOWN = {
    "Latn": "af az ca cs cy da de en es et eu fi fr ga gl hr hu id is it lt lv ms nl nn no pl pt "
    "ro sh sk sl sq sr sv sw tl tr uz vi bs",
    "Cyrl": "be bg kk ky mk mn ru sr tt uk",
    "Arab": "ar ckb fa ps sd ug ur",
    "Deva": "hi mr ne",
    "Beng": "as bn",
    "Hebr": "he yi",
    "Hans": "ja zh",
    "Hant": "ja zh",
    "Jpan": "ja zh",
}
# The model takes clean text of one of these for another, or a dialect for the standard.
_CLOSE = (
    "da nb nn no",
    "bs hr sh sr",
    "id ms jv su min ban bjn ace bug",
    "hi sa",
    "mr sa",
    "cs sk",
    "es gl ast an oc",
    "pt gl",
    "ca oc",
    "bg mk",
    "sr mk",
    "ja zh yue wuu",
    "fa prs ps ckb",
    "ur pnb sd fa ps",
    "ug ckb ur",
    "az tr crh tk uz",
    "kk ky tt ba",
    "af nl li vls fy",
    "de lb als bar nds",
    "en sco",
    "it scn vec lmo fur lij sc",
    "tl ceb ilo pag war",
    "as bn",
    "ga gd",
    "et fi",
)
# Languages of which the model knows each, but whose sentences have many words in common.
_RELATED = (
    "ca es gl it oc pt ast an",
    "cs pl sk",
    "be bg mk ru sr uk",
    "hr sl sr bs",
    "da nb nn sv",
)
# What the model calls a language, where that is not its ISO 639-1 code.
_LABELS = {"nb": "no"}


class LanguageCheck:
    """The check of one side's language."""

    def __init__(self, language: str, min_confidence: float) -> None:
        """Note which other languages the side's texts may be in.

        Args:
            language: FLORES-200 code.
            min_confidence: confidence from which the model is believed.
        """
        code = iso_code(language)
        label = _LABELS.get(code, code)
        known = frozenset(_KNOWN.get(script_of(language), "").split())
        groups = (group.split() for group in _CLOSE)
        self._own = {code, label}.union(*(group for group in groups if code in group))
        self._others = known - self._own if label in known else frozenset[str]()
        self._min_confidence = min_confidence

    @property
    def is_needed(self) -> bool:
        """Tell whether the model knows the language and others in its script."""
        return bool(self._others)

    def find_other(self, text: str) -> str | None:
        """Return the code of another language that a text is in, or None.

        Args:
            text: normalised, with at least `MIN_LETTERS` letters.
        """
        # The model has seen few texts in capital letters, and takes them for any language.
        text = text.lower() if text.isupper() else text
        first = guess_languages(text[:_FIRST_LOOK], 1)
        if any(code in self._own and first[code] >= _SURE for code in first):
            return None
        guesses = guess_languages(text[:_SECOND_LOOK], _MAX_GUESSES, _MIN_GUESS)
        own = sum(guesses.get(code, 0.0) for code in self._own)
        others = {code: guesses[code] for code in guesses if code in self._others}
        # Together, since the model may waver between two of them, such as Spanish and Portuguese.
        if own > _MAX_OWN or sum(others.values()) < self._min_confidence:
            return None
        return max(others, key=others.__getitem__)


def are_related(first: str, second: str) -> bool:
    """Tell whether sentences in two languages, by FLORES-200 code, may share many words."""
    codes = iso_code(first), iso_code(second)
    return any(set(codes) <= set(group.split()) for group in (*_CLOSE, *_RELATED))


@cache
def language_check(language: str, min_confidence: float) -> LanguageCheck:
    """Return the check of a language."""
    return LanguageCheck(language, min_confidence)
