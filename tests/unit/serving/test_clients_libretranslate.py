"""Clients of LibreTranslate, unmodified, against the endpoint with API keys."""

from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import httpx
import pytest
from deep_translator import LibreTranslator
from libretranslatepy import LibreTranslateAPI

from nmt.serving.types import ServedRoute
from tests.support.live import LiveEndpoint, live_endpoint
from tests.support.web import ROUTE

FRENCH = ServedRoute("eng_Latn-fra_Latn", "eng_Latn", "fra_Latn", None, "d2", "tiny", "mit")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    with live_endpoint(tmp_path_factory.mktemp("keys"), ROUTE, FRENCH) as endpoint:
        yield endpoint


def send(endpoint: LiveEndpoint, path: str = "/translate", **request: Any) -> Any:
    answer = httpx.post(f"{endpoint.url}{path}", **request)
    assert answer.status_code == 200, answer.text
    return answer.json()


# libretranslatepy: forms, with the key in them


def test_libretranslatepy_translates_detects_and_lists(endpoint: LiveEndpoint) -> None:
    api = LibreTranslateAPI(endpoint.url, endpoint.key)
    assert api.translate("Good morning", "en", "ta") == "GOOD MORNING"
    assert api.detect("Good morning, dear friends")[0]["language"] == "en"
    assert api.detect("வணக்கம்") == [{"confidence": 100.0, "language": "ta"}]
    assert api.languages() == [{"code": "en", "name": "English", "targets": ["ta", "fr"]}]


@pytest.mark.parametrize("key", [None, "", "nmt_1_wrong"])
def test_libretranslatepy_is_refused_without_a_valid_key(
    endpoint: LiveEndpoint, key: str | None
) -> None:
    with pytest.raises(HTTPError) as refused:
        LibreTranslateAPI(endpoint.url, key).translate("Good morning", "en", "ta")
    assert refused.value.code == 401


# deep-translator: everything in the query string, without a body


def test_deep_translator_translates_texts_and_batches(endpoint: LiveEndpoint) -> None:
    translator = LibreTranslator("en", "fr", api_key=endpoint.key, custom_url=f"{endpoint.url}/")
    assert translator.translate("Good morning & more") == "GOOD MORNING & MORE"
    assert translator.translate_batch(["One.", "Two."]) == ["ONE.", "TWO."]


# What Weblate and Mastodon send


def test_weblate_sends_a_list_in_json_or_a_text_in_a_form(endpoint: LiveEndpoint) -> None:
    languages = httpx.get(f"{endpoint.url}/languages").json()
    assert [each["code"] for each in languages] == ["en"]
    body = {"api_key": endpoint.key, "q": ["Save %s", "Close"], "source": "en", "target": "ta"}
    assert send(endpoint, json=body) == {"translatedText": ["SAVE %s", "CLOSE"]}
    form = {**body, "q": "Close"}
    assert send(endpoint, data=form) == {"translatedText": "CLOSE"}


def test_mastodon_sends_markup_with_or_without_its_language(endpoint: LiveEndpoint) -> None:
    texts = ["<p>Good morning, dear <b>friends</b>!</p>", "A title of this post"]
    body = {"q": texts, "target": "ta", "format": "html", "api_key": endpoint.key}
    expected = ["<p>GOOD MORNING, DEAR <b>FRIENDS</b>!</p>", "A TITLE OF THIS POST"]
    answer = send(endpoint, json={**body, "source": "en"})
    assert answer == {"translatedText": expected}
    answer = send(endpoint, json={**body, "source": "auto"})
    assert answer["translatedText"] == expected
    assert [each["language"] for each in answer["detectedLanguage"]] == ["en", "en"]


def test_the_shape_of_the_question_is_that_of_the_answer(endpoint: LiveEndpoint) -> None:
    body = {"source": "auto", "target": "ta", "alternatives": 2, "api_key": endpoint.key}
    answer = send(endpoint, json={**body, "q": "Good morning"})
    assert answer["translatedText"] == "GOOD MORNING"
    assert answer["alternatives"] == ["GOOD MORNING 2", "GOOD MORNING 3"]
    assert answer["detectedLanguage"]["language"] == "en"
    assert 0 < answer["detectedLanguage"]["confidence"] <= 100
    answer = send(endpoint, json={**body, "q": ["Good morning"], "alternatives": "1"})
    assert answer["alternatives"] == [["GOOD MORNING 2"]]
    answer = send(endpoint, data={**body, "q": ["Good morning", "Close"]})
    assert answer["translatedText"] == ["GOOD MORNING", "CLOSE"]
    assert send(endpoint, json={**body, "q": []})["translatedText"] == []


@pytest.mark.parametrize("place", ["header", "deepl header", "query", "form", "json"])
def test_the_key_may_be_in_any_place(endpoint: LiveEndpoint, place: str) -> None:
    asked = {"q": "Close", "source": "en", "target": "ta"}
    key = {"api_key": endpoint.key}
    requests: dict[str, dict[str, Any]] = {
        "header": {"json": asked, "headers": {"Authorization": f"Bearer {endpoint.key}"}},
        "deepl header": {
            "json": asked,
            "headers": {"Authorization": f"DeepL-Auth-Key {endpoint.key}"},
        },
        "query": {"json": asked, "params": key},
        "form": {"data": asked | key},
        "json": {"json": asked | key},
    }
    assert send(endpoint, **requests[place]) == {"translatedText": "CLOSE"}


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"json": {"q": "a", "source": "en", "target": "ta"}}, 401, "unauthorized"),
        ({"json": {"q": "a", "source": "en", "api_key": "KEY"}}, 400, "invalid_request"),
        ({"json": {"source": "en", "target": "ta", "api_key": "KEY"}}, 400, "invalid_request"),
        ({"data": {"q": "a", "source": "xx", "target": "ta", "api_key": "KEY"}}, 400, None),
        ({"json": {"q": [1], "source": "en", "target": "ta", "api_key": "KEY"}}, 400, None),
        ({"content": b"q=%ff&api_key=KEY", "headers": {"content-type": "x"}}, 415, None),
        ({"content": b"[]", "headers": {"content-type": "application/json"}}, 400, None),
        ({"params": {"q": "a", "source": "en", "target": "ta"}}, 401, None),
    ],
)
def test_a_wrong_request_gets_an_error_that_clients_can_read(
    endpoint: LiveEndpoint, request_: dict[str, Any], status: int, code: str | None
) -> None:
    for part in ("json", "data"):
        if request_.get(part, {}).get("api_key") == "KEY":
            request_ = {**request_, part: {**request_[part], "api_key": endpoint.key}}
    answer = httpx.post(f"{endpoint.url}/translate", **request_)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "code"}
    assert code in (None, answer.json()["code"])


def test_the_settings_say_that_a_key_is_needed(endpoint: LiveEndpoint) -> None:
    settings = httpx.get(f"{endpoint.url}/frontend/settings").json()
    assert (settings["keyRequired"], settings["apiKeys"]) == (True, True)
    assert (settings["feedback"], settings["suggestions"]) == (False, False)
    assert settings["charLimit"] == 20_000
    assert settings["language"]["target"] == {"code": "ta", "name": "Tamil"}
    assert ".txt" in settings["supportedFilesFormat"]


# NeMo Curator


def test_nemo_curator_sends_a_batch_and_counts_its_translations(endpoint: LiveEndpoint) -> None:
    assert httpx.get(f"{endpoint.url}/health").status_code == 200
    body = {"texts": ["Good morning.", ""], "src_lang": "en", "tgt_lang": "ta"}
    headers = {"Authorization": f"Bearer {endpoint.key}"}
    assert send(endpoint, json=body, headers=headers) == {"translations": ["GOOD MORNING.", ""]}
