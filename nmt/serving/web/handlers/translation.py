"""The handler of the endpoint's own operation for texts."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from nmt.languages import iso_code
from nmt.serving.types import Translation
from nmt.serving.web.answers import json_answer
from nmt.serving.web.context import WebContext
from nmt.serving.web.operation import JSON, Handler
from nmt.serving.web.reading.bodies import media_type_of, read_bytes
from nmt.serving.web.record import RequestRecord, record_of
from nmt.serving.web.requests import body_limit, parse_request
from nmt.serving.web.responses import translation_body
from nmt.serving.web.routes import choose_route
from nmt.text.document import Documents

# Up to this length, splitting takes less time than handing the work to a thread and back.
_MAX_INLINE_CHARACTERS = 2000


class TranslationHandlers:
    """The handler of `POST /v1/translate`."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._body_limit = body_limit(context.config)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation by its name."""
        return {"translate": self.translate}

    async def translate(self, request: Request) -> Response:
        """Handle `POST /v1/translate`."""
        # Before the body is read: a replica that stops must not wait for slow clients.
        self._context.served_now()
        media_type_of(request, (JSON,))
        body = await read_bytes(request, self._body_limit)
        wanted = parse_request(body, self._context.config)
        record = record_of(request)
        self._context.spend(request, len(wanted.text), sum(map(len, wanted.text)))
        route = choose_route(wanted, self._context.served_now())
        record.route, record.engine = route.key, route.engine
        documents = await _split(wanted.text, record.characters, iso_code(route.source_language))
        texts: Sequence[str] = ()
        if sentences := documents.sentences:
            # All sentences in one call: a promotion between two calls would mix two engines.
            translator = self._context.translator
            translation = await translator.translate(sentences, route, record.client)
            _note(record, translation)
            texts = translation.texts
        joined = documents.join(texts, route.target_language)
        return json_answer(translation_body(joined, record.engine))


async def _split(texts: Sequence[str], characters: int, language: str) -> Documents:
    if characters <= _MAX_INLINE_CHARACTERS:
        return Documents.split(texts, language)
    # In a thread: splitting a long text would block all other requests, even health checks.
    return await asyncio.to_thread(Documents.split, texts, language)


def _note(record: RequestRecord, translation: Translation) -> None:
    sentences = translation.sentences
    record.engine = translation.engine
    record.source_tokens = translation.source_tokens
    record.target_tokens = sum(sentence.tokens for sentence in sentences)
    record.cached = sum(sentence.is_cached for sentence in sentences)
