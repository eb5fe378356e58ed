"""The handlers of the operations."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache, partial

from starlette.requests import Request
from starlette.responses import Response

from nmt.config import ServingConfig
from nmt.errors import shortened
from nmt.languages import iso_code
from nmt.serving.authentication import Authenticator
from nmt.serving.errors import MediaTypeError, NoEngineError, StoppingError, TooLargeError
from nmt.serving.monitoring.exposition import merge_expositions
from nmt.serving.monitoring.metrics import CONTENT_TYPE, ServingMetrics
from nmt.serving.types import Served, Translation, Translator
from nmt.serving.web.answers import html_answer, json_answer
from nmt.serving.web.docs_page import DOCS_POLICY, render_docs
from nmt.serving.web.openapi import build_document
from nmt.serving.web.operations import OPERATIONS, Handler, Operation
from nmt.serving.web.page import page_response
from nmt.serving.web.record import RequestRecord, record_of
from nmt.serving.web.requests import body_limit, parse_request
from nmt.serving.web.responses import NO_ENGINE, health_body, languages_body, translation_body
from nmt.serving.web.routes import choose_route
from nmt.text.document import Documents

GatherMetrics = Callable[[], Awaitable[bytes]]

# Up to this length, splitting takes less time than handing the work to a thread and back.
_MAX_INLINE_CHARACTERS = 2000


class Service:
    """The handlers of the operations."""

    def __init__(
        self,
        translator: Translator,
        config: ServingConfig,
        authenticator: Authenticator | None,
        *,
        metrics: ServingMetrics | None,
        gather_metrics: GatherMetrics | None,
    ) -> None:
        self._translator = translator
        self._config = config
        self._body_limit = body_limit(config)
        self._authenticator = authenticator
        self._metrics = metrics
        self._gather_metrics = gather_metrics
        self.operations: Sequence[Operation] = [
            each for each in OPERATIONS if metrics or each.name != "getMetrics"
        ]
        # Kept until something else is served: building it takes a tenth of a second.
        self._document_of = lru_cache(maxsize=1)(partial(build_document, self.operations, config))
        self._docs_of = lru_cache(maxsize=1)(lambda served: render_docs(self._document_of(served)))

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation by its name."""
        return {
            "translate": self.translate,
            "getLanguages": self.get_languages,
            "getHealth": self.get_health,
            "getReady": self.get_ready,
            "getMetrics": self.get_metrics,
            "getOpenapi": self.get_openapi,
            "getDocs": self.get_docs,
            "getPage": self.get_page,
        }

    async def translate(self, request: Request) -> Response:
        """Handle `POST /v1/translate`."""
        # Before the body is read: a replica that stops must not wait for slow clients.
        self._served_now()
        _check_media_type(request)
        wanted = parse_request(await _read_body(request, self._body_limit), self._config)
        record = record_of(request)
        record.texts, record.characters = len(wanted.text), sum(map(len, wanted.text))
        if self._authenticator and record.caller:
            self._authenticator.spend(record.caller, record.characters)
        route = choose_route(wanted, self._served_now())
        record.route, record.engine = route.key, route.engine
        documents = await _split(wanted.text, record.characters, iso_code(route.source_language))
        texts: Sequence[str] = ()
        if sentences := documents.sentences:
            # All sentences in one call: a promotion between two calls would mix two engines.
            translation = await self._translator.translate(sentences, route, record.client)
            _note(record, translation)
            texts = translation.texts
        joined = documents.join(texts, route.target_language)
        return json_answer(translation_body(joined, record.engine))

    async def get_health(self, _request: Request) -> Response:
        """Handle `GET /health`."""
        # 200 without an engine too: the service is up, and restarting it would not help.
        return json_answer(health_body(self._translator.served()))

    async def get_ready(self, _request: Request) -> Response:
        """Handle `GET /ready`."""
        if self._served_now().default is None:
            raise NoEngineError(NO_ENGINE)
        return json_answer({"status": "ready"})

    async def get_languages(self, _request: Request) -> Response:
        """Handle `GET /languages`."""
        return json_answer(languages_body(self._translator.served()))

    async def get_metrics(self, _request: Request) -> Response:
        """Handle `GET /metrics`."""
        assert self._metrics  # noqa: S101 - else the operation does not exist
        if self._gather_metrics:
            content = await self._gather_metrics()
        else:
            content = merge_expositions({self._metrics.replica: self._metrics.exposition()})
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return Response(content, headers=headers)

    async def get_openapi(self, _request: Request) -> Response:
        """Handle `GET /openapi.json`."""
        return json_answer(self._document_of(self._translator.served()))

    async def get_docs(self, _request: Request) -> Response:
        """Handle `GET /docs`."""
        return html_answer(self._docs_of(self._translator.served()), DOCS_POLICY)

    async def get_page(self, _request: Request) -> Response:
        """Handle `GET /`."""
        return page_response()

    def _served_now(self) -> Served:
        """Return what is served, unless the replica is about to stop."""
        served = self._translator.served()
        if served.is_stopping:
            raise StoppingError("this replica is about to stop: send the request again")
        return served


async def _split(texts: Sequence[str], characters: int, language: str) -> Documents:
    if characters <= _MAX_INLINE_CHARACTERS:
        return Documents.split(texts, language)
    # In a thread: splitting a long text would block all other requests, even health checks.
    return await asyncio.to_thread(Documents.split, texts, language)


def _check_media_type(request: Request) -> None:
    declared = request.headers.get("content-type", "")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MediaTypeError(
            f"the body is declared as {shortened(media_type) or 'nothing'}: send "
            "Content-Type: application/json"
        )


async def _read_body(request: Request, limit: int) -> bytes:
    """Read the body, and stop as soon as it exceeds the limit."""
    too_large = TooLargeError(f"the body is longer than {limit} bytes")
    declared = request.headers.get("content-length", "")
    # By its length first: a number of thousands of digits would take long to read.
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
        raise too_large
    body = bytearray()
    # The header may be missing or wrong, so that the bytes are counted as well.
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)


def _note(record: RequestRecord, translation: Translation) -> None:
    sentences = translation.sentences
    record.engine = translation.engine
    record.source_tokens = translation.source_tokens
    record.target_tokens = sum(sentence.tokens for sentence in sentences)
    record.cached = sum(sentence.is_cached for sentence in sentences)
