"""The handler of the endpoint's own operation for texts."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from nmt.documents.document import Document
from nmt.serving.errors import DeadlineExceededError, RequestError
from nmt.serving.web.answers import json_answer, lines_answer, refusal
from nmt.serving.web.bodies.requests import TranslateRequest, body_limit, parse_request
from nmt.serving.web.bodies.responses import TranslatedText, error_body
from nmt.serving.web.context import WebContext
from nmt.serving.web.operation import JSON, NDJSON, Handler
from nmt.serving.web.reading.bodies import media_type_of, read_bytes
from nmt.serving.web.record import record_of
from nmt.serving.web.streaming import WriteLine
from nmt.serving.web.texts.preparing import (
    PreparedTexts,
    TextRequest,
    prepare,
    session_of,
    translate_prepared,
)
from nmt.serving.web.texts.routes import Wanted
from nmt.serving.web.texts.session import TextOptions, TextResult, TextSession
from nmt.serving.web.texts.translation_bodies import last_line, translated_text, translation_body


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
        asked = parse_request(body, self._context.config)
        prepared = await prepare(self._context, request, _text_request(asked))
        if NDJSON in request.headers.get("accept", "").lower():
            # Lines follow a status of 200, so that the engine is refused before. The session is
            # opened again for them: one that is passed on would leak if the deadline ends here.
            with session_of(self._context, request, prepared):
                pass
            return lines_answer(partial(self._stream, request, asked, prepared))
        results = await translate_prepared(self._context, request, prepared)
        texts = [_text_body(result, asked) for result in results]
        engine = record_of(request).engine
        return json_answer(translation_body(texts, engine, prepared.route, prepared.detected))

    async def _stream(
        self, request: Request, asked: TranslateRequest, prepared: PreparedTexts, write: WriteLine
    ) -> None:
        """Write a line for each text as it is ready, and a last one about all of them."""
        record = record_of(request)
        seconds = self._context.config.request_timeout_seconds
        deadline = asyncio.timeout(record.arrival + seconds - time.monotonic())
        try:
            async with deadline:
                with session_of(self._context, request, prepared) as session:
                    await _write_texts(session, asked, prepared.documents, write)
            await write(last_line(record.engine, prepared.route, prepared.detected))
        except Exception as error:
            is_late = isinstance(error, TimeoutError) and deadline.expired()
            late = DeadlineExceededError(f"no answer within {seconds:g} s")
            # The status is sent, so that the error is a line.
            told: RequestError = late if is_late else refusal(request, error)
            record.code = told.code
            await write(error_body(told))


async def _write_texts(
    session: TextSession, asked: TranslateRequest, documents: Sequence[Document], write: WriteLine
) -> None:
    """Translate texts side by side, and write each as soon as it is ready."""

    async def translate(index: int, document: Document) -> tuple[int, TextResult]:
        [result] = await session.translate([document])
        return index, result

    tasks = [asyncio.create_task(translate(*pair)) for pair in enumerate(documents)]
    try:
        for task in asyncio.as_completed(tasks):
            index, result = await task
            await write({"index": index, **_text_body(result, asked)})
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _text_request(asked: TranslateRequest) -> TextRequest:
    options = TextOptions(
        format=asked.format,
        alternatives=asked.alternatives,
        beam_size=asked.beam_size,
        engine=asked.engine,
    )
    wanted = Wanted(asked.source, asked.target, asked.domain)
    return TextRequest(asked.text, wanted, options, asked.glossary)


def _text_body(result: TextResult, asked: TranslateRequest) -> TranslatedText:
    return translated_text(
        result,
        alternatives=asked.alternatives > 0,
        glossary=asked.glossary is not None,
        details=asked.details,
    )
