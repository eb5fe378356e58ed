"""The texts of a request: read in their format, translated with one engine, and written again."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from nmt.documents.content import Content, plain_text
from nmt.documents.document import (
    Document,
    GlossaryMatch,
    ReadOptions,
    SegmentWarning,
    TranslatedSegment,
)
from nmt.documents.errors import DocumentError, DocumentTooLargeError
from nmt.documents.errors import UnknownFormatError as UnknownDocumentFormatError
from nmt.documents.formats.registry import read_string, write_string
from nmt.documents.translation.pipeline import TranslationOptions, translate_segments
from nmt.serving.errors import InvalidDocumentError, TooLargeError, UnknownFormatError
from nmt.serving.sentences import sentence_translator
from nmt.serving.types import ServedRoute, Session, Translation, Translator
from nmt.serving.web.record import RequestRecord

_T = TypeVar("_T")
# Up to this length, reading takes less time than handing the work to a thread and back.
_MAX_INLINE_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How the texts of a request are translated."""

    format: str = "text"
    alternatives: int = 0
    """Maximum number of other translations of each text."""
    beam_size: int | None = None
    engine: str | None = None
    glossary: Mapping[str, str] = field(default_factory=dict[str, str])
    """Terms of the source language, with their translations."""
    is_wrapped: bool = False
    """Whether the lines of a plain text are joined."""
    ignored_tags: tuple[str, ...] = ()
    """Names of elements whose content is not translated."""


@dataclass(frozen=True, slots=True)
class TextResult:
    """A text with its translation."""

    text: str
    alternatives: tuple[str, ...] = ()
    """Other translations, the best first."""
    confidence: float | None = None
    """Of its sentences, the lowest, 0-1; None if nothing was translated."""
    warnings: tuple[SegmentWarning, ...] = ()
    glossary: tuple[GlossaryMatch, ...] = ()


class TextSession:
    """The engine that translates the texts of one request."""

    def __init__(
        self, session: Session, route: ServedRoute, options: TextOptions, record: RequestRecord
    ) -> None:
        self.route = route
        self._options = options
        self._record = record
        self._translate = sentence_translator(session, self._note)

    async def translate(self, documents: Sequence[Document]) -> list[TextResult]:
        """Translate texts that were read, all their sentences together."""
        parts = await self.translate_segments(documents)
        return await _in_thread_if_long(
            sum([len(plain_text(each.content)) for part in parts for each in part]),
            lambda: list(map(_write, documents, parts)),
        )

    async def translate_segments(
        self, documents: Sequence[Document]
    ) -> list[list[TranslatedSegment]]:
        """Translate the segments of documents, all their sentences together."""
        segments = [segment for document in documents for segment in document.segments]
        options = TranslationOptions(
            source_language=self.route.source_language,
            target_language=self.route.target_language,
            alternatives=self._options.alternatives,
            beam_size=self._options.beam_size,
            glossary=self._options.glossary,
        )
        translated = iter(await translate_segments(segments, self._translate, options))
        return [[next(translated) for _ in document.segments] for document in documents]

    def _note(self, translation: Translation) -> None:
        """Add what was translated to the record of the request."""
        record, sentences = self._record, translation.sentences
        record.source_tokens += translation.source_tokens
        record.target_tokens += sum(sentence.tokens for sentence in sentences)
        record.cached += sum(sentence.is_cached for sentence in sentences)


@contextmanager
def open_session(
    translator: Translator, route: ServedRoute, options: TextOptions, record: RequestRecord
) -> Iterator[TextSession]:
    """Choose the engine of a request, and note it in its record.

    Raises:
        NoEngineError: the route is not answered at the moment.
        UnknownEngineError: the route has no such engine.
    """
    record.route = route.key
    with translator.session(
        route, record.client, engine=options.engine, glossary=options.glossary
    ) as session:
        record.engine = session.engine
        yield TextSession(session, route, options, record)


async def read_texts(
    texts: Sequence[str], route: ServedRoute, options: TextOptions
) -> list[Document]:
    """Read texts in their format.

    Raises:
        InvalidDocumentError: a text is not valid in the format.
        TooLargeError: a text is above a limit of the format.
        UnknownFormatError: there is no such format.
    """
    read = ReadOptions(
        route.source_language,
        route.target_language,
        is_wrapped=options.is_wrapped,
        untranslated_elements=options.ignored_tags,
    )

    def read_all() -> list[Document]:
        found: list[Document] = []
        # How many were found says which text is the wrong one.
        with explained(lambda: f"text {len(found) + 1} of {len(texts)}: " * (len(texts) > 1)):
            for text in texts:
                found.append(read_string(text, options.format, read))
        return found

    # In a thread: reading a long text would block all other requests, even health checks.
    return await _in_thread_if_long(sum(map(len, texts)), read_all)


@contextmanager
def explained(place: Callable[[], str] = str) -> Iterator[None]:
    """Turn the errors of documents into those of requests.

    Args:
        place: returns which text it is, if there are several.
    """
    try:
        yield
    except DocumentTooLargeError as error:
        raise TooLargeError(f"{place()}{error}") from None
    except DocumentError as error:
        raise InvalidDocumentError(f"{place()}{error}") from None
    except UnknownDocumentFormatError as error:
        raise UnknownFormatError(f"{place()}{error}") from None


async def _in_thread_if_long(characters: int, work: Callable[[], _T]) -> _T:
    return work() if characters <= _MAX_INLINE_CHARACTERS else await asyncio.to_thread(work)


def _write(document: Document, translated: Sequence[TranslatedSegment]) -> TextResult:
    """Write a text with its translations."""
    text = write_string(document, translated)
    confidences = [each.confidence for each in translated if each.confidence is not None]
    count = max([len(each.alternatives) for each in translated], default=0)
    others = [
        write_string(document, [_with_content(each, rank) for each in translated])
        for rank in range(count)
    ]
    return TextResult(
        text,
        tuple([other for other in dict.fromkeys(others) if other != text]),
        min(confidences, default=None),
        tuple([warning for each in translated for warning in each.warnings]),
        _merge([match for each in translated for match in each.glossary]),
    )


def _with_content(segment: TranslatedSegment, rank: int) -> TranslatedSegment:
    """Return a segment with its alternative of this rank, or as it is if it has too few."""
    contents: tuple[Content, ...] = segment.alternatives
    return replace(segment, content=contents[rank]) if rank < len(contents) else segment


def _merge(matches: Iterable[GlossaryMatch]) -> tuple[GlossaryMatch, ...]:
    """Add up the matches of each term."""
    merged: dict[tuple[str, str], GlossaryMatch] = {}
    for match in matches:
        key = match.source, match.target
        known = merged.get(key)
        merged[key] = (
            GlossaryMatch(*key, known.count + match.count, known.is_applied and match.is_applied)
            if known
            else match
        )
    return tuple(merged.values())
