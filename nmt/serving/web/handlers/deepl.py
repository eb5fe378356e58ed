"""The handlers of DeepL's API, as far as it is about texts."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from nmt.languages import languages
from nmt.serving.errors import InvalidRequestError
from nmt.serving.web.answers import json_answer
from nmt.serving.web.bodies.requests import body_limit, check_limits
from nmt.serving.web.context import WebContext
from nmt.serving.web.languages import AUTO, deepl_code, deepl_targets
from nmt.serving.web.operation import FORM, JSON, Handler
from nmt.serving.web.operations.deepl import (
    DeepLLanguage,
    DeepLLanguagesQuery,
    DeepLRequest,
    DeepLTranslation,
)
from nmt.serving.web.reading.bodies import media_type_of
from nmt.serving.web.reading.models import parse_model
from nmt.serving.web.reading.values import Values, read_values
from nmt.serving.web.texts.preparing import TextRequest, prepare, translate_prepared
from nmt.serving.web.texts.routes import Wanted
from nmt.serving.web.texts.session import TextOptions

_MAX_QUERY_BYTES = 4096
_NO_LIMIT = 10**12
"""What DeepL says of an account without a limit."""
_UNSUPPORTED = ("custom_instructions", "style_id", "translation_memory_id")
"""Keys that would change what a translation says."""


class DeepLHandlers:
    """The handlers of DeepL's operations for texts."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._body_limit = body_limit(context.config)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation by its name."""
        return {
            "deeplTranslate": self.translate,
            "deeplLanguages": self.get_languages,
            "deeplUsage": self.get_usage,
            "deeplGlossaryPairs": self.get_glossary_pairs,
        }

    async def translate(self, request: Request) -> Response:
        """Handle `POST /v2/translate`."""
        # Before the body is read: a replica that stops must not wait for slow clients.
        self._context.served_now()
        media_type_of(request, (JSON, FORM))
        values = _normalised(await read_values(request, self._body_limit))
        check_limits(values.get("text"), self._context.config)
        asked = parse_model(values, DeepLRequest)
        options = TextOptions(
            format="html" if asked.tag_handling else "text",
            ignored_tags=tuple(asked.ignore_tags or ()) if asked.tag_handling else (),
            is_wrapped=values.get("split_sentences") == "nonewlines",
        )
        wanted = Wanted(asked.source_lang or AUTO, asked.target_lang)
        text_request = TextRequest(asked.text, wanted, options, asked.glossary_id or None)
        prepared = await prepare(self._context, request, text_request)
        results = await translate_prepared(self._context, request, prepared)
        source = deepl_code(prepared.route.source_language)
        translations: list[DeepLTranslation] = [
            {"detected_source_language": source, "text": result.text} for result in results
        ]
        if asked.show_billed_characters:
            for translation, text in zip(translations, asked.text, strict=True):
                translation["billed_characters"] = len(text)
        return json_answer({"translations": translations})

    async def get_languages(self, request: Request) -> Response:
        """Handle `GET /v2/languages`."""
        # DeepL's own client sends the parameter in the body of a GET.
        values = await read_values(request, _MAX_QUERY_BYTES)
        asked = parse_model(values, DeepLLanguagesQuery)
        routes = self._context.translator.served().routes
        if asked.type == "source":
            codes = dict.fromkeys(route.source_language for route in routes)
            return json_answer([_language(deepl_code(code), code) for code in codes])
        codes = dict.fromkeys(route.target_language for route in routes)
        targets = [
            {**_language(variant, code), "supports_formality": False}
            for code in codes
            for variant in deepl_targets(code)
        ]
        return json_answer(targets)

    async def get_usage(self, _request: Request) -> Response:
        """Handle `GET /v2/usage`."""
        return json_answer({"character_count": 0, "character_limit": _NO_LIMIT})

    async def get_glossary_pairs(self, _request: Request) -> Response:
        """Handle `GET /v2/glossary-language-pairs`."""
        # Weblate asks before each translation, and fails if there is no answer.
        return json_answer({"supported_languages": []})


def _normalised(values: Values) -> Values:
    """Rename the keys of lists that some clients send as `text[]`.

    Raises:
        InvalidRequestError: a key asks for what the engines cannot do.
    """
    unsupported = [name for name in _UNSUPPORTED if values.get(name)]
    if unsupported:
        raise InvalidRequestError(f"{', '.join(unsupported)}: not supported; leave the key out")
    if values.get("formality") in ("more", "less"):
        raise InvalidRequestError(
            "formality: the engines have one formality; send `default`, `prefer_more` or "
            "`prefer_less`, or leave the key out"
        )
    return {name.removesuffix("[]"): value for name, value in values.items()}


def _language(code: str, flores: str) -> DeepLLanguage:
    return {"language": code, "name": languages()[flores].name}
