"""The HTTP interface over a stub: every status, and what an answer looks like."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.config import ServingConfig
from nmt.serving.app import build_app
from nmt.serving.errors import OverloadedError
from nmt.serving.types import ServedEngine, Translation
from nmt.text.segment import Segment

SERVED = ServedEngine("d1", "tiny", "cc-by-nc-4.0", "eng_Latn", "tam_Taml")
CONFIG = ServingConfig(max_texts=4, max_characters=100, request_timeout_seconds=0.2)


class Stub:
    """Translates by upper case; each fault can be switched on."""

    def __init__(self) -> None:
        self.served: ServedEngine | None = SERVED
        self.fault: Exception | None = None
        self.seconds = 0.0
        self.calls: list[list[str]] = []
        self.cancelled = False

    async def translate(self, sentences: list[str], source: str, target: str) -> Translation:
        assert (source, target) == ("eng_Latn", "tam_Taml")
        self.calls.append(sentences)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.fault:
            raise self.fault
        return Translation([sentence.upper() for sentence in sentences], SERVED)

    async def status(self) -> ServedEngine | None:
        return self.served


Act = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def call(stub: Stub, act: Act) -> httpx.Response:
    async def body() -> httpx.Response:
        app = build_app(stub.translate, stub.status, CONFIG)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await act(client)

    return asyncio.run(body())


def post(stub: Stub, body: Any) -> httpx.Response:
    return call(stub, lambda client: client.post("/v1/translate", json=body))


def post_bytes(stub: Stub, body: bytes, media: str = "application/json") -> httpx.Response:
    headers = {"content-type": media} if media else {}
    return call(stub, lambda c: c.post("/v1/translate", content=body, headers=headers))


def assert_error(response: httpx.Response, status: int, code: str, words: str = "") -> None:
    assert response.status_code == status
    body = response.json()
    assert set(body) == {"error", "code"}
    assert body["code"] == code
    assert words in body["error"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello. Bye.", ["HELLO. BYE."]),
        (["a", "b", "c"], ["A", "B", "C"]),
        ("", [""]),
        (["", "x", " \n"], ["", "X", " \n"]),
        (" One.\n\n Two. \n", [" ONE.\n\n TWO. \n"]),
    ],
    ids=["sentences", "list", "empty", "blanks", "lines"],
)
def test_translates(text: Any, expected: list[str]) -> None:
    response = post(Stub(), {"text": text})
    assert response.status_code == 200
    assert response.json() == {"translations": [{"text": t} for t in expected], "engine": "d1"}
    assert response.headers["cache-control"] == "no-store"


def test_a_request_is_one_call() -> None:
    stub = Stub()
    post(stub, {"text": ["One. Two.", "Three."]})
    assert stub.calls == [["One.", "Two.", "Three."]]


def test_text_without_words_needs_no_engine() -> None:
    stub = Stub()
    assert post(stub, {"text": "---"}).json()["translations"] == [{"text": "---"}]
    assert stub.calls == []


@pytest.mark.parametrize("codes", [("en", "ta"), ("eng_Latn", "tam_Taml"), ("en", None)])
def test_takes_iso_and_flores_codes(codes: tuple[str, str | None]) -> None:
    response = post(Stub(), {"text": "x", "source": codes[0], "target": codes[1]})
    assert response.status_code == 200


@pytest.mark.parametrize("text", ["e\u0301", "\ufeff\u00e9", "\u200b\u00e9\u00ad", "\x02\u00e9"])
def test_text_is_in_one_spelling_before_it_is_split(text: str) -> None:
    stub = Stub()
    post(stub, {"text": text})
    assert stub.calls == [["\u00e9"]]


@pytest.mark.parametrize(
    "act",
    [
        lambda c: c.post("/v1/translate", json={"text": "a", "k" * 3000: 1}),
        lambda c: c.post("/v1/translate", json={"text": "a", "source": "k" * 3000}),
        lambda c: c.post("/v1/translate", json={"text": "a", "target": "ta-" * 1000}),
        lambda c: c.post("/v1/translate", content="{}", headers={"content-type": "k" * 3000}),
        lambda c: c.get("/" + "k" * 3000),
        lambda c: c.request("K" * 3000, "/health"),
    ],
    ids=["key", "source", "target", "media type", "path", "method"],
)
def test_an_error_quotes_no_more_than_the_beginning(act: Act) -> None:
    response = call(Stub(), act)
    assert 400 <= response.status_code < 500
    assert len(response.content) < 600


def test_splitting_a_text_holds_up_no_other_request(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_text: str, _language: str) -> list[Segment]:
        begun.set()
        go_on.wait(5)
        return []

    monkeypatch.setattr("nmt.text.document.split_text", slow)

    async def act(client: httpx.AsyncClient) -> httpx.Response:
        translating = asyncio.create_task(client.post("/v1/translate", json={"text": "a"}))
        assert await asyncio.to_thread(begun.wait, 5)
        assert (await client.get("/health")).status_code == 200
        assert not translating.done()
        response = await translating  # at its deadline
        go_on.set()
        return response

    assert_error(call(Stub(), act), 504, "timeout")


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"{", "invalid_json", "JSON"),
        (b"\xff\xfe", "invalid_json", "UTF-8"),
        (b"[" * 2000, "invalid_json", ""),
        (b"[]", "invalid_request", "object"),
        (b"{}", "invalid_request", "text"),
        (b'{"text": 5}', "invalid_request", "a string or a list of strings"),
        (b'{"text": ["a", 5]}', "invalid_request", "text.1"),
        (b'{"text": []}', "invalid_request", "at least one text"),
        (b'{"text": "a", "format": "html"}', "invalid_request", "format"),
        (b'{"text": "\\ud800"}', "invalid_request", "surrogate"),
        (b'{"text": "a", "source": "\\ud800"}', "unsupported_language", "eng_Latn"),
        (b'{"text": "a", "\\ud800": 1}', "invalid_request", "a key:"),
        (b'{"text": "a", "source": 1}', "invalid_request", "source"),
        (b'{"text": "a", "source": "fr"}', "unsupported_language", "eng_Latn"),
        (b'{"text": "a", "target": "en"}', "unsupported_language", "tam_Taml"),
        (b'{"text": "a", "source": "klingon"}', "unsupported_language", "Tamil"),
    ],
)
def test_bad_requests(body: bytes, code: str, words: str) -> None:
    assert_error(post_bytes(Stub(), body), 400, code, words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": ["a"] * 5}, "5 texts"),
        ({"text": "a" * 101}, "101 characters"),
        ({"text": ["a" * 60, "b" * 60]}, "120 characters"),
        ({"text": "a", "pad": "b" * 20_000}, "bytes"),
    ],
)
def test_too_large(body: Any, words: str) -> None:
    assert_error(post(Stub(), body), 413, "too_large", words)


def test_the_largest_text_fits_however_it_is_escaped() -> None:
    text = "\U0001d41a" * 100
    assert post_bytes(Stub(), json.dumps({"text": text}).encode()).status_code == 200


def test_a_body_without_length_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1000

    headers = {"content-type": "application/json"}
    act: Act = lambda c: c.post("/v1/translate", content=endless(), headers=headers)  # noqa: E731
    assert_error(call(Stub(), act), 413, "too_large")
    assert sent < 10


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_media_types(media: str) -> None:
    response = post_bytes(Stub(), b'{"text": "a"}', media)
    assert_error(response, 415, "unsupported_media_type", "application/json")


def test_media_type_may_have_parameters() -> None:
    response = post_bytes(Stub(), b'{"text": "a"}', "Application/JSON; charset=utf-8")
    assert response.status_code == 200


def test_unknown_path() -> None:
    assert_error(call(Stub(), lambda c: c.get("/nothing")), 404, "not_found", "/nothing")


def test_wrong_method() -> None:
    response = call(Stub(), lambda c: c.get("/v1/translate"))
    assert_error(response, 405, "method_not_allowed", "GET")
    assert response.headers["allow"] == "POST"


def test_before_the_first_promotion() -> None:
    stub = Stub()
    stub.served = None
    response = post(stub, {"text": "a"})
    assert_error(response, 503, "no_engine")
    assert response.headers["retry-after"]
    health = call(stub, lambda c: c.get("/health"))
    assert (health.status_code, health.json()["status"]) == (200, "no_engine")
    assert call(stub, lambda c: c.get("/languages")).json() == []


def test_overload() -> None:
    stub = Stub()
    stub.fault = OverloadedError("too much waits")
    response = post(stub, {"text": "a"})
    assert_error(response, 503, "overloaded", "too much waits")
    assert int(response.headers["retry-after"]) >= 1


def test_a_late_answer_is_cancelled() -> None:
    stub = Stub()
    stub.seconds = 5
    assert_error(post(stub, {"text": "a"}), 504, "timeout", "0.2 s")
    assert stub.cancelled


def test_a_fault_inside_tells_nothing() -> None:
    stub = Stub()
    stub.fault = RuntimeError("secret path")
    response = post(stub, {"text": "a"})
    assert_error(response, 500, "internal")
    assert "secret" not in response.text


def test_health() -> None:
    assert call(Stub(), lambda c: c.get("/health")).json() == {
        "status": "ok",
        "engine": "d1",
        "base": "tiny",
        "license": "cc-by-nc-4.0",
        "source": "eng_Latn",
        "target": "tam_Taml",
    }


def test_languages() -> None:
    expected = [{"code": "en", "name": "English", "targets": ["ta"]}]
    assert call(Stub(), lambda c: c.get("/languages")).json() == expected


def test_page_allows_itself_and_nothing_else() -> None:
    response = call(Stub(), lambda c: c.get("/"))
    policy = response.headers["content-security-policy"]
    assert response.status_code == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for word in ("http://", "https://", "onclick", 'style="', "@import"):
        assert word not in response.text


def _json() -> st.SearchStrategy[Any]:
    words = st.sampled_from(["text", "source", "target"])
    leaves = st.none() | st.booleans() | st.floats() | st.text(st.characters(), max_size=30)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(words | st.text(max_size=5), inner, max_size=4)
        ),
        max_leaves=8,
    )


@given(_json() | st.dictionaries(st.sampled_from(["text", "source", "target"]), _json()))
@settings(max_examples=60)
def test_no_json_breaks_the_service(body: Any) -> None:
    response = post_bytes(Stub(), json.dumps(body).encode())
    assert response.status_code in (200, 400, 413)
    response.json()
