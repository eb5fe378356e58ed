"""The translation of one sentence: attempts, checks, and its content put together again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nmt.decoding.settings import Search
from nmt.documents.content import Code, Content, Text
from nmt.documents.document import WarningKind
from nmt.documents.translation.copying import copied_content
from nmt.documents.translation.flat import Flat, Part
from nmt.documents.translation.glossary import Term, TermFinder, count_term
from nmt.documents.translation.guards import check_translation
from nmt.documents.translation.joining import AppliedTerm, Translated, join_parts
from nmt.documents.translation.placing import place_codes, texts_to_translate
from nmt.documents.translation.rounds import Memory, Request, Work, together
from nmt.documents.translation.skeleton import (
    Skeleton,
    Token,
    build_skeleton,
    pieces_of,
    words_in,
)
from nmt.documents.translation.spacing import restore_spacing
from nmt.documents.translation.standins import restore_tokens, token
from nmt.documents.translator import Candidate
from nmt.text.normalise import normalise
from nmt.text.protected import find_protected

_MAX_TOKENS = 24
"""Protected words of a sentence; with more, it is cut at them at once."""
_TOKEN = re.compile("[\U000f0000-\U0010ffff]+")


@dataclass(frozen=True)
class Setting:
    """What all sentences of a document have in common."""

    source_language: str
    target_language: str
    search: Search
    wide_search: Search
    """For a second attempt, if the first one is doubtful."""
    finder: TermFinder
    memory: Memory
    doubts: dict[tuple[str, str], tuple[WarningKind, ...]] = field(default_factory=dict)
    """What `check_translation` found, by sentence and translation."""


@dataclass(frozen=True)
class Attempt:
    """A form of a sentence that the model is asked to translate."""

    setting: Setting
    skeleton: Skeleton
    form: int
    search: Search

    @cached_property
    def stand_ins(self) -> list[str]:
        """Return the stand-in of each token."""
        return self.skeleton.stand_ins(self.form)

    @cached_property
    def request(self) -> Request:
        """Return what the model is asked for."""
        return Request(self.skeleton.sent(self.stand_ins), self.search)

    @cached_property
    def candidates(self) -> list[tuple[str, Candidate]]:
        """Return the right candidates with their tokens restored; none if the best is wrong."""
        answers = self.setting.memory.answers[self.request]
        restored = [(self._restored(normalise(answer.text)), answer) for answer in answers]
        right = [(target, answer) for target, answer in restored if target is not None]
        return right if restored and restored[0][0] is not None else []

    @property
    def doubts(self) -> tuple[WarningKind, ...]:
        """Find what makes the best candidate doubtful."""
        answer = self.setting.memory.answers[self.request][0]
        known, key = self.setting.doubts, (self.request.text, normalise(answer.text))
        if key not in known:
            known[key] = check_translation(
                *key, self.setting.source_language, self.setting.target_language
            )
        return known[key] if answer.is_complete else (*known[key], "unfinished")

    def _restored(self, answer: str) -> str | None:
        """Restore the tokens of an answer; return None if a protected word is lost or invented."""
        target = restore_tokens(answer, self.stand_ins)
        if target is None or not self._keeps_order(target) or self._invents(target):
            return None
        is_copy = answer.casefold() == self.request.text.casefold()
        if not is_copy and any(
            target.count(name) < self.skeleton.names.count(name) for name in self.skeleton.names
        ):
            return None
        return target

    def _keeps_order(self, target: str) -> bool:
        """Tell whether placeholders that are filled by position keep their order."""
        places = [
            target.index(token(index))
            for index, each in enumerate(self.skeleton.tokens)
            if each.is_positional
        ]
        return places == sorted(places)

    def _invents(self, target: str) -> bool:
        """Tell whether a translation has an address or a placeholder that the sentence has not."""
        text = _TOKEN.sub(" ", target)
        return any(word.kind == "fixed" for word in find_protected(text))


def translate_sentence(setting: Setting, flat: Flat, part: Part) -> Work[Translated]:
    """Translate a sentence, in parts if its protected words do not survive as a whole."""
    skeleton = build_skeleton(flat, part.start, part.end)
    if len(skeleton.tokens) > _MAX_TOKENS:
        return (yield from _cut_at_words(setting, flat, part, with_names=False))
    attempt = Attempt(setting, skeleton, 0, setting.search)
    spans = {
        text: Request(skeleton.sent(attempt.stand_ins, text), setting.search)
        for text in texts_to_translate(skeleton.text, skeleton.codes)
    }
    yield [attempt.request, *spans.values()]
    terms = setting.finder.find(skeleton.text)
    if not attempt.candidates or _missing(setting, attempt, terms):
        second = _second_attempt(attempt, terms)
        yield [second.request]
        if second.candidates:
            attempt = second
        elif not attempt.candidates:
            return (yield from _cut_at_words(setting, flat, part, with_names=True))
    if attempt.doubts:
        wide = Attempt(setting, attempt.skeleton, attempt.form, setting.wide_search)
        yield [wide.request]
        if wide.candidates and len(wide.doubts) < len(attempt.doubts):
            attempt = wide
    translations = {
        text: restored
        for text, request in spans.items()
        if (restored := _restored_span(setting, request, skeleton, text)) is not None
    }
    return (yield from _finish(attempt, terms, translations))


def _restored_span(setting: Setting, request: Request, skeleton: Skeleton, text: str) -> str | None:
    """Restore the tokens in the translation of a span."""
    stand_ins = skeleton.stand_ins(0)
    answer = normalise(setting.memory.answers[request][0].text)
    for index, stand_in in enumerate(stand_ins):
        if token(index) in text:
            answer = answer.replace(stand_in, token(index), 1)
    return answer


def _missing(setting: Setting, attempt: Attempt, terms: Sequence[Term]) -> list[Term]:
    """List the terms that the translation lacks."""
    if not terms:
        return []
    target = attempt.candidates[0][0] if attempt.candidates else ""
    # A term that an attempt has as a stand-in is there for certain.
    certain = [each.replacement for each in attempt.skeleton.tokens]
    missing: list[Term] = []
    for term in terms:
        wanted = sum(each.target == term.target for each in terms)
        found = count_term(target, term.target, setting.target_language)
        if found + certain.count(term.target) < wanted:
            missing.append(term)
    return missing


def _second_attempt(attempt: Attempt, terms: Sequence[Term]) -> Attempt:
    """Choose another form for a sentence that lost a protected word or a term."""
    setting, first = attempt.setting, attempt.skeleton
    is_lost = not attempt.candidates
    replaced = [] if is_lost else _missing(setting, attempt, terms)
    skeleton = build_skeleton(
        first.flat,
        first.start,
        first.end,
        [token for term in replaced for token in _term_token(first, term)],
        names_are_tokens=is_lost and bool(first.names),
    )
    # If only names were lost, numbers are still the best form for the others.
    form = 1 if is_lost and not first.names else 0
    return Attempt(setting, skeleton, form, setting.search)


def _term_token(skeleton: Skeleton, term: Term) -> Iterator[Token]:
    """Yield the token of a term, unless a mark is inside."""
    start = _position(skeleton, term.start)
    end = start + term.end - term.start
    if skeleton.flat.text[start:end] == skeleton.text[term.start : term.end]:
        yield Token(start, end, term.target)


def _position(skeleton: Skeleton, offset: int) -> int:
    """Find the position in the content of a character of the sentence."""
    for element in skeleton.elements:
        if element.mark is not None:
            continue
        length = 1 if element.token is not None else element.end - element.start
        if offset < length:
            return element.start + offset
        offset -= length
    return skeleton.end


def _finish(
    attempt: Attempt, terms: Sequence[Term], translations: Mapping[str, str]
) -> Work[Translated]:
    """Put the contents of the candidates together, or cut the sentence at codes without a place."""
    setting, skeleton = attempt.setting, attempt.skeleton
    contents: list[Content] = []
    warnings: list[tuple[WarningKind, str]] = [
        (kind, skeleton.sent([skeleton.flat.text[t.start : t.end] for t in skeleton.tokens]))
        for kind in attempt.doubts
    ]
    for target, _ in attempt.candidates:
        content, guessed, cut = _content(attempt, target, translations)
        if cut and not contents:
            return (yield from _cut_at_codes(setting, skeleton, cut))
        if guessed and not contents:
            warnings.append(("guessed", attempt.request.text))
        contents.append(content)
    missing = _missing(setting, attempt, terms)
    warnings.extend(("glossary", term.source) for term in missing)
    return Translated(
        contents,
        is_changed=attempt.candidates[0][0] != normalise(skeleton.text),
        confidence=attempt.candidates[0][1].confidence,
        warnings=warnings,
        terms=[AppliedTerm(term.source, term.target, term not in missing) for term in terms],
    )


def _content(
    attempt: Attempt, target: str, translations: Mapping[str, str]
) -> tuple[Content, bool, Sequence[tuple[int, int]]]:
    """Return the content of a translation, whether a place is a guess, and where to cut."""
    skeleton, language = attempt.skeleton, attempt.setting.target_language
    copied = copied_content(skeleton, target)
    if copied is not None:
        return copied, False, ()
    spaced = restore_spacing(skeleton.text, target, language)
    if not skeleton.codes:
        return tuple(pieces_of(skeleton, spaced)), False, ()
    placed = place_codes(skeleton.text, spaced, skeleton.codes, translations)
    pieces: list[Text | Code] = []
    at = 0
    for each in placed.codes:
        pieces += pieces_of(skeleton, spaced[at : each.position])
        pieces += skeleton.flat.slice(*skeleton.ranges[each.code])
        at = each.position
    pieces += pieces_of(skeleton, spaced[at:])
    return tuple(pieces), bool(placed.guessed), placed.cut


def _cut_at_words(
    setting: Setting, flat: Flat, part: Part, *, with_names: bool
) -> Work[Translated]:
    """Translate what is between the protected words of a sentence."""
    kinds = ("fixed", "name") if with_names else ("fixed",)
    words = [
        (word.start, word.end)
        for word in words_in(flat, part.start, part.end)
        if word.kind in kinds
    ]
    return (yield from _cut(setting, flat, part, words))


def _cut_at_codes(
    setting: Setting, skeleton: Skeleton, cut: Sequence[tuple[int, int]]
) -> Work[Translated]:
    """Translate what is before, in and after codes that must be in the right place."""
    edges = {position for position, _ in cut}
    codes = [
        skeleton.ranges[each.code]
        for each in skeleton.codes
        if each.position in edges and each.code.is_exact
    ]
    part = Part(skeleton.start, skeleton.end, is_sentence=True)
    return (yield from _cut(setting, skeleton.flat, part, codes))


def _cut(
    setting: Setting, flat: Flat, part: Part, kept: Sequence[tuple[int, int]]
) -> Work[Translated]:
    """Translate what is between ranges of a sentence that are kept as they are."""
    sentence = normalise(flat.text[part.start : part.end])
    if not kept:  # the model invents protected words: nothing of it can be used
        return Translated(
            [tuple(flat.slice(part.start, part.end))], warnings=[("copied", sentence)]
        )
    parts: list[Part] = []
    at = part.start
    for start, end in (*kept, (part.end, part.end)):
        parts += flat.without_edges(at, start, setting.source_language)
        parts += [Part(start, end, is_sentence=False)] * (start < end)
        at = end
    joined = yield from translate_parts(setting, flat, parts)
    return Translated(
        joined.contents,
        joined.is_changed,
        joined.confidence,
        [("cut", sentence), *joined.warnings],
        joined.terms,
    )


def translate_parts(setting: Setting, flat: Flat, parts: Sequence[Part]) -> Work[Translated]:
    """Translate the sentences among the parts of a content, and join all parts."""
    translated = yield from together(
        [translate_sentence(setting, flat, part) for part in parts if part.is_sentence]
    )
    return join_parts(flat, parts, translated, setting.source_language, setting.target_language)
