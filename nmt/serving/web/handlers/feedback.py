"""The handler of feedback on translations."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from nmt.errors import ConfigError
from nmt.languages import resolve_language
from nmt.serving.errors import (
    FeedbackDisabledError,
    TooLargeError,
    UnsupportedLanguageError,
)
from nmt.serving.feedback.rows import Feedback
from nmt.serving.web.answers import json_answer
from nmt.serving.web.bodies.feedback import FeedbackRequest
from nmt.serving.web.bodies.requests import body_limit
from nmt.serving.web.context import WebContext
from nmt.serving.web.operation import JSON, Handler
from nmt.serving.web.reading.bodies import media_type_of, parse_json, read_bytes
from nmt.serving.web.reading.models import parse_model
from nmt.serving.web.record import record_of

# A text, its translation and the correction.
_TEXTS = 3


class FeedbackHandlers:
    """The handler of `POST /v1/feedback`."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation by its name."""
        return {"sendFeedback": self.send_feedback}

    async def send_feedback(self, request: Request) -> Response:
        """Handle `POST /v1/feedback`."""
        store = self._context.feedback
        if store is None:
            raise FeedbackDisabledError("this endpoint stores no feedback (serving.feedback)")
        media_type_of(request, (JSON,))
        body = await read_bytes(request, _TEXTS * body_limit(self._context.config))
        feedback = self._read(request, parse_model(parse_json(body), FeedbackRequest))
        await store.add(feedback)
        if self._context.count_correction and feedback.kind == "corrections":
            self._context.count_correction(feedback.engine, record_of(request).client)
        return json_answer({"id": feedback.id})

    def _read(self, request: Request, sent: FeedbackRequest) -> Feedback:
        """Check what was sent, and add who sent it."""
        characters = len(sent.text) + len(sent.translation) + len(sent.correction or "")
        limit = _TEXTS * self._context.config.max_characters
        if characters > limit:
            raise TooLargeError(f"{characters} characters: feedback may hold {limit}")
        self._context.spend(request, 1, characters)
        return Feedback(
            id=secrets.token_hex(8),
            time=datetime.now(UTC),
            kind="corrections" if sent.correction else "ratings",
            source_language=_resolve(sent.source),
            target_language=_resolve(sent.target),
            source=sent.text,
            target=sent.correction or sent.translation,
            translation=sent.translation,
            engine=sent.engine,
            domain=sent.domain,
            rating=sent.rating,
            request_id=sent.request_id,
            key=record_of(request).key_id,
        )


def _resolve(language: str) -> str:
    try:
        return resolve_language(language)
    except ConfigError as error:
        raise UnsupportedLanguageError(str(error)) from None
