"""Operations of DeepL's API, as far as they are about texts."""

from typing import Annotated, Literal, NotRequired

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    WithJsonSchema,
    with_config,
)
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
_FLAGS = {"0": False, "1": True, "false": False, "true": True, "False": False, "True": True}


def _as_list(value: object) -> object:
    """Read a single value as a list of one."""
    return [value] if isinstance(value, str) else value


def _as_flag(value: object) -> object:
    """Read a truth value that a form sends as text."""
    return _FLAGS.get(value, value) if isinstance(value, str) else value


_TEXTS = {"type": "array", "items": {"type": "string"}}
_Texts = Annotated[
    list[UnicodeText],
    Field(min_length=1),
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {**_TEXTS, "minItems": 1}]}),
]
_Names = Annotated[
    list[StrictStr] | None,
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, _TEXTS, {"type": "null"}]}),
]
_Flag = Annotated[
    StrictBool | None,
    BeforeValidator(_as_flag),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": [*_FLAGS]}, {"type": "null"}]}),
]


class DeepLRequest(BaseModel):
    """Texts to translate, as DeepL's clients send them."""

    model_config = _LENIENT

    text: _Texts
    """Texts to translate."""
    target_lang: StrictStr
    """Code of the target language, such as `TA` or `EN-GB`."""
    source_lang: StrictStr | None = None
    """Code of the source language; it is detected if it is left out or empty."""
    tag_handling: Literal["html", "xml", ""] | None = None
    """Whether the texts have markup, which is kept."""
    ignore_tags: _Names = None
    """Elements whose content is not translated; with `tag_handling`."""
    glossary_id: StrictStr | None = None
    """Name of a glossary of the endpoint."""
    formality: Literal["default", "prefer_more", "prefer_less", ""] | None = None
    """The engines have one formality: wishes are ignored, `more` and `less` are refused."""
    show_billed_characters: _Flag = None
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
