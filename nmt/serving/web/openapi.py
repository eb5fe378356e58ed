"""The OpenAPI document, built from the operations, their bodies and their errors."""

from collections.abc import Iterable
from typing import Any, cast

from pydantic import TypeAdapter

from nmt import __version__
from nmt.config import ServingConfig
from nmt.serving.errors import RequestError
from nmt.serving.types import Served
from nmt.serving.web.operations import (
    COMMON_ERRORS,
    KEY_ERRORS,
    LIMIT_ERRORS,
    Operation,
)
from nmt.serving.web.request_schema import Schema, example_requests, restrict_request
from nmt.serving.web.responses import ErrorBody

_SCHEMA_REFERENCE = "#/components/schemas/{model}"
_HEADERS = {
    "X-Request-Id": "Id of the request, as it was sent or a new one.",
    "Retry-After": "Seconds after which the request may be sent again.",
    "WWW-Authenticate": "How a key is sent.",
    "Allow": "The methods that the path takes.",
}
_PARAMETERS = {
    "X-Request-Id": (
        "Id of the request in the answer and in the access log: up to 64 letters, digits, dots, "
        "dashes and underscores. If it is missing or has another form, a new id is made."
    ),
    "X-Client-Session": (
        "Name of the user or session, of which the first 128 characters count. Requests with the "
        "same name are answered by the same engine while two engines share the traffic."
    ),
}
_REASONS = {
    200: "The answer.",
    400: "The request is wrong.",
    401: "The request has no valid API key.",
    403: "The API key may not do this.",
    413: "The request is too large.",
    415: "The body is not declared as JSON.",
    429: "The API key is above its limits.",
    500: "The service has a bug.",
    503: "The request may be sent again.",
    504: "The request took too long.",
}


def build_document(
    operations: Iterable[Operation], config: ServingConfig, served: Served
) -> Schema:
    """Build the document of what is served at the moment.

    Args:
        operations: all operations.
        config: limits of requests, and whether they need a key.
        served: languages and domains that a request may name.
    """
    schemas: Schema = {}
    paths: dict[str, Schema] = {}
    for operation in operations:
        described = _describe(operation, config, served, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    components: Schema = {"schemas": schemas}
    if config.needs_keys:
        scheme = {"type": "http", "scheme": "bearer", "description": "An API key."}
        components["securitySchemes"] = {"key": scheme}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Translation endpoint",
            "version": __version__,
            "description": "Translates texts with a fine-tuned model.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
    }


def _describe(
    operation: Operation, config: ServingConfig, served: Served, schemas: Schema
) -> Schema:
    errors = [*operation.errors, *COMMON_ERRORS]
    needs_key = config.needs_keys and operation.scope is not None
    errors += [*KEY_ERRORS] * needs_key + [*LIMIT_ERRORS] * operation.is_limited
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
            for name, text in _PARAMETERS.items()
            if operation.body or name != "X-Client-Session"
        ],
        "responses": {"200": _answer(operation, schemas), **_error_answers(errors, schemas)},
    }
    if operation.body:
        schema = _schema_of(operation.body, schemas)
        restrict_request(cast(Schema, schemas[operation.body.__name__]), config, served)
        media = {"schema": schema, "examples": example_requests(served)}
        described["requestBody"] = {"required": True, "content": {"application/json": media}}
    if needs_key:
        described["security"] = [{"key": []}]
    return described


def _schema_of(body: Any, schemas: Schema) -> Schema:  # noqa: ANN401 - any type
    """Return the schema of a body; the schemas of all classes in it are added to `schemas`."""
    schema: Schema = TypeAdapter(body).json_schema(ref_template=_SCHEMA_REFERENCE)
    schemas.update(cast(Schema, schema.pop("$defs", {})))
    name = schema.get("title")
    if not isinstance(name, str):
        return schema
    schemas[name] = schema
    return {"$ref": _SCHEMA_REFERENCE.format(model=name)}


def _answer(operation: Operation, schemas: Schema) -> Schema:
    answer = operation.answer
    if isinstance(answer, str):
        media, schema = answer, Schema(type="string")
    else:
        media, schema = "application/json", _schema_of(answer, schemas)
    return {
        "description": _REASONS[200],
        "headers": _headers(),
        "content": {media: {"schema": schema}},
    }


def _error_answers(errors: Iterable[type[RequestError]], schemas: Schema) -> Schema:
    """Describe the error body of each status, with the codes that it may have."""
    by_status: dict[int, list[type[RequestError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    body = _schema_of(ErrorBody, schemas)
    answers: Schema = {}
    for status, classes in sorted(by_status.items()):
        codes = [error.code for error in classes]
        meanings = "; ".join(f"`{error.code}`: {_meaning(error)}" for error in classes)
        schema = {"allOf": [body, {"properties": {"code": {"enum": codes}}}]}
        names = dict.fromkeys(name for error in classes for name in error.header_names)
        answers[str(status)] = {
            "description": f"{_REASONS[status]} {meanings}.",
            "headers": _headers(*names),
            "content": {"application/json": {"schema": schema}},
        }
    return answers


def _meaning(error: type[RequestError]) -> str:
    if error is RequestError:
        return "a bug; the log of the service has the details"
    text = (error.__doc__ or "").strip().removesuffix(".")
    return text[:1].lower() + text[1:]


def _headers(*names: str) -> Schema:
    return {
        name: {
            "description": _HEADERS[name],
            "required": True,
            "schema": {"type": "integer" if name == "Retry-After" else "string"},
        }
        for name in ("X-Request-Id", *names)
    }
