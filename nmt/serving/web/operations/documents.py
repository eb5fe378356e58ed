"""Operations for documents that are translated as jobs."""

import json
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictStr,
    WithJsonSchema,
    with_config,
)
from typing_extensions import TypedDict

from nmt.serving.documents.types import Status
from nmt.serving.errors import (
    DocumentNotDoneError,
    InvalidDocumentError,
    NotFoundError,
    OverloadedError,
    RequestError,
    StorageUnavailableError,
    UnknownEngineError,
    UnknownFormatError,
    UnknownGlossaryError,
)
from nmt.serving.web.bodies.requests import MAX_TERMS, TextFormat, check_glossary
from nmt.serving.web.bodies.responses import WarningBody
from nmt.serving.web.operation import BODY_ERRORS, BYTES, MULTIPART, Operation
from nmt.serving.web.operations.translation import ENGINE_ERRORS
from nmt.serving.web.reading.models import UnicodeText

_EXACT = ConfigDict(extra="forbid", use_attribute_docstrings=True)
_PATH = "/v1/documents/{id}"
_ID = {"id": "Id of the document."}

# Texts of a form are described by patterns. That of terms allows what every JSON parser reads: no
# escape by a number, which may be half of a character. It does not limit the number of terms, as
# readers of schemas ignore a pattern that repeats such a part a thousand times.
_SPACE = r"[ \t\r\n]*"
_CHARACTER = r'(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt])'
_VISIBLE = r'[^\s"\\\u0000-\u001f\u007f-\u009f\ufeff]'
_STRING = rf'"{_CHARACTER}{{0,99}}{_VISIBLE}{_CHARACTER}{{0,99}}"'
_TERM = rf"{_SPACE}{_STRING}{_SPACE}:{_SPACE}{_STRING}{_SPACE}"
_TERMS = rf"^{_SPACE}\{{(?:{_TERM}(?:,{_TERM})*|{_SPACE})\}}{_SPACE}$"
_GLOSSARY = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*(?:[^\s{]|$)", "description": "A name."},
        {
            "type": "string",
            "pattern": _TERMS,
            "description": f"An object of JSON with up to {MAX_TERMS} terms.",
        },
        {"type": "null"},
    ]
}


def _divide(value: object) -> object:
    """Read a list that a form sends as text."""
    return tuple(value.split()) if isinstance(value, str) else value


def _read_glossary(value: object) -> object:
    """Read terms, or the name of a glossary, that a form sends as text."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value or None
    try:
        return check_glossary(json.loads(value))
    except RecursionError:
        raise ValueError("must be an object of terms and translations, or a name") from None


_Pointers = Annotated[tuple[UnicodeText, ...], BeforeValidator(_divide, json_schema_input_type=str)]


class DocumentForm(BaseModel):
    """A document to translate."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    file: bytes
    """The file, with its name."""
    source: StrictStr | None = None
    """FLORES-200 or ISO 639 code, or `auto`; may be left out if the rest of the form decides it."""
    target: StrictStr | None = None
    """The same for the target language."""
    domain: StrictStr | None = None
    """Name of an engine for texts of one kind, if the language pair has one."""
    engine: StrictStr | None = None
    """`stable`, `canary`, or the digest of an engine of the language pair."""
    glossary: Annotated[
        dict[UnicodeText, UnicodeText] | UnicodeText | None,
        BeforeValidator(_read_glossary),
        WithJsonSchema(_GLOSSARY),
    ] = None
    """Name of a glossary of the endpoint, or a JSON object of terms and their translations."""
    format: TextFormat | Literal["docx"] | None = None
    """Format of the file; if it is left out, that of its name."""
    encoding: StrictStr | None = None
    """Encoding of the file, if it is not UTF-8 and does not declare it."""
    overwrite: bool = False
    """Whether finished translations in XLIFF and PO files are made anew."""
    is_wrapped: bool = False
    """Whether the lines of a plain text are joined to paragraphs."""
    keys: _Pointers = ()
    """JSON: pointers of the values to translate, such as `/menu/*/title`, with spaces between them;
    by default, all values that are texts."""
    skipped_keys: _Pointers = ()
    """JSON: pointers of values that are left as they are, with spaces between them."""


@with_config(_EXACT)
class DocumentBody(TypedDict):
    """The state of a document."""

    id: str
    """Id of the document, which nobody can guess."""
    name: str
    """Name of the file."""
    format: str
    """Format of the file."""
    source: str
    """FLORES-200 code."""
    target: str
    """FLORES-200 code."""
    status: Status
    """`done`, `failed` and `cancelled` are ends; a document that has failed or was cancelled can be
    resumed."""
    characters: int
    """Number of characters to translate."""
    sentences: int | None
    """Number of sentences to translate; null until they have been counted."""
    sentences_done: int
    """Number of sentences that are translated."""
    seconds_left: float | None
    """Estimated time until the document is done; null while there is no estimate."""
    engine: str | None
    """Digest of the engine that translates the whole document; null until it has begun."""
    warnings: list[WarningBody]
    """The first 100 doubts about the translation, once the document is done."""
    error: str | None
    """Why the document has failed."""
    created: str
    """When the document was sent, in ISO 8601."""
    expires: str | None
    """When the document and its translation are deleted, in ISO 8601; null until it has ended."""


@with_config(_EXACT)
class DocumentsBody(TypedDict):
    """Documents."""

    documents: list[DocumentBody]
    """The newest first."""


_FIND_ERRORS: tuple[type[RequestError], ...] = (NotFoundError, StorageUnavailableError)

DOCUMENTS = (
    Operation(
        "POST",
        "/v1/documents",
        "createDocument",
        "Translate a document",
        DocumentBody,
        (
            *BODY_ERRORS,
            *ENGINE_ERRORS,
            UnknownEngineError,
            UnknownGlossaryError,
            InvalidDocumentError,
            UnknownFormatError,
            StorageUnavailableError,
            OverloadedError,
        ),
        {MULTIPART: DocumentForm},
        "translate",
        status=202,
        answer_headers=("Location",),
    ),
    Operation(
        "GET",
        "/v1/documents",
        "listDocuments",
        "List the documents of the API key",
        DocumentsBody,
        (StorageUnavailableError,),
        scope="translate",
    ),
    Operation(
        "GET",
        _PATH,
        "getDocument",
        "Show how far a document is",
        DocumentBody,
        _FIND_ERRORS,
        scope="translate",
        path_parameters=_ID,
    ),
    Operation(
        "DELETE",
        _PATH,
        "deleteDocument",
        "Delete a document and its translation",
        None,
        _FIND_ERRORS,
        scope="translate",
        status=204,
        path_parameters=_ID,
    ),
    Operation(
        "GET",
        f"{_PATH}/result",
        "getDocumentResult",
        "Get the translated file",
        BYTES,
        (*_FIND_ERRORS, DocumentNotDoneError),
        scope="translate",
        answer_headers=("Content-Disposition",),
        path_parameters=_ID,
    ),
    Operation(
        "POST",
        f"{_PATH}/cancel",
        "cancelDocument",
        "Stop the translation of a document; what is translated is kept",
        DocumentBody,
        _FIND_ERRORS,
        scope="translate",
        path_parameters=_ID,
    ),
    Operation(
        "POST",
        f"{_PATH}/resume",
        "resumeDocument",
        "Go on with a document that was cancelled or has failed",
        DocumentBody,
        _FIND_ERRORS,
        scope="translate",
        path_parameters=_ID,
    ),
)
"""In the order of the document."""
