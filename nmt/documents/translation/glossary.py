"""Terms of a glossary in sentences and in their translations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex

from nmt.documents.translation.words import first_token_of, fold, tokens_of
from nmt.languages import languages, script_of

_WORD_CHARACTER = r"[\p{L}\p{M}\p{N}]"
_FINAL_MARKS = regex.compile(r"\p{M}+\Z")
# Words that are written as one with the next: `and`, `the`, `in` and others.
_PROCLITICS = {"Arab": "[وف]?[بكل]?(?:ال|ل)?", "Hebr": "[ושכלבהמ]{0,3}"}
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
    """The terms of a glossary, to be found in sentences."""

    def __init__(self, glossary: Mapping[str, str]) -> None:
        """Index the terms by their first words.

        Args:
            glossary: translations of terms.
        """
        self._by_first: dict[str, list[str]] = {}
        for source in glossary:
            first = first_token_of(source)
            if first:
                self._by_first.setdefault(first, []).append(source)
        self._glossary = glossary
        self._keys: dict[str, list[tuple[list[str], str]]] = {}

    @classmethod
    def of(cls, glossary: Mapping[str, str]) -> "TermFinder":
        """Return the finder of a glossary that does not change, made once for many requests."""
        known = _finders.get(id(glossary))
        # The glossary is kept with its finder, so that no other one can have its identity.
        if known is None or known[0] is not glossary:
            known = _finders[id(glossary)] = glossary, cls(glossary)
            while len(_finders) > _MAX_FINDERS:
                _finders.pop(next(iter(_finders)), None)
        return known[1]

    def find(self, sentence: str) -> list[Term]:
        """Find the terms that a sentence has, as whole words and in any case.

        In a script without spaces, a term may be found inside a word.

        Args:
            sentence: any text.

        Returns:
            In the order of the sentence; of terms that overlap, the first and longest one.
        """
        if not self._by_first:
            return []
        tokens = tokens_of(sentence)
        keys = [token.key for token in tokens]
        found: list[Term] = []
        at = 0
        while at < len(tokens):
            end = at + 1
            for term, source in self._terms_from(keys[at]):
                if keys[at : at + len(term)] == term:
                    end = at + len(term)
                    place = tokens[at].start, tokens[end - 1].end
                    found.append(Term(*place, source, self._glossary[source]))
                    break
            at = end
        return found

    def _terms_from(self, first: str) -> Sequence[tuple[list[str], str]]:
        """List the terms that begin with a word, the longest first."""
        if first not in self._by_first:
            return ()
        if first not in self._keys:
            terms = [
                ([token.key for token in tokens_of(source)], source)
                for source in self._by_first[first]
            ]
            self._keys[first] = sorted(terms, key=lambda term: -len(term[0]))
        return self._keys[first]


_MAX_FINDERS = 8
_finders: dict[int, tuple[Mapping[str, str], TermFinder]] = {}


def find_missing(
    translation: str, terms: Sequence[Term], language: str, certain: Sequence[str] = ()
) -> list[Term]:
    """List the terms of a sentence that its translation lacks.

    A term that the sentence has twice is missing if the translation has it once.

    Args:
        translation: of the sentence.
        terms: that the sentence has.
        language: FLORES-200 code of the translation.
        certain: target terms that are in the answer for certain, and not in `translation`.
    """
    wanted = [each.target for each in terms]
    found = {
        target: count_term(translation, target, language) + certain.count(target)
        for target in dict.fromkeys(wanted)
    }
    return [each for each in terms if found[each.target] < wanted.count(each.target)]


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
    words = [token.key for token in tokens_of(target_term)]
    if not words:
        return 0
    if languages()[language].is_unsegmented:
        return fold(translation).count(fold(target_term).strip())
    script = script_of(language)
    # Only the last word has an ending, and only the first one a word that is glued to it.
    parts = [regex.escape(word) for word in words[:-1]] + [_any_form_of(words[-1], script)]
    pattern = rf"(?<!{_WORD_CHARACTER}){_PROCLITICS.get(script, '')}" + r"\s*".join(parts)
    return len(regex.findall(pattern, fold(translation)))


def _any_form_of(word: str, script: str) -> str:
    """Build the pattern of a word with any ending."""
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
