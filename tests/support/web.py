"""Requests to the web application of the endpoint, with a fake translator behind it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from nmt.config import ServingConfig
from nmt.decoding.settings import DEFAULT_SEARCH, Search
from nmt.serving.errors import UnknownEngineError
from nmt.serving.types import Served, ServedRoute, TranslatedSentence, Translation
from nmt.serving.web.app import build_app

ROUTE = ServedRoute("eng_Latn-tam_Taml", "eng_Latn", "tam_Taml", None, "d1", "tiny", "cc-by-nc-4.0")
MEDICAL = ServedRoute(
    "eng_Latn-tam_Taml/medical", "eng_Latn", "tam_Taml", "medical", "d2", "tiny", "cc-by-nc-4.0"
)
CONFIG = ServingConfig(max_texts=4, max_characters=100, request_timeout_seconds=0.2)

Act = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


class FakeTranslator:
    """A translator that returns upper case; each kind of failure can be switched on."""

    def __init__(self, *routes: ServedRoute) -> None:
        routes = routes or (ROUTE,)
        self.now = Served(routes, routes[0])
        self.error: Exception | None = None
        self.seconds = 0.0
        self.calls: list[tuple[list[str], ServedRoute, str]] = []
        self.searches: list[Search] = []
        self.open_sessions = 0
        self.is_cancelled = False

    def served(self) -> Served:
        return self.now

    @contextmanager
    def session(
        self,
        route: ServedRoute,
        client: str,
        *,
        engine: str | None = None,
        is_background: bool = False,
        glossary: Mapping[str, str] | None = None,
    ) -> Iterator["FakeSession"]:
        if engine not in (None, "stable", route.engine):
            raise UnknownEngineError(f"no engine {engine}")
        self.open_sessions += 1
        try:
            yield FakeSession(self, route, client)
        finally:
            self.open_sessions -= 1

    async def translate(
        self,
        sentences: Sequence[str],
        route: ServedRoute,
        client: str,
        search: Search = DEFAULT_SEARCH,
    ) -> Translation:
        # Upper case is not Tamil, so that every sentence is tried once more.
        is_retry = search.no_repeat_ngram_size > 0
        if not is_retry:
            self.calls.append((list(sentences), route, client))
            self.searches.append(search)
        if self.seconds:
            try:
                await asyncio.sleep(self.seconds)
            except asyncio.CancelledError:
                self.is_cancelled = True
                raise
        if self.error:
            raise self.error
        done = [_translated(each, search.count, 0 if is_retry else 1) for each in sentences]
        return Translation(done, route.engine, 0 if is_retry else len(done))


@dataclass(frozen=True, slots=True)
class FakeSession:
    """The engine of one request to a fake translator."""

    translator: FakeTranslator
    route: ServedRoute
    client: str

    @property
    def engine(self) -> str:
        return self.route.engine

    async def translate(
        self, sentences: Sequence[str], search: Search = DEFAULT_SEARCH
    ) -> Translation:
        return await self.translator.translate(sentences, self.route, self.client, search)


def _translated(sentence: str, count: int, tokens: int) -> TranslatedSentence:
    others = tuple(
        TranslatedSentence(f"{sentence.upper()} {rank}", tokens, -1.0)
        for rank in range(2, count + 1)
    )
    return TranslatedSentence(sentence.upper(), tokens, -0.5, others=others)


def call(
    translator: FakeTranslator, act: Act, config: ServingConfig = CONFIG, **parts: Any
) -> httpx.Response:
    """Run an action with a client of the application, and return its answer."""

    async def body() -> httpx.Response:
        app = build_app(translator, config, **parts)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await act(client)

    return asyncio.run(body())


def post(translator: FakeTranslator, body: object) -> httpx.Response:
    """Send a translation request with a JSON body."""
    return call(translator, lambda client: client.post("/v1/translate", json=body))


def post_bytes(
    translator: FakeTranslator, body: bytes, media: str = "application/json"
) -> httpx.Response:
    """Send a translation request with any body and media type."""
    headers = {"content-type": media} if media else {}
    return call(translator, lambda c: c.post("/v1/translate", content=body, headers=headers))


def assert_error(response: httpx.Response, status: int, code: str, words: str = "") -> None:
    """Check that an answer is an error in the documented shape."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error", "code"}
    assert body["code"] == code
    assert words in body["error"]
