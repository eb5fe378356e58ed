"""The JSON bodies of the answers; their schemas are part of the OpenAPI document."""

from typing import Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from nmt.documents.document import WarningKind
from nmt.languages import languages
from nmt.serving.errors import RequestError
from nmt.serving.types import Served, ServedRoute
from nmt.serving.web.languages import short_code

# A body has exactly the keys of its class, so that clients can be generated from the document.
_EXACT = ConfigDict(extra="forbid", use_attribute_docstrings=True)


@with_config(_EXACT)
class WarningBody(TypedDict):
    """A doubt about the translation of one sentence."""

    kind: WarningKind
    """What is doubtful."""
    path: str
    """Where in the text it is, such as `line 2` or `p[3]`."""
    source: str
    """The sentence, or the term of the glossary."""


@with_config(_EXACT)
class TermBody(TypedDict):
    """A term of the glossary that a text has."""

    source: str
    """The term."""
    target: str
    """Its translation in the glossary."""
    count: int
    """Number of times that the text has the term."""
    applied: bool
    """Whether the translation has the target term every time."""


@with_config(_EXACT)
class TranslatedText(TypedDict):
    """One translated text."""

    text: str
    """The translation."""
    alternatives: NotRequired[list[str]]
    """Other translations, the best first, if the request asked for some."""
    glossary: NotRequired[list[TermBody]]
    """The terms that the text has, if the request has a glossary."""
    confidence: NotRequired[float | None]
    """With `details`: how sure the engine is of the least sure sentence, 0 to 1; null if nothing
    had to be translated."""
    warnings: NotRequired[list[WarningBody]]
    """With `details`: what a translator should look at."""


@with_config(_EXACT)
class DetectedBody(TypedDict):
    """The language that was detected."""

    language: str
    """FLORES-200 code."""
    confidence: float
    """0 to 1; 0 if the texts have no letters."""


@with_config(_EXACT)
class TranslationBody(TypedDict):
    """The translations of a request, in the order of its texts."""

    translations: list[TranslatedText]
    """One for each text, even for a single one."""
    engine: str
    """Digest of the engine that translated all texts."""
    source: str
    """FLORES-200 code."""
    target: str
    """FLORES-200 code."""
    detected: NotRequired[DetectedBody]
    """The source language, if the request left it to the endpoint with `auto`."""


@with_config(_EXACT)
class TextLine(TranslatedText):
    """A line of a stream: a translated text."""

    index: int
    """Position of the text in the request, from 0."""


@with_config(_EXACT)
class LastLine(TypedDict):
    """The last line of a stream, unless it is an error."""

    engine: str
    """Digest of the engine that translated all texts."""
    source: str
    """FLORES-200 code."""
    target: str
    """FLORES-200 code."""
    detected: NotRequired[DetectedBody]
    """The source language, if the request left it to the endpoint with `auto`."""


@with_config(_EXACT)
class RouteBody(TypedDict):
    """A language pair that is served."""

    source: str
    """FLORES-200 code."""
    target: str
    """FLORES-200 code."""
    domain: str | None
    """The value of `domain` in a request for it, or null for texts of any domain."""
    engine: str
    """Digest of its engine."""
    canary: str | None
    """Digest of the engine that a part of the clients gets, or null."""
    percent: int
    """Part of the clients that get it, 0 to 100."""


@with_config(_EXACT)
class HealthBody(TypedDict):
    """What the endpoint serves; the keys of an engine are those of the default route."""

    status: Literal["ok", "no_engine", "stopping"]
    """`no_engine` before the first promotion, `stopping` while the last requests are answered."""
    message: NotRequired[str]
    """Why there is no engine."""
    engine: NotRequired[str]
    """Digest of the engine of requests that name no language."""
    base: NotRequired[str]
    """Model that the engine was trained from."""
    license: NotRequired[str]
    """Licence of that model, which the engine inherits."""
    source: NotRequired[str]
    """FLORES-200 code."""
    target: NotRequired[str]
    """FLORES-200 code."""
    feedback: bool
    """Whether `/v1/feedback` stores ratings and corrections."""
    routes: list[RouteBody]
    """Everything that is served."""


@with_config(_EXACT)
class ReadyBody(TypedDict):
    """A replica that takes requests."""

    status: Literal["ready"]


@with_config(_EXACT)
class LanguageBody(TypedDict):
    """A source language, in LibreTranslate's format."""

    code: str
    """ISO 639 code."""
    name: str
    """English name."""
    targets: list[str]
    """ISO 639 codes of the languages that it is translated to."""


@with_config(_EXACT)
class ErrorBody(TypedDict):
    """The body of every error."""

    error: str
    """What is wrong and what to do, for people; the words may change."""
    code: str
    """What is wrong, for programs; it stays the same between releases."""


@with_config(_EXACT)
class ErrorWithMessageBody(ErrorBody):
    """The body of an error of an operation of DeepL's API."""

    message: NotRequired[str]
    """The same as `error`, where DeepL's clients look for it."""


NO_ENGINE = "no engine has been promoted yet, or none can be loaded"

Body = TranslationBody | HealthBody | ReadyBody | list[LanguageBody] | ErrorBody
Line = TextLine | LastLine | ErrorBody


def health_body(served: Served, *, feedback: bool = False) -> HealthBody:
    """Build the body of `GET /health`."""
    routes = [_route_body(route) for route in served.routes]
    default = served.default
    if default is None:
        status = "stopping" if served.is_stopping else "no_engine"
        return {
            "status": status,
            "message": NO_ENGINE,
            "feedback": feedback,
            "routes": routes,
        }
    return {
        "status": "stopping" if served.is_stopping else "ok",
        "engine": default.engine,
        "base": default.base,
        "license": default.license,
        "source": default.source_language,
        "target": default.target_language,
        "feedback": feedback,
        "routes": routes,
    }


def languages_body(served: Served) -> list[LanguageBody]:
    """Build the body of `GET /languages`, empty when no engine is served."""
    merged: dict[str, LanguageBody] = {}
    for route in served.routes:
        code, name = route.source_language, languages()[route.source_language].name
        body: LanguageBody = {"code": short_code(code), "name": name, "targets": []}
        targets = merged.setdefault(code, body)["targets"]
        target = short_code(route.target_language)
        if target not in targets:
            targets.append(target)
    return list(merged.values())


def error_body(
    error: RequestError, *, has_message: bool = False
) -> ErrorBody | ErrorWithMessageBody:
    """Build the body of an error, with a key `message` too if it should have one."""
    # The message may quote the request, with surrogates that UTF-8 cannot encode.
    message = str(error).encode(errors="replace").decode()
    body: ErrorWithMessageBody = {"error": message, "code": error.code}
    if has_message:
        body["message"] = message
    return body


def _route_body(route: ServedRoute) -> RouteBody:
    return {
        "source": route.source_language,
        "target": route.target_language,
        "domain": route.domain,
        "engine": route.engine,
        "canary": route.canary,
        "percent": route.percent,
    }
