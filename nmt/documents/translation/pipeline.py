"""Translation of the segments of a document."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from nmt.decoding.settings import Search
from nmt.documents.content import Code, Content, Segment, codes_of, plain_text
from nmt.documents.document import GlossaryMatch, SegmentWarning, TranslatedSegment
from nmt.documents.translation.flat import Flat
from nmt.documents.translation.rounds import Memory, Work, perform, together
from nmt.documents.translation.sentences.attempt import Setting
from nmt.documents.translation.sentences.joining import AppliedTerm
from nmt.documents.translation.sentences.translate import translate_parts
from nmt.documents.translator import TranslateSentences

_WIDE_BEAM, _WIDE_NGRAM = 5, 4
"""Search of the second attempt at a doubtful sentence."""


@dataclass(frozen=True, slots=True)
class TranslationOptions:
    """How segments are translated."""

    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    alternatives: int = 0
    """Maximum number of other translations of each segment."""
    beam_size: int | None = None
    """Number of beams; None for that of the engine."""
    glossary: Mapping[str, str] = field(default_factory=dict)
    """Translations of terms."""
    progress: Callable[[int, int], None] | None = None
    """Told the number of sentences that are translated, and of all."""


async def translate_segments(
    segments: Sequence[Segment], translate: TranslateSentences, options: TranslationOptions
) -> list[TranslatedSegment]:
    """Translate segments: their sentences, each with its codes, protected words and white space.

    All sentences are asked for in one call; what was lost in them, in a few more. The same
    segments and answers give the same calls.

    Args:
        segments: of a document, in order.
        translate: translates sentences.
        options: languages and others.

    Returns:
        Of each segment, its translation; one without a word of the source language as it was.
    """
    count = 1 + options.alternatives
    setting = Setting(
        options.source_language,
        options.target_language,
        Search(count, options.beam_size),
        Search(count, max(_WIDE_BEAM, options.beam_size or 1), _WIDE_NGRAM),
        options.glossary,
        Memory(),
    )
    # Equal texts, as of a table or of subtitles, are translated once.
    keys = [_key(segment) for segment in segments]
    unique: dict[Hashable, Segment] = {}
    for key, segment in zip(keys, segments, strict=True):
        unique.setdefault(key, segment)
    work = together([_translate_segment(setting, each, options) for each in unique.values()])
    characters = sum(len(plain_text(segment.content)) for segment in segments)
    translated = await perform(work, characters, setting.memory, translate, options.progress)
    found = dict(zip(unique, translated, strict=True))
    return [_at(segment, found[key]) for key, segment in zip(keys, segments, strict=True)]


def _key(segment: Segment) -> Hashable:
    """Return what equal segments share; codes are never equal."""
    # Most segments are one text, and the hash of a tuple is much faster than that of `Text`.
    pieces = [
        piece if isinstance(piece, Code) else (piece.text, piece.raw) for piece in segment.content
    ]
    return tuple(pieces), segment.is_wrapped, segment.positional


def _at(segment: Segment, translated: TranslatedSegment) -> TranslatedSegment:
    """Return the translation of an equal segment for a segment, with the path of its own."""
    if not translated.warnings or translated.warnings[0].path == segment.path:
        return translated
    warnings = tuple(replace(warning, path=segment.path) for warning in translated.warnings)
    return replace(translated, warnings=warnings)


def _translate_segment(
    setting: Setting, segment: Segment, options: TranslationOptions
) -> Work[TranslatedSegment]:
    flat = Flat.of(segment.content, is_positional=segment.positional)
    parts = flat.parts(setting.source_language, is_wrapped=segment.is_wrapped)
    translated = yield from translate_parts(setting, flat, parts)
    warnings = [
        SegmentWarning(kind, segment.path, source)
        for kind, source in dict.fromkeys(translated.warnings)
    ]
    best, *others = translated.contents
    codes = codes_of(segment.content)
    if codes != codes_of(best):
        # A file with a lost or doubled code would be broken: better a text that is not translated.
        source = plain_text(segment.content)
        return TranslatedSegment(
            segment.content, warnings=(SegmentWarning("copied", segment.path, source),)
        )
    others = [each for each in others if codes == codes_of(each)]
    return TranslatedSegment(
        best if translated.is_changed else segment.content,
        _others(best, others, options.alternatives) if others else (),
        translated.confidence,
        tuple(warnings),
        _matches(translated.terms) if translated.terms else (),
    )


def _others(best: Content, others: Sequence[Content], alternatives: int) -> tuple[Content, ...]:
    """Choose the other translations that a reader can tell from the best one."""
    chosen = {plain_text(best): best}
    for content in others:
        chosen.setdefault(plain_text(content), content)
    return tuple(chosen.values())[1 : 1 + alternatives]


def _matches(terms: Sequence[AppliedTerm]) -> tuple[GlossaryMatch, ...]:
    """Sum up the terms of the sentences of a segment."""
    ordered = sorted(terms, key=lambda term: (term.source, term.target))
    return tuple(
        GlossaryMatch(source, target, len(found), all(term.is_applied for term in found))
        for (source, target), found in (
            (key, list(group))
            for key, group in groupby(ordered, key=lambda term: (term.source, term.target))
        )
    )
