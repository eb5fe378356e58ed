"""The OpenAPI document against the application that it describes."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, example, given, reject, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.python.asgi import ASGIClient, get_client
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import ASGIApp, Message

from nmt.config import ServingConfig
from nmt.serving.authentication import Authenticator
from nmt.serving.documents.service import Documents
from nmt.serving.documents.store import DocumentStore
from nmt.serving.documents.worker import DocumentWorkers
from nmt.serving.errors import MethodNotAllowedError, RateLimitedError, RequestError
from nmt.serving.monitoring.metrics import PATHS, ServingMetrics
from nmt.serving.types import ServedRoute
from nmt.serving.web.app import build_app
from nmt.serving.web.operations import OPERATIONS
from nmt.storage import Storage
from tests.support.project import PROJECT
from tests.support.web import MEDICAL, ROUTE, FakeTranslator, call

OPEN = ServingConfig(require_keys=False)
FRENCH = ServedRoute("fra_Latn-tam_Taml", "fra_Latn", "tam_Taml", None, "d3", "tiny", "mit")
GERMAN = ServedRoute("eng_Latn-deu_Latn/law", "eng_Latn", "deu_Latn", "law", "d4", "tiny", "mit")


def all_errors() -> list[type[RequestError]]:
    return [RequestError, *RequestError.__subclasses__()]


def example_of(error: type[RequestError]) -> RequestError:
    """Make an error of any class."""
    if error is RateLimitedError:
        return RateLimitedError("message", 3)
    if error is MethodNotAllowedError:
        return MethodNotAllowedError("message", "GET")
    return error("message")


def document(translator: FakeTranslator, config: ServingConfig = OPEN) -> dict[str, Any]:
    # Nothing is asked of the documents.
    parts = {"metrics": ServingMetrics("r1"), "documents": object()}
    return call(translator, lambda c: c.get("/openapi.json"), config, **parts).json()


# Any request that the document allows, and any that it forbids


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, ASGIClient]]:
    translator = FakeTranslator(ROUTE, MEDICAL, FRENCH, GERMAN)
    store = DocumentStore(Storage(str(tmp_path_factory.mktemp("storage"))), "default")
    documents = Documents(store, DocumentWorkers(store, translator, OPEN), OPEN)
    app = build_app(translator, OPEN, metrics=ServingMetrics("r1"), documents=documents)
    # Its types of ASGI are its own.
    with get_client(cast(Any, app)) as client:
        yield schemathesis.openapi.from_asgi("/openapi.json", app), client


@st.composite
def usable(draw: st.DrawFn, cases: st.SearchStrategy[Any]) -> Any:
    """Leave out the cases that Schemathesis itself cannot make."""
    try:
        return draw(cases)
    except ValueError as error:
        # It asks a validator of JSON about the bytes of a file.
        if "Unsupported type: 'Binary'" in str(error):
            reject()
        raise


@pytest.mark.parametrize(
    ("method", "path", "mode", "cases"),
    [
        ("post", "/v1/translate", GenerationMode.POSITIVE, 30),
        ("post", "/v1/translate", GenerationMode.NEGATIVE, 30),
        *(
            ("post", path, mode, 15)
            for path in ("/translate", "/detect", "/v2/translate")
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ),
        *(
            (method, path, GenerationMode.POSITIVE, 3)
            for method, path in (
                ("delete", "/v1/documents/{id}"),
                ("get", "/v1/documents/{id}"),
                ("get", "/v1/documents/{id}/result"),
                ("post", "/v1/documents/{id}/cancel"),
                ("post", "/v1/documents/{id}/resume"),
            )
        ),
        ("post", "/v1/documents", GenerationMode.POSITIVE, 15),
        ("post", "/v1/documents", GenerationMode.NEGATIVE, 15),
        *(
            ("get", path, GenerationMode.POSITIVE, 3)
            for path in (
                "/",
                "/docs",
                "/frontend/settings",
                "/health",
                "/languages",
                "/metrics",
                "/ready",
                "/v1/documents",
                "/v2/glossary-language-pairs",
                "/v2/languages",
                "/v2/usage",
            )
        ),
    ],
)
def test_every_answer_is_as_the_document_says(
    fuzzed: tuple[Any, ASGIClient], method: str, path: str, mode: GenerationMode, cases: int
) -> None:
    schema, client = fuzzed

    @given(case=usable(schema[path][method].as_strategy(generation_mode=mode)))
    @settings(
        max_examples=cases,
        phases=[Phase.explicit, Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def run(case: Any) -> None:
        answered = case.call(session=client)
        excluded = [positive_data_acceptance] if is_beyond_a_schema(answered) else []
        case.validate_response(answered, excluded_checks=excluded)

    run()


def is_beyond_a_schema(answered: Any) -> bool:
    """Tell whether a refusal is for what no schema can say of a text: its language or syntax."""
    if answered.status_code == 400:
        code, error = answered.json()["code"], answered.json()["error"]
        return code == "invalid_document" or "seems to be" in error
    return answered.status_code == 415 and answered.json()["code"] == "unknown_format"


METHODS = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "TRACE", "QUERY", "K" * 200]
HEADERS = [
    b"accept",
    b"authorization",
    b"content-length",
    b"content-type",
    b"cookie",
    b"host",
    b"origin",
    b"access-control-request-method",
    b"access-control-request-headers",
    b"traceparent",
    b"x-client-session",
    b"x-forwarded-for",
    b"x-request-id",
    b"x-request-timeout-seconds",
]
VALUES = (
    st.binary(max_size=20)
    | st.sampled_from([b"\xff", b"", b"[", b"*", b"POST", b"Bearer nmt_\xff_\xe4", b"9" * 5000])
    | st.sampled_from([b"application/json", b"application/json; charset=\xff", b"null"])
)


@given(
    method=st.sampled_from(METHODS),
    path=st.sampled_from([*sorted(PATHS), "/v1/translate/", "/health/", "//", "/\udcff", "/%ff"]),
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), VALUES), max_size=6),
    needs_keys=st.booleans(),
    body=st.binary(max_size=60) | st.sampled_from([b'{"text": "a"}', b'{"text": "\\ud800"}']),
)
@settings(max_examples=120, deadline=None)
@example("GET", "/nothing", [(b"host", b"[")], True, b"")
@example("OPTIONS", "/health", [(b"origin", b"\xff")], False, b"")
@example("POST", "/v1/translate", [(b"authorization", b"Bearer \xe4")], True, b"")
def test_no_method_header_or_body_gets_a_500_or_another_shape(
    apps: dict[bool, ASGIApp],
    method: str,
    path: str,
    headers: list[tuple[bytes, bytes]],
    needs_keys: bool,
    body: bytes,
) -> None:
    status, sent, content = answer(apps[needs_keys], method, path, headers, body)
    assert sent[b"x-request-id"]
    assert status in (200, 204, 400, 401, 403, 404, 405, 413, 415)
    if status >= 400:
        assert sent[b"content-type"] == b"application/json"
        # DeepL's clients look for the message under another name.
        assert set(json.loads(content)) - {"message"} == {"error", "code"}
        assert len(content) < 500
    assert b"location" not in sent
    assert (status == 405) == (b"allow" in sent)
    assert (status == 401) == (b"www-authenticate" in sent)


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, ASGIApp]:
    """Return an application without keys, and one that wants a key, of which there are none."""
    storage = Storage(str(tmp_path_factory.mktemp("keys")))
    configs = {
        needs_keys: ServingConfig(require_keys=needs_keys, cors_origins=("https://example.org",))
        for needs_keys in (False, True)
    }
    return {
        needs_keys: build_app(
            FakeTranslator(),
            config,
            authenticator=Authenticator(storage, "default", config),
            metrics=ServingMetrics("r1"),
        )
        for needs_keys, config in configs.items()
    }


def answer(
    app: ASGIApp, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Send a request without a client, which would correct or refuse odd ones."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "query_string": b"\xff",
        "root_path": "",
        "scheme": "http",
        "headers": headers,
        "server": ("127.0.0.1", 80),
        "client": None,
    }
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    content = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], dict(messages[0]["headers"]), content


# What the document says


@pytest.mark.parametrize(
    "routes",
    [(ROUTE,), (MEDICAL,), (ROUTE, MEDICAL, FRENCH, GERMAN)],
    ids=["one", "domain", "many"],
)
def test_the_examples_are_answered_as_the_document_says(routes: tuple[ServedRoute, ...]) -> None:
    translator = FakeTranslator(*routes)
    described = document(translator)
    operation = described["paths"]["/v1/translate"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    answer_schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert len(content["examples"]) == 3
    for each in content["examples"].values():
        validate(described, content["schema"], each["value"])
        answered = call(translator, lambda c: c.post("/v1/translate", json=each["value"]), OPEN)  # noqa: B023
        assert answered.status_code == 200
        validate(described, answer_schema, answered.json())


def validate(described: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    # A reference is looked up in the schema that it is in, so the document's parts are added.
    Draft202012Validator({**schema, "components": described["components"]}).validate(value)


def test_every_error_class_is_documented_with_its_status_and_code() -> None:
    described = document(FakeTranslator(), ServingConfig(require_keys=True))
    found = {
        (int(status), code)
        for methods in described["paths"].values()
        for operation in methods.values()
        for status, answered in operation["responses"].items()
        if not status.startswith("2")
        for code in codes_of(answered)
    }
    expected = {(error.status, error.code) for error in all_errors()}
    # The answer to requests that the document does not describe.
    assert expected - found == {(405, "method_not_allowed")}
    assert found <= expected


def codes_of(answered: dict[str, Any]) -> list[str]:
    schema = answered["content"]["application/json"]["schema"]
    return schema["allOf"][1]["properties"]["code"]["enum"]


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.code)
def test_an_error_has_the_headers_that_are_documented_for_it(error: type[RequestError]) -> None:
    assert tuple(example_of(error).headers) == error.header_names


def test_keys_are_documented_only_where_they_are_needed() -> None:
    without, with_keys = (
        document(FakeTranslator(), ServingConfig(require_keys=needed))["paths"]
        for needed in (False, True)
    )
    assert "security" not in without["/v1/translate"]["post"]
    assert "401" not in without["/v1/translate"]["post"]["responses"]
    assert with_keys["/v1/translate"]["post"]["security"] == [{"key": []}]
    assert "security" in with_keys["/metrics"]["get"]
    assert "security" not in with_keys["/health"]["get"]


def test_the_metrics_know_every_path() -> None:
    assert {each.path for each in OPERATIONS} <= PATHS


def test_the_page_of_api_md_lists_exactly_the_errors_that_there_are() -> None:
    page = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", page, re.MULTILINE)
    expected = [(str(error.status), error.code) for error in all_errors()]
    assert sorted(rows) == sorted(expected)


def test_docs_show_every_operation_and_load_nothing() -> None:
    parts = {"metrics": ServingMetrics("r1"), "documents": object()}
    page = call(FakeTranslator(ROUTE), lambda c: c.get("/docs"), OPEN, **parts)
    for path, methods in document(FakeTranslator(ROUTE))["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for word in ("<script", "http:", "https:", 'style="', "@import", "url("):
        assert word not in page.text
