"""The OpenAPI document, built from the operations, their bodies and their errors."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from pydantic import TypeAdapter

from nmt import __version__
from nmt.config import ServingConfig
from nmt.serving.errors import RequestError
from nmt.serving.types import Served
from nmt.serving.web.bodies.responses import ErrorBody, ErrorWithMessageBody
from nmt.serving.web.openapi.request_schema import (
    form_schema,
    restrict_curator,
    restrict_deepl,
    restrict_document,
    restrict_feedback,
    restrict_file,
    restrict_libretranslate,
    restrict_request,
)
from nmt.serving.web.operation import (
    BYTES,
    COMMON_ERRORS,
    JSON,
    KEY_ERRORS,
    LIMIT_ERRORS,
    NDJSON,
    Operation,
    Schema,
)

_SCHEMA_REFERENCE = "#/components/schemas/{model}"
_HEADERS = {
    "X-Request-Id": "Id of the request, as it was sent or a new one.",
    "Retry-After": "Seconds after which the request may be sent again.",
    "WWW-Authenticate": "How a key is sent.",
    "Allow": "The methods that the path takes.",
    "Location": "Path of what was made.",
    "Content-Disposition": "Name of the file.",
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
_API_KEY_PARAMETER = (
    "API key, for clients that cannot send the header `Authorization`; it may also be a key of the "
    "body."
)
_REASONS = {
    400: "The request is wrong.",
    401: "The request has no valid API key.",
    403: "The API key may not do this.",
    404: "There is nothing at this path.",
    405: "The path does not take this method.",
    409: "The request does not fit the state of what it is about.",
    413: "The request is too large.",
    415: "The body has a media type or a format that is not taken.",
    429: "The API key is above its limits.",
    500: "The service has a bug.",
    503: "The request may be sent again.",
    504: "The request took too long.",
}
_RESTRICTIONS = {
    "TranslateRequest": restrict_request,
    "DocumentForm": restrict_document,
    "LibreTranslateRequest": restrict_libretranslate,
    "CuratorRequest": restrict_curator,
    "DeepLRequest": restrict_deepl,
    "TranslateFileForm": restrict_file,
    "FeedbackRequest": restrict_feedback,
}
"""What adds to the schema of a model what is served at the moment."""


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
        "parameters": list(_parameters(operation, needs_key=needs_key)),
        "responses": {
            str(operation.status): _answer(operation, schemas),
            **_error_answers(operation, errors, schemas),
        },
    }
    if operation.bodies:
        content = dict(_bodies(operation, config, served, schemas))
        described["requestBody"] = {"required": True, "content": content}
    if needs_key:
        keys = {"key": []}
        # An empty requirement: the key may be elsewhere in the request.
        described["security"] = [keys, {}] if operation.takes_api_key else [keys]
    return described


def _parameters(operation: Operation, *, needs_key: bool) -> Iterator[Schema]:
    """Yield the parameters of the headers, the path and the query string."""
    for name, text in _PARAMETERS.items():
        if operation.bodies or name != "X-Client-Session":
            yield {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
    for name, text in operation.path_parameters.items():
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "description": text, "required": True, "schema": schema}
    if operation.query:
        described = operation.query.model_json_schema()
        required = described.get("required", ())
        for name, schema in described.get("properties", {}).items():
            text = schema.pop("description", "")
            parameter = {"name": name, "in": "query", "description": text, "schema": schema}
            yield {**parameter, "required": name in required}
    if operation.takes_api_key and needs_key:
        schema = {"type": "string"}
        text = _API_KEY_PARAMETER
        yield {"name": "api_key", "in": "query", "description": text, "schema": schema}


def _bodies(
    operation: Operation, config: ServingConfig, served: Served, schemas: Schema
) -> Iterator[tuple[str, Schema]]:
    """Yield the schema of the body in each media type."""
    for media_type, body in operation.bodies.items():
        new: Schema = {}
        described: Schema = {"schema": _schema_of(body, new)}
        for name in new.keys() & _RESTRICTIONS.keys():
            _RESTRICTIONS[name](cast(Schema, new[name]), config, served)
        if media_type != JSON:
            new = {
                f"{name.removesuffix('Form')}Form": form_schema(schema)
                for name, schema in new.items()
            }
            described["schema"] = {"$ref": _SCHEMA_REFERENCE.format(model=next(iter(new)))}
        schemas.update(new)
        if media_type == JSON and operation.examples:
            described["examples"] = operation.examples(served)
        yield media_type, described


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
    """Describe the answer of a request that succeeds."""
    described: Schema = {
        "description": "The answer.",
        "headers": _headers(*operation.answer_headers),
    }
    answer = operation.answer
    if answer is None:
        return described
    media_type = answer if isinstance(answer, str) else JSON
    content = {media_type: answer, **operation.other_answers}
    described["content"] = {
        each: {"schema": _content_schema(each, kind, schemas)} for each, kind in content.items()
    }
    return described


def _content_schema(media_type: str, kind: object, schemas: Schema) -> Schema:
    """Return the schema of an answer in a media type."""
    if isinstance(kind, str):
        return {"type": "string", "format": "binary"} if kind == BYTES else {"type": "string"}
    if media_type == NDJSON:
        # The schema of a line: a schema of the whole is not possible.
        _schema_of(kind, schemas)
        return {"type": "string"}
    return _schema_of(kind, schemas)


def _error_answers(
    operation: Operation, errors: Iterable[type[RequestError]], schemas: Schema
) -> Schema:
    """Describe the error body of each status, with the codes that it may have."""
    by_status: dict[int, list[type[RequestError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    body = _schema_of(ErrorWithMessageBody if operation.has_message else ErrorBody, schemas)
    answers: Schema = {}
    for status, classes in sorted(by_status.items()):
        codes = [error.code for error in classes]
        meanings = "; ".join(f"`{error.code}`: {_meaning(error)}" for error in classes)
        schema = {"allOf": [body, {"properties": {"code": {"enum": codes}}}]}
        names = dict.fromkeys(name for error in classes for name in error.header_names)
        answers[str(status)] = {
            "description": f"{_REASONS[status]} {meanings}.",
            "headers": _headers(*names),
            "content": {JSON: {"schema": schema}},
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
