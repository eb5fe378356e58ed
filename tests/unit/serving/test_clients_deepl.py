"""Clients of DeepL, unmodified, against the endpoint with API keys."""

from collections.abc import Iterator, Mapping
from typing import Any

import deepl
import httpx
import pytest

from nmt.serving.errors import UnknownGlossaryError
from nmt.serving.types import ServedRoute
from tests.support.live import LiveEndpoint, live_endpoint
from tests.support.web import ROUTE

TAMIL_ENGLISH = ServedRoute("tam_Taml-eng_Latn", "tam_Taml", "eng_Latn", None, "d2", "tiny", "mit")
TRADITIONAL = ServedRoute("eng_Latn-zho_Hant", "eng_Latn", "zho_Hant", None, "d3", "tiny", "mit")


class Glossaries:
    """A single glossary, `names`."""

    async def terms(self, name: str, source: str, target: str) -> Mapping[str, str]:
        if name != "names":
            raise UnknownGlossaryError(f"there is no glossary {name}")
        return {"Ganges": f"{source} {target}"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    folder = tmp_path_factory.mktemp("keys")
    routes = ROUTE, TAMIL_ENGLISH, TRADITIONAL
    with live_endpoint(folder, *routes, glossaries=Glossaries()) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def client(endpoint: LiveEndpoint) -> deepl.Translator:
    return deepl.Translator(endpoint.key, server_url=endpoint.url)


# The official client


def test_the_official_client_translates_a_text_and_a_list(client: deepl.Translator) -> None:
    one = client.translate_text("Good morning", target_lang="TA")
    assert isinstance(one, deepl.TextResult)
    assert (one.text, one.detected_source_lang, one.billed_characters) == ("GOOD MORNING", "EN", 12)
    found = client.translate_text(["One.", "Two."], source_lang="EN", target_lang="TA")
    assert isinstance(found, list)
    assert [each.text for each in found] == ["ONE.", "TWO."]


def test_the_official_client_keeps_markup(client: deepl.Translator) -> None:
    found = client.translate_text("A <b>big</b> house", target_lang="TA", tag_handling="html")
    assert isinstance(found, deepl.TextResult)
    assert found.text == "A <b>BIG</b> HOUSE"


def test_the_official_client_names_regions_and_scripts(client: deepl.Translator) -> None:
    found = client.translate_text("வணக்கம்", target_lang="EN-GB")
    assert isinstance(found, deepl.TextResult)
    assert found.detected_source_lang == "TA"
    client.translate_text("Good morning", source_lang="EN", target_lang="ZH-HANT")


def test_the_official_client_lists_languages_and_usage(client: deepl.Translator) -> None:
    assert [each.code for each in client.get_source_languages()] == ["EN", "TA"]
    targets = client.get_target_languages()
    assert [each.code for each in targets] == ["TA", "EN-GB", "EN-US", "ZH-HANT"]
    assert not any(each.supports_formality for each in targets)
    assert client.get_glossary_languages() == []
    assert not client.get_usage().any_limit_reached


def test_wishes_for_a_formality_are_ignored_and_demands_are_refused(
    client: deepl.Translator,
) -> None:
    client.translate_text("Close", source_lang="EN", target_lang="TA", formality="prefer_more")
    with pytest.raises(deepl.DeepLException, match="message: formality: the engines"):
        client.translate_text("Close", source_lang="EN", target_lang="TA", formality="more")


def test_glossaries_are_named_as_the_endpoint_names_them(client: deepl.Translator) -> None:
    client.translate_text("Close", source_lang="EN", target_lang="TA", glossary="names")
    with pytest.raises(deepl.DeepLException, match="there is no glossary other"):
        client.translate_text("Close", source_lang="EN", target_lang="TA", glossary="other")


def test_the_official_client_shows_why_a_language_is_refused(client: deepl.Translator) -> None:
    with pytest.raises(deepl.DeepLException, match="fra_Latn is not served"):
        client.translate_text("Close", source_lang="EN", target_lang="FR")


def test_an_unknown_key_is_refused(endpoint: LiveEndpoint) -> None:
    client = deepl.Translator("nmt_1_wrong", server_url=endpoint.url)
    with pytest.raises(deepl.DeepLException, match="401"):
        client.get_usage()


# What Weblate and Mastodon send


def send(endpoint: LiveEndpoint, path: str, method: str = "POST", **request: Any) -> Any:
    headers = {"Authorization": f"DeepL-Auth-Key {endpoint.key}"}
    answer = httpx.request(method, f"{endpoint.url}{path}", headers=headers, **request)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_weblate_sends_placeholders_as_elements(endpoint: LiveEndpoint) -> None:
    for side in ("source", "target"):
        parameters = {"type": side, "enable_beta_languages": "1"}
        assert send(endpoint, "/v2/languages", "GET", params=parameters)
    pairs = send(endpoint, "/v2/glossary-language-pairs", "GET")
    assert pairs == {"supported_languages": []}
    body = {
        "text": ['Hello <x id="6"></x>, good morning', "Less &lt; more"],
        "source_lang": "EN",
        "target_lang": "TA",
        "formality": "default",
        "tag_handling": "xml",
        "ignore_tags": ["x"],
        "context": "A page",
        "model_type": "prefer_quality_optimized",
    }
    calls = len(endpoint.translator.calls)
    texts = [each["text"] for each in send(endpoint, "/v2/translate", json=body)["translations"]]
    assert texts == ['HELLO <x id="6"></x>, GOOD MORNING', "LESS &lt; MORE"]
    # The element is a word of its sentence.
    sentences = endpoint.translator.calls[calls][0]
    assert [len(each.split()) for each in sentences] == [4, 3]


def test_mastodon_sends_a_form_whose_language_may_be_empty(endpoint: LiveEndpoint) -> None:
    form = "text=%3Cp%3EGood+morning%3C%2Fp%3E&text=A+title&source_lang&target_lang=ta"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = httpx.Request("POST", endpoint.url + "/v2/translate", headers=headers)
    answer = httpx.post(
        request.url,
        content=f"{form}&tag_handling=html",
        headers={**headers, "Authorization": f"DeepL-Auth-Key {endpoint.key}"},
    ).json()
    assert [each["text"] for each in answer["translations"]] == ["<p>GOOD MORNING</p>", "A TITLE"]
    assert answer["translations"][0]["detected_source_language"] == "EN"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": ["a"]}, "target_lang"),
        ({"text": [], "target_lang": "TA"}, "text"),
        ({"text": ["a"], "target_lang": "TA", "tag_handling": "json"}, "tag_handling"),
        ({"text": ["a"], "target_lang": "TA", "custom_instructions": ["b"]}, "custom_instructions"),
    ],
)
def test_a_wrong_request_gets_an_error_that_clients_can_read(
    endpoint: LiveEndpoint, body: dict[str, Any], words: str
) -> None:
    headers = {"Authorization": f"DeepL-Auth-Key {endpoint.key}"}
    answer = httpx.post(endpoint.url + "/v2/translate", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert words in answer.json()["message"] == answer.json()["error"]
