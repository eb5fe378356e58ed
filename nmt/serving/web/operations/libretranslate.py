"""Operations of LibreTranslate's API, and of NeMo Curator's at the same path."""

import re
from typing import Annotated, NotRequired

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    with_config,
)
from typing_extensions import TypedDict

from nmt.serving.errors import (
    InvalidDocumentError,
    NotFoundError,
    StorageUnavailableError,
    UnknownFormatError,
)
from nmt.serving.web.bodies.requests import TextFormat
from nmt.serving.web.operation import (
    BODY_ERRORS,
    BYTES,
    FORM,
    JSON,
    JSON_ERRORS,
    MULTIPART,
    Operation,
)
from nmt.serving.web.operations.translation import ENGINE_ERRORS
from nmt.serving.web.reading.models import UnicodeText, as_integer

# Unknown keys are ignored, as LibreTranslate does: its clients send some that have no effect here.
_LENIENT = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)
_EXACT = ConfigDict(extra="forbid", use_attribute_docstrings=True)


_NUMBER = r"[0-5](\.0+)?"


def _as_number(value: object) -> object:
    """Read a number that a form sends as text."""
    return int(value[0]) if isinstance(value, str) and re.fullmatch(_NUMBER, value) else value


_Alternatives = Annotated[
    StrictInt,
    Field(ge=0, le=5),
    BeforeValidator(as_integer),
    BeforeValidator(_as_number),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 5},
                {"type": "string", "pattern": f"^{_NUMBER}$"},
            ]
        }
    ),
]


class LibreTranslateRequest(BaseModel):
    """Texts to translate, as LibreTranslate's clients send them."""

    model_config = _LENIENT

    q: UnicodeText | list[UnicodeText]
    """A text, or a list of texts."""
    source: StrictStr
    """ISO 639 code, or `auto`."""
    target: StrictStr
    """ISO 639 code."""
    format: TextFormat | None = None
    """Format of the texts; LibreTranslate knows `text`, which is taken by default, and `html`."""
    alternatives: _Alternatives = 0
    """Number of other translations of each text that are wanted."""
    domain: StrictStr | None = None
    """Name of an engine for texts of one kind, which LibreTranslate does not have."""
    api_key: StrictStr | None = None
    """API key, for clients that do not send it in the header `Authorization`."""


class CuratorRequest(BaseModel):
    """Texts to translate, as NeMo Curator sends them."""

    model_config = _LENIENT

    texts: list[UnicodeText] = Field(min_length=1)
    """Texts to translate."""
    src_lang: StrictStr
    """ISO 639 code."""
    tgt_lang: StrictStr
    """ISO 639 code."""


class DetectRequest(BaseModel):
    """A text whose language is asked for."""

    model_config = _LENIENT

    q: UnicodeText
    """The text."""
    api_key: StrictStr | None = None
    """API key, for clients that do not send it in the header `Authorization`."""


class TranslateFileForm(BaseModel):
    """A file to translate."""

    model_config = _LENIENT

    file: bytes
    """The file, whose format is that of its name."""
    source: StrictStr
    """ISO 639 code, or `auto`."""
    target: StrictStr
    """ISO 639 code."""
    domain: StrictStr | None = None
    """Name of an engine for texts of one kind, which LibreTranslate does not have."""
    api_key: StrictStr | None = None
    """API key, for clients that do not send it in the header `Authorization`."""


@with_config(_EXACT)
class LibreDetection(TypedDict):
    """A language that a text may be in."""

    confidence: float
    """0 to 100."""
    language: str
    """ISO 639 code."""


@with_config(_EXACT)
class LibreTranslationBody(TypedDict):
    """Translations for LibreTranslate's clients: lists if the texts were sent as a list."""

    translatedText: str | list[str]
    """The translation."""
    detectedLanguage: NotRequired[LibreDetection | list[LibreDetection]]
    """The source language, if the request left it to the endpoint with `auto`."""
    alternatives: NotRequired[list[str] | list[list[str]]]
    """Other translations, if the request asked for some."""


@with_config(_EXACT)
class CuratorBody(TypedDict):
    """Translations for NeMo Curator."""

    translations: list[str]
    """One for each text."""


@with_config(_EXACT)
class TranslatedFileBody(TypedDict):
    """A translated file."""

    translatedFileUrl: str
    """Address of the translated file, without a key; it works for a limited time."""


@with_config(_EXACT)
class NamedLanguage(TypedDict):
    """A language."""

    code: str
    """ISO 639 code, or `auto`."""
    name: str
    """English name."""


@with_config(_EXACT)
class DefaultLanguages(TypedDict):
    """The languages that a page should begin with."""

    source: NamedLanguage
    target: NamedLanguage


@with_config(_EXACT)
class SettingsBody(TypedDict):
    """What a page needs to know about the endpoint."""

    charLimit: int
    """Maximum number of characters of a request."""
    frontendTimeout: int
    """Milliseconds that a page should wait for more input before it translates."""
    apiKeys: bool
    """Whether there are API keys."""
    keyRequired: bool
    """Whether requests need one."""
    suggestions: bool
    """Always false: corrections are sent to `/v1/feedback`."""
    feedback: bool
    """Whether `/v1/feedback` stores ratings and corrections."""
    filesTranslation: bool
    """Whether files are translated."""
    supportedFilesFormat: list[str]
    """Suffixes of the files that are translated, with the dot."""
    language: NotRequired[DefaultLanguages]
    """The default languages; missing if nothing is served."""


LIBRETRANSLATE = (
    Operation(
        "POST",
        "/translate",
        "libreTranslate",
        "Translate texts for clients of LibreTranslate and of NeMo Curator",
        LibreTranslationBody | CuratorBody,
        (*JSON_ERRORS, *ENGINE_ERRORS, InvalidDocumentError, UnknownFormatError),
        {JSON: LibreTranslateRequest | CuratorRequest, FORM: LibreTranslateRequest},
        "translate",
        takes_api_key=True,
    ),
    Operation(
        "POST",
        "/detect",
        "libreDetect",
        "Detect the language of a text, for clients of LibreTranslate",
        list[LibreDetection],
        JSON_ERRORS,
        {JSON: DetectRequest, FORM: DetectRequest},
        "translate",
        takes_api_key=True,
    ),
    Operation(
        "POST",
        "/translate_file",
        "libreTranslateFile",
        "Translate a short file, for clients of LibreTranslate",
        TranslatedFileBody,
        (
            *BODY_ERRORS,
            *ENGINE_ERRORS,
            StorageUnavailableError,
            InvalidDocumentError,
            UnknownFormatError,
        ),
        {MULTIPART: TranslateFileForm},
        "translate",
        takes_api_key=True,
    ),
    Operation(
        "GET",
        "/download_file/{id}/{name}",
        "libreDownloadFile",
        "Get a translated file",
        BYTES,
        (NotFoundError, StorageUnavailableError),
        answer_headers=("Content-Disposition",),
        path_parameters={"id": "From `translatedFileUrl`.", "name": "Any name."},
    ),
    Operation(
        "GET",
        "/frontend/settings",
        "libreSettings",
        "Show what a page needs to know",
        SettingsBody,
    ),
)
"""In the order of the document."""
