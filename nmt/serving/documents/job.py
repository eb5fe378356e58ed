"""The work on one document, from its file to its translated file."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import islice
from typing import ParamSpec, TypeVar

from nmt.config import ServingConfig
from nmt.documents.document import TranslatedSegment
from nmt.documents.errors import BrokenDocumentError
from nmt.documents.formats.registry import read_document
from nmt.documents.translation.pipeline import TranslationOptions, translate_segments
from nmt.documents.translator import Candidate
from nmt.errors import InputError, StorageError, TranslationError
from nmt.serving.documents.leases import LeaseLostError, Leases, utc_now
from nmt.serving.documents.sentences import SlicedTranslator
from nmt.serving.documents.slices import Answers, Asked
from nmt.serving.documents.store import DocumentStore
from nmt.serving.documents.types import (
    MAX_WARNINGS,
    DocumentState,
    DocumentWarning,
    StoredDocument,
)
from nmt.serving.errors import NoEngineError, StoppingError, UnknownEngineError
from nmt.serving.types import ServedRoute, Session, Translator

log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

# About ten minutes: an outage of the storage root should not fail a document.
_MAX_ATTEMPTS, _MAX_BACKOFF_SECONDS = 25, 30.0
_FIRST_BACKOFF_SECONDS = 0.5


class DocumentJob:
    """The work of one worker on one document, whose lease it holds."""

    def __init__(
        self,
        document: StoredDocument,
        *,
        store: DocumentStore,
        leases: Leases,
        translator: Translator,
        config: ServingConfig,
    ) -> None:
        """Set up; `run` begins to work.

        Args:
            document: with its lease.
            store: the documents.
            leases: of the replica.
            translator: of the replica.
            config: limits of a document, and how long it is kept.
        """
        self.document = document
        self._request, self._state = document.request, document.state
        self._store, self._leases = store, leases
        self._translator, self._config = translator, config
        self._sentences = document.state.sentences
        self._earlier = self._known = self._translated = 0
        self._started = time.monotonic()

    async def run(self) -> None:
        """Translate the document, and store how it has ended.

        Raises:
            LeaseLostError: the document was cancelled, deleted or taken over.
        """
        try:
            await self._run()
        except (LeaseLostError, NoEngineError, StoppingError):
            # The document goes back, and waits for a replica that can translate it.
            raise
        except (InputError, UnknownEngineError, TranslationError) as error:
            await self._fail(str(error))
        except BrokenDocumentError as error:
            log.error("the result of a document is broken: %s", error)
            await self._fail(str(error))
        except StorageError as error:
            # The message names paths, which are not for clients.
            log.error("a document cannot be stored: %s", error)
            await self._fail("the storage of the service does not work")
        except Exception as error:
            log.error("a document failed", exc_info=error)
            await self._fail("the service failed; its log says why")

    async def renew(self) -> None:
        """Store the progress, and renew the lease.

        Raises:
            LeaseLostError: the lease is not held any more.
            StorageError: the state cannot be read or written.
        """
        await asyncio.to_thread(self._leases.change, self.document, self._with_progress)

    async def _run(self) -> None:
        with self._open_session() as session:
            await self._use(session.engine)
            request = self._request
            source = await self._retried(self._store.source, request.id)
            limit = self._config.max_document_characters
            document = await asyncio.to_thread(
                read_document, source, request.format, request.options, limit
            )
            known: Answers = await self._retried(self._read_slices)
            translate = SlicedTranslator(
                session, known, save=self._save, on_translated=self._note_translated
            )
            options = TranslationOptions(
                request.options.source_language,
                request.options.target_language,
                glossary=request.glossary,
                progress=self._note_total,
            )
            translated = await translate_segments(document.segments, translate, options)
        # The engine is free while the file is written.
        result = await asyncio.to_thread(document.write, translated)
        await self._retried(self._store.write_result, request.id, result)
        warnings = _warnings(translated)
        await self._change(lambda state: self._done(state, warnings))

    def _open_session(self) -> AbstractContextManager[Session]:
        """Open a session with the engine that has begun the document, or with a new one.

        Raises:
            NoEngineError: the route is not answered here at the moment.
            UnknownEngineError: the engine that the client has chosen is not there any more.
        """
        route, request = self._route(), self._request
        if self._state.engine:
            try:
                return self._session(route, self._state.engine)
            except UnknownEngineError:
                log.info("engine %s is gone: its document is begun anew", self._state.engine)
        return self._session(route, request.engine)

    def _session(self, route: ServedRoute, engine: str | None) -> AbstractContextManager[Session]:
        request = self._request
        return self._translator.session(
            route, request.client, engine=engine, is_background=True, glossary=request.glossary
        )

    def _route(self) -> ServedRoute:
        key = self._request.route
        for route in self._translator.served().routes:
            if route.key == key:
                return route
        raise NoEngineError(f"{key} is not served at the moment")

    async def _use(self, engine: str) -> None:
        """Note the engine, and forget what another one has translated."""
        if engine != self._state.engine:
            update = {"engine": engine, "slices": (), "sentences_done": 0}
            await self._change(lambda state: state.model_copy(update=update))

    def _read_slices(self) -> Answers:
        known: dict[Asked, tuple[Candidate, ...]] = {}
        for answers in self._store.slices(self._request.id, self._state.slices):
            known |= answers
        return known

    async def _save(self, answers: Answers) -> None:
        """Store a slice, so that no other worker translates its sentences again."""
        name = await self._retried(self._store.write_slice, self._request.id, answers)
        await self._change(
            lambda state: self._with_progress(state).model_copy(
                update={"slices": (*state.slices, name)}
            )
        )

    def _note_total(self, done: int, total: int) -> None:
        """Note what the pipeline says: the sentences of earlier calls, and those with the next."""
        if done < total:
            self._earlier, self._sentences = done, total

    def _note_translated(self, known: int, translated: int) -> None:
        self._known = known
        self._translated += translated

    def _with_progress(self, state: DocumentState) -> DocumentState:
        """Return a state with the progress of now."""
        if self._sentences is None:
            return state
        done = self._earlier + self._known
        seconds = None
        if self._translated:
            elapsed = time.monotonic() - self._started
            seconds = round((self._sentences - done) * elapsed / self._translated, 1)
        update = {"sentences": self._sentences, "sentences_done": done, "seconds_left": seconds}
        return state.model_copy(update=update)

    def _done(self, state: DocumentState, warnings: tuple[DocumentWarning, ...]) -> DocumentState:
        total = self._sentences or 0
        update = {"sentences": total, "sentences_done": total, "warnings": warnings}
        ended = state.ended("done", utc_now(), self._config.document_retention_hours)
        # The slices are of no use any more.
        return ended.model_copy(update=update | {"slices": ()})

    async def _fail(self, error: str) -> None:
        hours = self._config.document_retention_hours
        await self._change(lambda state: state.ended("failed", utc_now(), hours, error))

    async def _change(self, change: Callable[[DocumentState], DocumentState]) -> None:
        self._state = await self._retried(self._leases.change, self.document, change)

    async def _retried(
        self, function: Callable[_P, _T], *args: _P.args, **options: _P.kwargs
    ) -> _T:
        """Call a function that uses the storage root in a thread, until it succeeds.

        Raises:
            StorageError: it has failed for minutes.
        """
        for attempt in range(_MAX_ATTEMPTS):
            try:
                return await asyncio.to_thread(function, *args, **options)
            except StorageError as error:
                if attempt == 0:
                    log.warning("a document waits for its storage: %s", error)
                backoff = min(_MAX_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2**attempt)
                await asyncio.sleep(backoff)
        return await asyncio.to_thread(function, *args, **options)


def _warnings(translated: list[TranslatedSegment]) -> tuple[DocumentWarning, ...]:
    found = (warning for segment in translated for warning in segment.warnings)
    return tuple(map(DocumentWarning.of, islice(found, MAX_WARNINGS)))
