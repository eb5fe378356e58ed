"""The endpoint's own operation for texts."""

from nmt.serving.errors import (
    InvalidDocumentError,
    NoEngineError,
    RequestError,
    StoppingError,
    StorageUnavailableError,
    UnknownDomainError,
    UnknownEngineError,
    UnknownFormatError,
    UnknownGlossaryError,
    UnsupportedLanguageError,
)
from nmt.serving.web.bodies.requests import TranslateRequest
from nmt.serving.web.bodies.responses import ErrorBody, LastLine, TextLine, TranslationBody
from nmt.serving.web.openapi.request_schema import example_requests
from nmt.serving.web.operation import JSON, JSON_ERRORS, NDJSON, Operation

ENGINE_ERRORS: tuple[type[RequestError], ...] = (
    UnsupportedLanguageError,
    UnknownDomainError,
    NoEngineError,
    StoppingError,
)
"""Errors of every operation that translates."""

TRANSLATION = (
    Operation(
        "POST",
        "/v1/translate",
        "translate",
        "Translate texts",
        TranslationBody,
        (
            *JSON_ERRORS,
            *ENGINE_ERRORS,
            UnknownEngineError,
            UnknownGlossaryError,
            StorageUnavailableError,
            InvalidDocumentError,
            UnknownFormatError,
        ),
        {JSON: TranslateRequest},
        "translate",
        other_answers={NDJSON: TextLine | LastLine | ErrorBody},
        examples=example_requests,
    ),
)
"""In the order of the document."""
