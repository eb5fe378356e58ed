"""The handlers of the operations."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from nmt.config import ServingConfig
from nmt.errors import shortened
from nmt.languages import iso_code
from nmt.serving.errors import MediaTypeError, NoEngineError, StoppingError
from nmt.serving.types import Served, Translator
from nmt.serving.web.asgi import Request, Response, json_response
from nmt.serving.web.docs_page import docs_response
from nmt.serving.web.observers import Authenticator
from nmt.serving.web.openapi import Schema, build_document
from nmt.serving.web.operations import OPERATIONS, Handler, Operation
from nmt.serving.web.page import page_response
from nmt.serving.web.requests import body_limit, parse_request
from nmt.serving.web.responses import health_body, languages_body, translation_body
from nmt.serving.web.routes import choose_route
from nmt.text.document import Documents

GatherMetrics = Callable[[], Awaitable[bytes]]

# Up to this length, splitting takes less time than handing the work to a thread and back.
_MAX_INLINE_CHARACTERS = 2000
_METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Service:
    """The handlers of the operations."""

    def __init__(
        self,
        translator: Translator,
        config: ServingConfig,
        authenticator: Authenticator | None,
        gather_metrics: GatherMetrics | None,
    ) -> None:
        self._translator = translator
        self._config = config
        self._body_limit = body_limit(config)
        self._authenticator = authenticator
        self._gather_metrics = gather_metrics
        self.operations: Sequence[Operation] = [
            each for each in OPERATIONS if gather_metrics or each.name != "getMetrics"
        ]

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
        wanted = parse_request(await request.read_body(self._body_limit), self._config)
        request.texts = len(wanted.text)
        request.characters = sum(map(len, wanted.text))
        if self._authenticator and request.caller:
            self._authenticator.spend(request.caller, request.characters)
        route = choose_route(wanted, self._served_now())
        request.engine = route.engine
        documents = await _split(wanted.text, request.characters, iso_code(route.source_language))
        texts: Sequence[str] = ()
        if sentences := documents.sentences:
            # All sentences in one call: a promotion between two calls would mix two engines.
            translation = await self._translator.translate(sentences, route, request.client)
            request.engine, texts = translation.engine, translation.texts
        joined = documents.join(texts, route.target_language)
        return json_response(translation_body(joined, request.engine))

    async def get_health(self, _request: Request) -> Response:
        """Handle `GET /health`."""
        # 200 without an engine too: the service is up, and restarting it would not help.
        return json_response(health_body(self._translator.served()))

    async def get_ready(self, _request: Request) -> Response:
        """Handle `GET /ready`."""
        if self._served_now().default is None:
            raise NoEngineError("no engine has been promoted yet")
        return json_response({"status": "ready"})

    async def get_languages(self, _request: Request) -> Response:
        """Handle `GET /languages`."""
        return json_response(languages_body(self._translator.served()))

    async def get_metrics(self, _request: Request) -> Response:
        """Handle `GET /metrics`."""
        assert self._gather_metrics  # noqa: S101 - else the operation does not exist
        headers = [(b"content-type", _METRICS_TYPE), (b"cache-control", b"no-store")]
        return Response(200, await self._gather_metrics(), headers)

    async def get_openapi(self, _request: Request) -> Response:
        """Handle `GET /openapi.json`."""
        return json_response(self._document())

    async def get_docs(self, _request: Request) -> Response:
        """Handle `GET /docs`."""
        return docs_response(self._document())

    async def get_page(self, _request: Request) -> Response:
        """Handle `GET /`."""
        return page_response()

    def _document(self) -> Schema:
        return build_document(self.operations, self._config, self._translator.served())

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
    declared = request.header(b"content-type") or ""
    media_type = declared.partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MediaTypeError(
            f"the body is declared as {shortened(media_type) or 'nothing'}: send "
            "Content-Type: application/json"
        )
