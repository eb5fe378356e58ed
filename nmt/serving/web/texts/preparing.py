"""What every request for translated texts goes through: its limits, its route and its formats."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from starlette.requests import Request

from nmt.documents.document import Document
from nmt.serving.detection import Detection
from nmt.serving.errors import UnknownGlossaryError
from nmt.serving.types import Served, ServedRoute
from nmt.serving.web.context import WebContext
from nmt.serving.web.record import record_of
from nmt.serving.web.texts.routes import Wanted, choose_route, detect_source
from nmt.serving.web.texts.session import (
    TextOptions,
    TextResult,
    TextSession,
    open_session,
    read_texts,
)

_MAX_SAMPLE = 1000
_MARKUP = re.compile(r"<[^<>]{0,500}>|&#?\w{1,10};|https?://\S+")


@dataclass(frozen=True, slots=True)
class TextRequest:
    """Texts that a client wants to be translated."""

    texts: Sequence[str]
    wanted: Wanted
    """Languages and domain; the source may be `auto`."""
    options: TextOptions = field(default_factory=TextOptions)
    glossary: Mapping[str, str] | str | None = None
    """Terms, or the name of a glossary of the endpoint."""


@dataclass(frozen=True, slots=True)
class PreparedTexts:
    """Texts that were read, with the route and the options of their translation."""

    documents: Sequence[Document]
    route: ServedRoute
    options: TextOptions
    detected: Detection | None
    """The source language, if it was detected."""


async def prepare(context: WebContext, request: Request, asked: TextRequest) -> PreparedTexts:
    """Count the texts of a request against its limits, choose their route, and read them.

    Raises:
        RequestError: the request cannot be answered.
    """
    context.spend(request, len(asked.texts), sum(map(len, asked.texts)))
    served = context.served_now()
    wanted, detected = asked.wanted, None
    if wanted.is_auto:
        detected = await _detect(asked, served)
        wanted = replace(wanted, source=detected.language)
    route = choose_route(wanted, served)
    record = record_of(request)
    record.route, record.engine = route.key, route.engine
    glossary = await find_terms(context, asked.glossary, route)
    options = replace(asked.options, glossary=glossary) if glossary else asked.options
    documents = await read_texts(asked.texts, route, options)
    return PreparedTexts(documents, route, options, detected)


def session_of(
    context: WebContext, request: Request, prepared: PreparedTexts
) -> AbstractContextManager[TextSession]:
    """Choose the engine of a request.

    Raises:
        NoEngineError: the route is not answered at the moment.
        UnknownEngineError: the route has no such engine.
    """
    return open_session(context.translator, prepared.route, prepared.options, record_of(request))


async def translate_prepared(
    context: WebContext, request: Request, prepared: PreparedTexts
) -> list[TextResult]:
    """Translate texts that were read, all with one engine."""
    with session_of(context, request, prepared) as session:
        return await session.translate(prepared.documents)


async def _detect(asked: TextRequest, served: Served) -> Detection:
    """Detect the language of the texts, without what is surely not text."""
    # Some of each text: the first may be a title that says little.
    share = max(_MAX_SAMPLE // max(1, len(asked.texts)), 40)
    sample = " ".join(_MARKUP.sub(" ", text[: 4 * share])[:share] for text in asked.texts)
    # In a thread, since the first call loads the model.
    return await asyncio.to_thread(detect_source, sample[:_MAX_SAMPLE], asked.wanted, served)


async def find_terms(
    context: WebContext, glossary: Mapping[str, str] | str | None, route: ServedRoute
) -> Mapping[str, str]:
    """Return the terms of a glossary, which may be one of the endpoint's.

    Raises:
        UnknownGlossaryError: the endpoint has none of this name.
    """
    if not isinstance(glossary, str):
        return glossary or {}
    if context.glossaries is None:
        raise UnknownGlossaryError("this endpoint has no glossaries")
    source, target = route.source_language, route.target_language
    return await context.glossaries.terms(glossary, source, target)
