"""The web application with a fake translator behind it: every status and body."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.documents.document import Document
from nmt.documents.errors import DocumentError
from nmt.serving.errors import OverloadedError
from nmt.serving.types import Served
from tests.support.web import (
    CONFIG,
    ROUTE,
    Act,
    FakeTranslator,
    assert_error,
    call,
    post,
    post_bytes,
)


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
def test_texts_are_translated_with_their_space_and_lines_kept(
    text: Any, expected: list[str]
) -> None:
    response = post(FakeTranslator(), {"text": text})
    assert response.status_code == 200
    assert response.json() == {
        "translations": [{"text": each} for each in expected],
        "engine": "d1",
        "source": "eng_Latn",
        "target": "tam_Taml",
    }
    assert response.headers["cache-control"] == "no-store"


def test_all_sentences_of_a_request_are_translated_in_one_call() -> None:
    translator = FakeTranslator()
    post(translator, {"text": ["One. Two.", "Three."]})
    assert translator.calls == [(["One.", "Two.", "Three."], ROUTE, "127.0.0.1")]


def test_text_without_words_needs_no_engine() -> None:
    translator = FakeTranslator()
    assert post(translator, {"text": "---"}).json()["translations"] == [{"text": "---"}]
    assert translator.calls == []


@pytest.mark.parametrize("codes", [("en", "ta"), ("eng_Latn", "tam_Taml"), ("en", None)])
def test_takes_iso_and_flores_codes(codes: tuple[str, str | None]) -> None:
    response = post(FakeTranslator(), {"text": "x", "source": codes[0], "target": codes[1]})
    assert response.status_code == 200


@pytest.mark.parametrize("text", ["e\u0301", "\ufeff\u00e9", "\u200b\u00e9\u00ad", "\x02\u00e9"])
def test_a_text_is_normalised_before_it_is_split(text: str) -> None:
    translator = FakeTranslator()
    post(translator, {"text": text})
    assert [sentences for sentences, _, _ in translator.calls] == [["\u00e9"]]


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
def test_an_error_quotes_only_the_start_of_a_long_value(act: Act) -> None:
    response = call(FakeTranslator(), act)
    assert 400 <= response.status_code < 500
    assert len(response.content) < 600


def test_reading_a_text_does_not_block_other_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> Document:
        begun.set()
        go_on.wait(5)
        raise DocumentError("was read too late")

    monkeypatch.setattr("nmt.serving.web.texts.session.read_string", slow)

    async def act(client: httpx.AsyncClient) -> httpx.Response:
        long = ["a b. " * 400] * 2
        translating = asyncio.create_task(client.post("/v1/translate", json={"text": long}))
        assert await asyncio.to_thread(begun.wait, 5)
        assert (await client.get("/health")).status_code == 200
        assert not translating.done()
        response = await translating  # at its deadline
        go_on.set()
        return response

    config = CONFIG.model_copy(update={"max_characters": 10_000})
    assert_error(call(FakeTranslator(), act, config), 504, "timeout")


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
        (b'{"text": "a", "format": "docx"}', "invalid_request", "format"),
        (b'{"text": "{", "format": "json"}', "invalid_document", ""),
        (b'{"text": "a", "alternatives": 6}', "invalid_request", "alternatives"),
        (b'{"text": "a", "alternatives": true}', "invalid_request", "alternatives"),
        (b'{"text": "a", "beam_size": 0}', "invalid_request", "beam_size"),
        (b'{"text": "a", "details": 1}', "invalid_request", "details"),
        (b'{"text": "a", "glossary": ["a"]}', "invalid_request", "glossary: must be an object"),
        (b'{"text": "a", "glossary": {"a": " "}}', "invalid_request", "glossary"),
        (b'{"text": "a", "pad": 1}', "invalid_request", "not a known key"),
        (b'{"text": "\\ud800"}', "invalid_request", "surrogate"),
        (b'{"text": "a", "source": "\\ud800"}', "unsupported_language", "eng_Latn"),
        (b'{"text": "a", "\\ud800": 1}', "invalid_request", "a key:"),
        (b'{"text": "a", "source": 1}', "invalid_request", "source"),
        (b'{"text": "a", "source": "fr"}', "unsupported_language", "eng_Latn"),
        (b'{"text": "a", "target": "en"}', "unsupported_language", "tam_Taml"),
        (b'{"text": "a", "source": "klingon"}', "unsupported_language", "Tamil"),
    ],
)
def test_bad_requests_get_400_with_a_reason(body: bytes, code: str, words: str) -> None:
    assert_error(post_bytes(FakeTranslator(), body), 400, code, words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": ["a"] * 5}, "5 texts"),
        ({"text": "a" * 101}, "101 characters"),
        ({"text": ["a" * 60, "b" * 60]}, "120 characters"),
        ({"text": "a", "pad": "b" * 20_000}, "bytes"),
    ],
)
def test_requests_above_a_limit_get_413(body: Any, words: str) -> None:
    assert_error(post(FakeTranslator(), body), 413, "too_large", words)


def test_the_longest_text_is_accepted_with_every_character_escaped() -> None:
    text = "\U0001d41a" * 100
    assert post_bytes(FakeTranslator(), json.dumps({"text": text}).encode()).status_code == 200


def test_reading_a_body_of_unknown_length_stops_at_the_limit() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1000

    headers = {"content-type": "application/json"}
    act: Act = lambda c: c.post("/v1/translate", content=endless(), headers=headers)  # noqa: E731
    assert_error(call(FakeTranslator(), act), 413, "too_large")
    assert sent < 10


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_media_types_get_415(media: str) -> None:
    response = post_bytes(FakeTranslator(), b'{"text": "a"}', media)
    assert_error(response, 415, "unsupported_media_type", "application/json")


def test_media_type_may_have_parameters() -> None:
    response = post_bytes(FakeTranslator(), b'{"text": "a"}', "Application/JSON; charset=utf-8")
    assert response.status_code == 200


def test_an_unknown_path_gets_404() -> None:
    assert_error(call(FakeTranslator(), lambda c: c.get("/nothing")), 404, "not_found", "/nothing")


def test_a_wrong_method_gets_405() -> None:
    response = call(FakeTranslator(), lambda c: c.get("/v1/translate"))
    assert_error(response, 405, "method_not_allowed", "GET")
    assert response.headers["allow"] == "POST"


def test_without_an_engine_requests_get_503_and_health_stays_200() -> None:
    translator = FakeTranslator()
    translator.now = Served()
    response = post(translator, {"text": "a"})
    assert_error(response, 503, "no_engine")
    assert response.headers["retry-after"]
    health = call(translator, lambda c: c.get("/health"))
    assert (health.status_code, health.json()["status"]) == (200, "no_engine")
    assert call(translator, lambda c: c.get("/languages")).json() == []


def test_a_full_queue_gets_503_with_a_delay() -> None:
    translator = FakeTranslator()
    translator.error = OverloadedError("too much waits")
    response = post(translator, {"text": "a"})
    assert_error(response, 503, "overloaded", "too much waits")
    assert int(response.headers["retry-after"]) >= 1


def test_a_request_is_cancelled_at_its_deadline() -> None:
    translator = FakeTranslator()
    translator.seconds = 5
    assert_error(post(translator, {"text": "a"}), 504, "timeout", "0.2 s")
    assert translator.is_cancelled


def test_the_answer_to_a_bug_has_no_details() -> None:
    translator = FakeTranslator()
    translator.error = RuntimeError("secret path")
    response = post(translator, {"text": "a"})
    assert_error(response, 500, "internal")
    assert "secret" not in response.text


def test_a_bug_around_the_handlers_has_an_error_body_too() -> None:
    class Broken(FakeTranslator):
        def served(self) -> Served:
            raise RuntimeError("secret path")

    async def act(client: httpx.AsyncClient) -> httpx.Response:
        client._transport.raise_app_exceptions = False  # type: ignore[attr-defined]
        return await client.get("/health")

    response = call(Broken(), act)
    assert_error(response, 500, "internal")
    assert "secret" not in response.text


def test_health_describes_the_engine() -> None:
    assert call(FakeTranslator(), lambda c: c.get("/health")).json() == {
        "status": "ok",
        "engine": "d1",
        "base": "tiny",
        "license": "cc-by-nc-4.0",
        "source": "eng_Latn",
        "target": "tam_Taml",
        "feedback": False,
        "routes": [
            {
                "source": "eng_Latn",
                "target": "tam_Taml",
                "domain": None,
                "engine": "d1",
                "canary": None,
                "percent": 0,
            },
        ],
    }


def test_languages_lists_the_served_pair() -> None:
    expected = [{"code": "en", "name": "English", "targets": ["ta"]}]
    assert call(FakeTranslator(), lambda c: c.get("/languages")).json() == expected


def test_the_page_forbids_other_scripts_styles_and_hosts() -> None:
    response = call(FakeTranslator(), lambda c: c.get("/"))
    policy = response.headers["content-security-policy"]
    assert response.status_code == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    # The name of a namespace, which nothing is loaded from.
    text = response.text.replace("http://www.w3.org/2000/svg", "")
    for word in ("http://", "https://", "onclick", 'style="', "@import"):
        assert word not in text


def any_json() -> st.SearchStrategy[Any]:
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


@given(any_json() | st.dictionaries(st.sampled_from(["text", "source", "target"]), any_json()))
@settings(max_examples=60)
def test_any_json_gets_an_answer(body: Any) -> None:
    response = post_bytes(FakeTranslator(), json.dumps(body).encode())
    assert response.status_code in (200, 400, 413)
    response.json()
