"""The translation of one sentence: attempts, checks, and its content put together again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from nmt.documents.content import Code, Content, Text
from nmt.documents.document import WarningKind
from nmt.documents.translation.flat import Flat, Part
from nmt.documents.translation.glossary import Term
from nmt.documents.translation.placing import place_codes, texts_to_translate
from nmt.documents.translation.rounds import Request, Work, together
from nmt.documents.translation.sentences.attempt import Attempt, Setting, is_usable
from nmt.documents.translation.sentences.copying import copied_content
from nmt.documents.translation.sentences.joining import AppliedTerm, Translated, join_parts
from nmt.documents.translation.sentences.skeleton import (
    Skeleton,
    build_skeleton,
    pieces_of,
    words_in,
)
from nmt.documents.translation.sentences.standins import token
from nmt.documents.translation.sentences.terms import missing_terms, term_tokens
from nmt.documents.translation.spacing import restore_spacing
from nmt.text.edges import CODE
from nmt.text.normalise import normalise

_MAX_TOKENS = 24
"""Protected words of a sentence; with more, it is cut at them at once."""


def translate_parts(setting: Setting, flat: Flat, parts: Sequence[Part]) -> Work[Translated]:
    """Translate the sentences among the parts of a content, and join all parts."""
    if len(parts) == 1 and parts[0].is_sentence:
        return (yield from _translate_sentence(setting, flat, parts[0]))
    sentences = [part for part in parts if part.is_sentence]
    translated = yield from together(
        [_translate_sentence(setting, flat, part) for part in sentences]
    )
    for index, part in enumerate(sentences):
        if part.goes_on and not flat.text[part.start : part.end].endswith("."):
            contents = [_without_full_stop(content) for content in translated[index].contents]
            translated[index] = replace(translated[index], contents=contents)
    return join_parts(flat, parts, translated, setting.source_language, setting.target_language)


def _translate_sentence(setting: Setting, flat: Flat, part: Part) -> Work[Translated]:
    """Translate a sentence, in parts if its protected words do not survive as a whole."""
    if not setting.glossary and _is_plain(flat, part):
        translated = yield from _translate_plain(setting, flat, part)
        if translated:
            return translated
    skeleton = build_skeleton(flat, part.start, part.end)
    if len(skeleton.tokens) > _MAX_TOKENS:
        return (yield from _cut_at_words(setting, skeleton, with_names=False))
    attempt = Attempt(setting, skeleton, 0, setting.search)
    spans = {
        text: Request(skeleton.sent(attempt.stand_ins, text), setting.search)
        for text in texts_to_translate(skeleton.text, skeleton.codes)
    }
    yield [attempt.request, *spans.values()]
    terms = setting.finder.find(skeleton.text)
    attempt = yield from _with_words(attempt, terms)
    if not attempt.candidates:
        return (yield from _cut_at_words(setting, skeleton, with_names=True))
    attempt = yield from _without_doubts(attempt)
    translations = {
        text: _restored_span(setting, request, skeleton, text) for text, request in spans.items()
    }
    return (yield from _finish(attempt, terms, translations))


def _without_full_stop(content: Content) -> Content:
    """Take off the full stop that a model writes at the end of any text."""
    if not content or not isinstance(content[-1], Text) or content[-1].raw is not None:
        return content
    return (*content[:-1], Text(content[-1].text.removesuffix(".")))


def _is_plain(flat: Flat, part: Part) -> bool:
    """Tell whether a sentence has neither codes nor protected words."""
    if CODE in flat.masked[part.start : part.end]:
        return False
    return not flat.words or next(words_in(flat, part.start, part.end), None) is None


def _translate_plain(setting: Setting, flat: Flat, part: Part) -> Work[Translated | None]:
    """Translate a plain sentence; return None if the answer needs a closer look."""
    # Nearly all sentences are such ones, so that this way is a short one.
    text = flat.text[part.start : part.end]
    request = Request(normalise(text), setting.search)
    yield [request]
    if request.text != text:
        return None
    targets = setting.targets_of(request)
    doubts = setting.doubts_of(request, targets[0])
    if doubts:
        wide = Request(text, setting.wide_search)
        yield [wide]
        others = setting.targets_of(wide)
        if len(found := setting.doubts_of(wide, others[0])) < len(doubts):
            request, targets, doubts = wide, others, found
    if not all(is_usable(text, target) for target in targets):
        return None
    contents = [
        (Text(target),) if target != text else tuple(flat.slice(part.start, part.end))
        for target in targets
    ]
    return Translated(
        contents,
        is_changed=targets[0] != text,
        confidence=setting.memory.answers[request][0].confidence,
        warnings=[(kind, text) for kind in doubts],
    )


def _with_words(attempt: Attempt, terms: Sequence[Term]) -> Work[Attempt]:
    """Make another attempt if the first one lost a protected word or a term."""
    is_lost, missing = not attempt.candidates, missing_terms(attempt, terms)
    if not is_lost and not missing:
        return attempt
    setting, first = attempt.setting, attempt.skeleton
    skeleton = build_skeleton(
        first.flat,
        first.start,
        first.end,
        term_tokens(first, missing),
        names_are_tokens=is_lost and bool(first.names),
    )
    # If only names were lost, numbers are still the best form for the others.
    form = 1 if is_lost and not first.names else 0
    second = Attempt(setting, skeleton, form, setting.search)
    yield [second.request]
    return second if second.candidates else attempt


def _without_doubts(attempt: Attempt) -> Work[Attempt]:
    """Search a doubtful sentence again, more widely; return the better attempt."""
    if not attempt.doubts:
        return attempt
    setting = attempt.setting
    wide = Attempt(setting, attempt.skeleton, attempt.form, setting.wide_search)
    yield [wide.request]
    is_better = wide.candidates and len(wide.doubts) < len(attempt.doubts)
    return wide if is_better else attempt


def _restored_span(setting: Setting, request: Request, skeleton: Skeleton, text: str) -> str:
    """Restore the tokens in the translation of a span."""
    stand_ins = skeleton.stand_ins(0)
    answer = setting.targets_of(request)[0]
    for index, stand_in in enumerate(stand_ins):
        if token(index) in text:
            answer = answer.replace(stand_in, token(index), 1)
    return answer


def _finish(
    attempt: Attempt, terms: Sequence[Term], translations: Mapping[str, str]
) -> Work[Translated]:
    """Put the contents of the candidates together, or cut the sentence at codes without a place."""
    setting, skeleton = attempt.setting, attempt.skeleton
    contents: list[Content] = []
    warnings: list[tuple[WarningKind, str]] = [(kind, skeleton.readable) for kind in attempt.doubts]
    for target, _ in attempt.candidates:
        content, guessed, cut = _content(attempt, target, translations)
        if not contents and (kept := _positions(skeleton, cut)):
            return (yield from _cut(setting, skeleton, kept))
        if guessed and not contents:
            warnings.append(("guessed", skeleton.readable))
        contents.append(content)
    is_replaced = any(each.replacement is not None for each in skeleton.tokens)
    missing = missing_terms(attempt, terms)
    warnings.extend(("glossary", term.source) for term in missing)
    return Translated(
        contents,
        is_changed=is_replaced or attempt.candidates[0][0] != skeleton.normalised,
        confidence=attempt.candidates[0][1].confidence,
        warnings=warnings,
        terms=[AppliedTerm(term.source, term.target, term not in missing) for term in terms],
    )


def _content(
    attempt: Attempt, target: str, translations: Mapping[str, str]
) -> tuple[Content, bool, Sequence[tuple[int, int]]]:
    """Return the content of a translation, whether a place is a guess, and where to cut."""
    skeleton, language = attempt.skeleton, attempt.setting.target_language
    is_replaced = any(each.replacement is not None for each in skeleton.tokens)
    if not is_replaced and target == skeleton.normalised:
        return tuple(skeleton.flat.slice(skeleton.start, skeleton.end)), False, ()
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


def _cut_at_words(setting: Setting, skeleton: Skeleton, *, with_names: bool) -> Work[Translated]:
    """Translate what is between the protected words of a sentence."""
    kinds = ("fixed", "name") if with_names else ("fixed",)
    words = [
        (word.start, word.end)
        for word in words_in(skeleton.flat, skeleton.start, skeleton.end)
        if word.kind in kinds
    ]
    return (yield from _cut(setting, skeleton, words))


def _positions(skeleton: Skeleton, cut: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Find the positions in the content where a sentence has to be cut."""
    positions: dict[tuple[int, int], None] = {}
    for offset, before in cut:
        codes = skeleton.codes
        if before and codes[before - 1].position == offset:
            position = skeleton.ranges[codes[before - 1].code][1]
        elif before < len(codes) and codes[before].position == offset:
            position = skeleton.ranges[codes[before].code][0]
        else:
            position = skeleton.position(offset)
        # A cut at its edge would leave the whole sentence, and so would never end.
        if skeleton.start < position < skeleton.end:
            positions[position, position] = None
    return list(positions)


def _cut(setting: Setting, skeleton: Skeleton, kept: Sequence[tuple[int, int]]) -> Work[Translated]:
    """Translate what is between ranges of a sentence that are kept as they are."""
    flat, start, end = skeleton.flat, skeleton.start, skeleton.end
    if not kept:  # the answers are empty or have invented markup: none can be used
        return Translated([tuple(flat.slice(start, end))], warnings=[("copied", skeleton.readable)])
    parts: list[Part] = []
    for (_, first), (last, after) in pairwise([(start, start), *kept, (end, end)]):
        inner = flat.without_signs(first, last, is_first=first == start, is_last=last == end)
        parts.append(Part(first, inner.start, is_sentence=False))
        parts += [
            replace(part, goes_on=last < end)
            for part in flat.without_edges(inner.start, inner.end, setting.source_language)
        ]
        parts.append(Part(inner.end, after, is_sentence=False))
    joined = yield from translate_parts(setting, flat, parts)
    warnings = [("cut", skeleton.readable), *joined.warnings]
    return replace(joined, warnings=warnings)
