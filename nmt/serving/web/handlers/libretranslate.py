"""The handlers of LibreTranslate's API, and of NeMo Curator's at the same path."""

from collections.abc import Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from nmt.documents.formats.registry import FORMATS
from nmt.languages import languages
from nmt.serving.detection import Detection, detect_languages
from nmt.serving.web.answers import json_answer
from nmt.serving.web.bodies.requests import body_limit, check_limits
from nmt.serving.web.context import WebContext
from nmt.serving.web.languages import short_code
from nmt.serving.web.operation import Handler
from nmt.serving.web.operations.libretranslate import (
    CuratorBody,
    CuratorRequest,
    DetectRequest,
    LibreDetection,
    LibreTranslateRequest,
    LibreTranslationBody,
    SettingsBody,
)
from nmt.serving.web.reading.models import parse_model
from nmt.serving.web.reading.values import Values, api_key_of, read_values
from nmt.serving.web.texts.preparing import PreparedTexts, TextRequest, prepare, translate_prepared
from nmt.serving.web.texts.routes import Wanted
from nmt.serving.web.texts.session import TextOptions, TextResult

_FRONTEND_TIMEOUT_MILLISECONDS = 500


class LibreTranslateHandlers:
    """The handlers of LibreTranslate's operations for texts."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._body_limit = body_limit(context.config)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation by its name."""
        return {
            "libreTranslate": self.translate,
            "libreDetect": self.detect,
            "libreSettings": self.get_settings,
        }

    async def translate(self, request: Request) -> Response:
        """Handle `POST /translate`."""
        values = await self._admitted_values(request)
        if "q" not in values and "texts" in values:
            return json_answer(await self._translate_for_curator(request, values))
        check_limits(values.get("q"), self._context.config)
        asked = parse_model(values, LibreTranslateRequest)
        texts = [asked.q] if isinstance(asked.q, str) else asked.q
        options = TextOptions(format=asked.format or "text", alternatives=asked.alternatives)
        wanted = Wanted(asked.source, asked.target, asked.domain or None)
        prepared = await prepare(self._context, request, TextRequest(texts, wanted, options))
        results = await translate_prepared(self._context, request, prepared)
        return json_answer(_translation_body(asked, prepared, results))

    async def detect(self, request: Request) -> Response:
        """Handle `POST /detect`."""
        values = await self._admitted_values(request)
        check_limits(values.get("q"), self._context.config)
        text = parse_model(values, DetectRequest).q
        self._context.spend(request, 1, len(text))
        served = self._context.translator.served()
        sources = [route.source_language for route in served.routes]
        found = await run_in_threadpool(detect_languages, text, sources)
        # Clients take the first, so that there always is one.
        default = served.default.source_language if served.default else "eng_Latn"
        return json_answer([_detection(each) for each in found or [Detection(default, 0.0)]])

    async def get_settings(self, _request: Request) -> Response:
        """Handle `GET /frontend/settings`."""
        config = self._context.config
        suffixes = sorted({suffix for each in FORMATS.values() for suffix in each.suffixes})
        body: SettingsBody = {
            "charLimit": config.max_characters,
            "frontendTimeout": _FRONTEND_TIMEOUT_MILLISECONDS,
            "apiKeys": config.needs_keys,
            "keyRequired": config.needs_keys,
            "suggestions": False,
            "feedback": self._context.feedback is not None,
            "filesTranslation": self._context.documents is not None,
            "supportedFilesFormat": suffixes,
        }
        if default := self._context.translator.served().default:
            target = default.target_language
            body["language"] = {
                "source": {"code": "auto", "name": "Auto Detect"},
                "target": {"code": short_code(target), "name": languages()[target].name},
            }
        return json_answer(body)

    async def _admitted_values(self, request: Request) -> Values:
        """Read the keys of a request, and check its API key, which may be one of them."""
        # Before the body is read: a replica that stops must not wait for slow clients.
        self._context.served_now()
        values = await read_values(request, self._body_limit)
        self._context.admit(request, "translate", api_key_of(values))
        return values

    async def _translate_for_curator(self, request: Request, values: Values) -> CuratorBody:
        check_limits(values["texts"], self._context.config)
        asked = parse_model(values, CuratorRequest)
        wanted = Wanted(asked.src_lang, asked.tgt_lang)
        prepared = await prepare(self._context, request, TextRequest(asked.texts, wanted))
        results = await translate_prepared(self._context, request, prepared)
        return {"translations": [result.text for result in results]}


def _translation_body(
    asked: LibreTranslateRequest, prepared: PreparedTexts, results: Sequence[TextResult]
) -> LibreTranslationBody:
    """Build an answer in the shape of the request: a text, or lists."""
    is_list = isinstance(asked.q, list)
    texts = [result.text for result in results]
    body: LibreTranslationBody = {"translatedText": texts if is_list else texts[0]}
    if prepared.detected:
        detected = _detection(prepared.detected)
        body["detectedLanguage"] = [detected for _ in texts] if is_list else detected
    if asked.alternatives:
        others = [list(result.alternatives) for result in results]
        body["alternatives"] = others if is_list else others[0]
    return body


def _detection(found: Detection) -> LibreDetection:
    confidence = round(100 * found.confidence, 1)
    return {"confidence": confidence, "language": short_code(found.language)}
