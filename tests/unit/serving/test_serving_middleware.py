"""What holds for every request: its id, its key, the limit, the stop, and other origins."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from nmt.access.keys import make_secret
from nmt.access.options import KeyCommand
from nmt.access.store import create_key
from nmt.config import ServingConfig
from nmt.serving.authentication import Authenticator
from nmt.serving.errors import NoEngineError
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.types import Served
from nmt.serving.web.app import build_app
from nmt.storage import Storage
from tests.support.web import ROUTE, FakeTranslator, assert_error, call, post

ORIGIN = "https://example.org"
TRANSLATE = {"text": "a"}


# Request ids


@pytest.mark.parametrize("given", ["a", "A.b-c_9", "x" * 64])
def test_a_request_keeps_its_id(given: str) -> None:
    response = call(FakeTranslator(), lambda c: c.get("/health", headers={"X-Request-Id": given}))
    assert response.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "\xff", "a;b"])
def test_an_id_of_another_form_is_replaced(given: str) -> None:
    headers = {b"X-Request-Id": given.encode("latin-1")}
    response = call(FakeTranslator(), lambda c: c.get("/health", headers=headers))
    assert len(response.headers["x-request-id"]) == 16
    assert response.headers["x-request-id"] != given


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1/translate"])
def test_every_answer_has_an_id(path: str) -> None:
    translator = FakeTranslator()
    first, second = (call(translator, lambda c: c.get(path)) for _ in range(2))
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


# The client, which stays with one engine


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({}, "127.0.0.1"),
        ({"X-Forwarded-For": "10.0.0.7, 10.0.0.1"}, "10.0.0.7"),
        ({"X-Client-Session": "ana", "X-Forwarded-For": "10.0.0.7"}, "ana"),
        ({"X-Client-Session": "a" * 200}, "a" * 128),
    ],
)
def test_a_client_is_known_by_its_session_or_its_address(
    headers: dict[str, str], client: str
) -> None:
    translator = FakeTranslator()
    call(translator, lambda c: c.post("/v1/translate", json=TRANSLATE, headers=headers))
    assert [name for _, _, name in translator.calls] == [client]


# The limit


def overload(path: str, **options: Any) -> tuple[httpx.Response, FakeTranslator]:
    """Send a request while two others, which are all that may be in work, take long."""
    translator = FakeTranslator()
    translator.seconds = 5
    config = ServingConfig(max_requests=2, request_timeout_seconds=0.5, cors_origins=(ORIGIN,))

    async def act(client: httpx.AsyncClient) -> httpx.Response:
        busy = [asyncio.create_task(client.post("/v1/translate", json=TRANSLATE)) for _ in range(2)]
        while len(translator.calls) < 2:
            await asyncio.sleep(0)
        response = await client.request(options.pop("method", "GET"), path, **options)
        assert not any(each.done() for each in busy)
        assert [each.status_code for each in await asyncio.gather(*busy)] == [504, 504]
        # Both have ended, so that others are taken again.
        translator.seconds = 0
        assert (await client.post("/v1/translate", json=TRANSLATE)).status_code == 200
        return response

    metrics = ServingMetrics("r1")
    return call(translator, act, config, metrics=metrics), translator


def test_above_the_limit_a_request_is_refused_at_once() -> None:
    headers = {"Origin": ORIGIN}
    response, translator = overload("/v1/translate", method="POST", json=TRANSLATE, headers=headers)
    assert_error(response, 503, "overloaded", "2 requests")
    assert response.headers["retry-after"] == "1"
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["x-request-id"]
    assert len(translator.calls) == 3


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_probes_and_metrics_are_answered_above_the_limit(path: str) -> None:
    response, _ = overload(path)
    assert response.status_code == 200


def test_the_deadline_counts_from_the_arrival() -> None:
    async def slow_body() -> AsyncIterator[bytes]:
        yield b'{"text":'
        await asyncio.sleep(5)

    headers = {"Content-Type": "application/json"}
    config = ServingConfig(request_timeout_seconds=0.1)
    response = call(
        FakeTranslator(),
        lambda c: c.post("/v1/translate", content=slow_body(), headers=headers),
        config,
    )
    assert_error(response, 504, "timeout", "0.1 s")


# Keys


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Authenticator, str]:
    """Return an authenticator, and a key that may translate one request a minute."""
    storage = Storage(str(tmp_path))
    key_id, text, sha256 = make_secret()
    wanted = KeyCommand("create", "demo", requests_per_minute=1, characters_per_minute=50)
    create_key(storage, "default", wanted, key_id, sha256)
    authenticator = Authenticator(storage, "default", ServingConfig(require_keys=True))
    asyncio.run(authenticator.poll())
    return authenticator, text


def ask(
    keys: tuple[Authenticator, str], path: str, key: str | None, text: str = "a"
) -> tuple[httpx.Response, FakeTranslator]:
    translator = FakeTranslator()
    method, body = ("POST", {"text": text}) if path == "/v1/translate" else ("GET", None)
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    response = call(
        translator,
        lambda c: c.request(method, path, json=body, headers=headers),
        authenticator=keys[0],
        metrics=ServingMetrics("r1"),
    )
    return response, translator


@pytest.mark.parametrize("path", ["/v1/translate", "/metrics"])
def test_without_a_valid_key_nothing_is_done(keys: tuple[Authenticator, str], path: str) -> None:
    for key in (None, "", "nmt_00000000_wrong"):
        response, translator = ask(keys, path, key)
        assert_error(response, 401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"
        assert not translator.calls


@pytest.mark.parametrize("path", ["/", "/docs", "/health", "/languages", "/openapi.json", "/ready"])
def test_what_only_describes_the_endpoint_needs_no_key(
    keys: tuple[Authenticator, str], path: str
) -> None:
    assert ask(keys, path, None)[0].status_code == 200


def test_a_key_translates_within_its_limits_and_names_the_client(
    keys: tuple[Authenticator, str],
) -> None:
    response, translator = ask(keys, "/v1/translate", keys[1])
    assert response.status_code == 200
    assert [client for _, _, client in translator.calls] == [keys[1].split("_")[1]]
    response, _ = ask(keys, "/v1/translate", keys[1])
    assert_error(response, 429, "rate_limited")
    assert int(response.headers["retry-after"]) > 0


def test_a_key_without_the_scope_gets_403(keys: tuple[Authenticator, str]) -> None:
    assert_error(ask(keys, "/metrics", keys[1])[0], 403, "forbidden")


def test_a_text_above_the_whole_limit_of_the_key_gets_413(
    keys: tuple[Authenticator, str],
) -> None:
    assert_error(ask(keys, "/v1/translate", keys[1], "a" * 51)[0], 413, "too_large")


# Readiness, and the stop


def test_a_replica_with_an_engine_is_ready() -> None:
    response = call(FakeTranslator(), lambda c: c.get("/ready"))
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


def test_a_replica_without_an_engine_is_not_ready() -> None:
    translator = FakeTranslator()
    translator.now = Served()
    response = call(translator, lambda c: c.get("/ready"))
    assert_error(response, 503, "no_engine")
    assert response.headers["retry-after"] == "5"


def test_a_replica_that_stops_refuses_translations_and_closes_connections() -> None:
    translator = FakeTranslator()
    translator.now = Served((ROUTE,), ROUTE, is_stopping=True)
    for response in (post(translator, TRANSLATE), call(translator, lambda c: c.get("/ready"))):
        assert_error(response, 503, "stopping")
        assert response.headers["retry-after"] == "1"
        assert response.headers["connection"] == "close"
    health = call(translator, lambda c: c.get("/health"))
    assert (health.status_code, health.json()["status"]) == (200, "stopping")
    assert health.headers["connection"] == "close"
    assert not translator.calls


def test_a_route_that_has_gone_meanwhile_gets_503() -> None:
    translator = FakeTranslator()
    translator.error = NoEngineError("the route has gone")
    assert_error(post(translator, TRANSLATE), 503, "no_engine")


# Methods and paths


@pytest.mark.parametrize("path", ["/v1/translate/", "/health/", "/-/routes"])
def test_no_path_is_redirected(path: str) -> None:
    response = call(FakeTranslator(), lambda c: c.get(path, headers={"Host": "evil.example"}))
    assert_error(response, 404, "not_found")
    assert "evil" not in response.text


@pytest.mark.parametrize("path", ["/", "/health", "/openapi.json"])
def test_head_is_answered_as_get(path: str) -> None:
    translator = FakeTranslator()
    head, get = (
        call(translator, lambda c: c.request(method, path))  # noqa: B023
        for method in ("HEAD", "GET")
    )
    assert head.status_code == 200
    assert head.headers["content-type"] == get.headers["content-type"]


def test_options_without_cors_gets_405() -> None:
    response = call(FakeTranslator(), lambda c: c.options("/health"))
    assert_error(response, 405, "method_not_allowed")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_websocket_gets_an_error_body() -> None:
    app = build_app(FakeTranslator(), ServingConfig())
    with pytest.raises(WebSocketDenialResponse) as refused, TestClient(app) as client:
        client.websocket_connect("/v1/translate").__enter__()
    assert refused.value.status_code == 400
    assert refused.value.json()["code"] == "invalid_request"


# Pages of other origins


def from_origin(origin: str, *allowed: str, method: str = "GET", **headers: str) -> httpx.Response:
    config = ServingConfig(cors_origins=allowed)
    sent = {"Origin": origin, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return call(FakeTranslator(), lambda c: c.request(method, "/health", headers=sent), config)


@pytest.mark.parametrize(
    ("allowed", "header"),
    [((), None), ((ORIGIN,), ORIGIN), (("https://other.example",), None), (("*",), "*")],
)
def test_a_page_reads_an_answer_if_its_origin_is_named(
    allowed: tuple[str, ...], header: str | None
) -> None:
    response = from_origin(ORIGIN, *allowed)
    assert response.status_code == 200
    assert response.headers.get("access-control-allow-origin") == header
    assert "access-control-allow-credentials" not in response.headers


def test_a_page_may_ask_what_it_may_send() -> None:
    response = from_origin(
        ORIGIN,
        ORIGIN,
        method="OPTIONS",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization, content-type",
    )
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "Authorization" in response.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("origin", "method"), [("https://other.example", "POST"), (ORIGIN, "PATCH")]
)
def test_a_page_that_may_not_send_it_gets_an_error_body(origin: str, method: str) -> None:
    response = from_origin(origin, ORIGIN, method="OPTIONS", Access_Control_Request_Method=method)
    assert_error(response, 400, "invalid_request", "CORS")


# Metrics


def test_metrics_are_those_of_all_replicas_if_they_can_be_gathered() -> None:
    async def gather() -> bytes:
        return b"gathered\n"

    metrics = ServingMetrics("r1")
    own = call(FakeTranslator(), lambda c: c.get("/metrics"), metrics=metrics)
    assert "nmt_requests" in own.text
    assert own.headers["content-type"].startswith("text/plain")
    all_of_them = call(
        FakeTranslator(), lambda c: c.get("/metrics"), metrics=metrics, gather_metrics=gather
    )
    assert all_of_them.text == "gathered\n"


def test_without_metrics_there_is_no_such_path() -> None:
    assert_error(call(FakeTranslator(), lambda c: c.get("/metrics")), 404, "not_found")
