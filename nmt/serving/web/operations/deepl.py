"""Operations of DeepL's API, as far as they are about texts."""

from typing import Annotated, Literal, NotRequired

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, with_config
from typing_extensions import TypedDict

from nmt.serving.errors import (
    InvalidDocumentError,
    InvalidRequestError,
    StorageUnavailableError,
    UnknownGlossaryError,
)
from nmt.serving.web.operation import FORM, JSON, JSON_ERRORS, Operation
from nmt.serving.web.operations.translation import ENGINE_ERRORS
from nmt.serving.web.reading.models import UnicodeText

# Keys without an effect here are ignored, as they are hints. Those that would change the meaning of
# the translation are refused.
_LENIENT = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)
_EXACT = ConfigDict(extra="forbid", use_attribute_docstrings=True)
_TRUE, _FALSE = ("1", "true", "True"), ("0", "false", "False", "")


def _none_if_empty(value: object) -> object:
    """Read an empty field of a form, which is one that was left out."""
    return None if value == "" else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _flag(value: object) -> object:
    """Read a truth value that a form sends as text."""
    if isinstance(value, str):
        return True if value in _TRUE else False if value in _FALSE else value
    return bool(value) if value in (0, 1) else value


_Text = Annotated[StrictStr | None, BeforeValidator(_none_if_empty)]
_Formality = Annotated[
    Literal["default", "prefer_more", "prefer_less"] | None, BeforeValidator(_none_if_empty)
]


class DeepLRequest(BaseModel):
    """Texts to translate, as DeepL's clients send them."""

    model_config = _LENIENT

    text: Annotated[list[UnicodeText], BeforeValidator(_as_list), Field(min_length=1)]
    """Texts to translate."""
    target_lang: StrictStr
    """Code of the target language, such as `TA` or `EN-GB`."""
    source_lang: _Text = None
    """Code of the source language; it is detected if it is left out."""
    tag_handling: Annotated[Literal["html", "xml"] | None, BeforeValidator(_none_if_empty)] = None
    """Whether the texts have markup, which is kept."""
    ignore_tags: Annotated[list[StrictStr] | None, BeforeValidator(_as_list)] = None
    """Elements whose content is not translated; with `tag_handling`."""
    glossary_id: _Text = None
    """Name of a glossary of the endpoint."""
    formality: _Formality = None
    """The engines have one formality: `more` and `less` are refused, wishes are ignored."""
    show_billed_characters: Annotated[bool | None, BeforeValidator(_flag)] = None
    """Whether the answer has the number of characters of each text."""


@with_config(_EXACT)
class DeepLTranslation(TypedDict):
    """One translated text."""

    detected_source_language: str
    """Code of the source language, in capital letters."""
    text: str
    """The translation."""
    billed_characters: NotRequired[int]
    """Number of characters of the text, if the request asks for it."""


@with_config(_EXACT)
class DeepLTranslationBody(TypedDict):
    """The translations of a request, in the order of its texts."""

    translations: list[DeepLTranslation]


class DeepLLanguagesQuery(BaseModel):
    """Which languages are asked for."""

    model_config = _LENIENT

    type: Literal["source", "target"] = "source"
    """Whether the languages that are translated from, or those that are translated to."""


@with_config(_EXACT)
class DeepLLanguage(TypedDict):
    """A language."""

    language: str
    """Code, in capital letters."""
    name: str
    """English name."""
    supports_formality: NotRequired[bool]
    """Of target languages; always false."""


@with_config(_EXACT)
class DeepLUsage(TypedDict):
    """How much was translated; characters are not counted, and there is no limit on their sum."""

    character_count: int
    """Always 0."""
    character_limit: int
    """A number that is never reached."""


@with_config(_EXACT)
class DeepLGlossaryPair(TypedDict):
    """Languages that a glossary can be uploaded for."""

    source_lang: str
    target_lang: str


@with_config(_EXACT)
class DeepLGlossaryPairs(TypedDict):
    """For which languages glossaries can be uploaded: none, since `nmt glossaries` adds them."""

    supported_languages: list[DeepLGlossaryPair]


DEEPL = (
    Operation(
        "POST",
        "/v2/translate",
        "deeplTranslate",
        "Translate texts for clients of DeepL",
        DeepLTranslationBody,
        (
            *JSON_ERRORS,
            *ENGINE_ERRORS,
            UnknownGlossaryError,
            StorageUnavailableError,
            InvalidDocumentError,
        ),
        {JSON: DeepLRequest, FORM: DeepLRequest},
        "translate",
        has_message=True,
    ),
    Operation(
        "GET",
        "/v2/languages",
        "deeplLanguages",
        "List the source or the target languages, for clients of DeepL",
        list[DeepLLanguage],
        (InvalidRequestError,),
        query=DeepLLanguagesQuery,
        has_message=True,
    ),
    Operation(
        "GET",
        "/v2/usage",
        "deeplUsage",
        "Check an API key, for clients of DeepL",
        DeepLUsage,
        scope="translate",
        has_message=True,
    ),
    Operation(
        "GET",
        "/v2/glossary-language-pairs",
        "deeplGlossaryPairs",
        "List the languages of glossaries that clients can upload, which are none",
        DeepLGlossaryPairs,
        has_message=True,
    ),
)
"""In the order of the document."""
