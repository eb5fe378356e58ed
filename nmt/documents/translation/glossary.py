"""Terms of a glossary in sentences and in their translations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import regex

from nmt.languages import languages, script_of
from nmt.text.normalise import remove_noise

# With marks: a Tamil or Hindi vowel sign belongs to its letter. A sign is a token of its own.
_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+|\S")
_UNSEGMENTED = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Khmer}\p{Lao}\p{Myanmar}\p{Thai}\p{Tibetan}]\p{M}*"
)
# In a language without spaces, each of its letters may begin a word; Latin words stay whole.
_LETTER_TOKEN = regex.compile(
    rf"{_UNSEGMENTED}|(?:(?!{_UNSEGMENTED})[\p{{L}}\p{{M}}\p{{N}}\u200c\u200d])+|\S"
)
_FINAL_MARKS = regex.compile(r"\p{M}+\Z")
# Words that are written as one with the next: `and`, `the`, `in` and others.
_PROCLITICS = {
    "Arab": regex.compile(r"[وف]?[بكل]?(?:ال|ل)?"),
    "Hebr": regex.compile("[ושכלבהמ]{0,3}"),
}
_MIN_STEM = 2
"""Characters of a word that stay in each of its forms."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a glossary at its place in a sentence."""

    start: int
    end: int
    source: str
    """As the glossary has it."""
    target: str


class TermFinder:
    """The terms of a glossary, to be found in sentences of one language."""

    def __init__(self, glossary: Mapping[str, str], language: str) -> None:
        """Index the terms.

        Args:
            glossary: translations of terms.
            language: FLORES-200 code of the sentences.
        """
        self._is_unsegmented = languages()[language].is_unsegmented
        self._by_first: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
        for source, target in glossary.items():
            tokens = tuple(token for token, _, _ in self._tokens_of(source))
            if tokens:
                self._by_first.setdefault(tokens[0], []).append((tokens, source, target))
        for terms in self._by_first.values():
            terms.sort(key=lambda term: -len(term[0]))

    def find(self, sentence: str) -> list[Term]:
        """Find the terms that a sentence has, as whole words and in any case.

        In a language without spaces, a term may be found inside a word.

        Args:
            sentence: any text.

        Returns:
            In the order of the sentence; of terms that overlap, the first and longest one.
        """
        if not self._by_first:
            return []
        tokens = list(self._tokens_of(sentence))
        folded = [token for token, _, _ in tokens]
        found: list[Term] = []
        at = 0
        while at < len(tokens):
            length = 1
            for term, source, target in self._by_first.get(folded[at], ()):
                if tuple(folded[at : at + len(term)]) == term:
                    length = len(term)
                    found.append(Term(tokens[at][1], tokens[at + length - 1][2], source, target))
                    break
            at += length
        return found

    def _tokens_of(self, text: str) -> Iterator[tuple[str, int, int]]:
        pattern = _LETTER_TOKEN if self._is_unsegmented else _TOKEN
        for match in pattern.finditer(text):
            token = _folded(match[0])
            if token:  # not only an invisible character
                yield token, match.start(), match.end()


def has_term(translation: str, target_term: str, language: str) -> bool:
    """Tell whether a translation has a term, perhaps with an ending."""
    return count_term(translation, target_term, language) > 0


def count_term(translation: str, target_term: str, language: str) -> int:
    """Count how often a translation has a term, with or without an ending.

    Args:
        translation: any text.
        target_term: the term as the glossary has it.
        language: FLORES-200 code of both.
    """
    term = _folded(target_term)
    if not term:
        return 0
    if languages()[language].is_unsegmented:
        return _folded(translation).count(term)
    return len(_pattern_of(term, script_of(language)).findall(_folded(translation)))


def _pattern_of(term: str, script: str) -> regex.Pattern[str]:
    """Build the pattern of a term: its last word may have any ending."""
    tokens: list[str] = _TOKEN.findall(term)
    words = [regex.escape(token) for token in tokens]
    words[-1] = _any_form_of(tokens[-1], script)
    clitics = _PROCLITICS[script].pattern if script in _PROCLITICS else ""
    return regex.compile(rf"(?<![\p{{L}}\p{{M}}\p{{N}}]){clitics}" + r"\s*".join(words))


def _any_form_of(word: str, script: str) -> str:
    # Endings replace the last vowel sign of a word, or the sign that it has none:
    # `கணினிகள்` becomes `கணினிகளை`, and `लड़का` becomes `लड़के`.
    stem = _FINAL_MARKS.sub("", word)
    if len(stem) < _MIN_STEM:
        return regex.escape(word)
    if script == "Taml" and word.endswith("ம்") and len(stem) > _MIN_STEM:
        # `மரம்` becomes `மரத்தில்`.
        return regex.escape(stem[:-1]) + "(?:ம|த்த)"
    if script == "Taml" and word.endswith(("டு", "று")):
        # `வீடு` becomes `வீட்டில்`.
        return regex.escape(stem[:-1]) + rf"(?:{stem[-1]}|{stem[-1]}்{stem[-1]})"
    return regex.escape(stem)


def _folded(text: str) -> str:
    return remove_noise(text).casefold()
