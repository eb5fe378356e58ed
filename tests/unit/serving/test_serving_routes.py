"""Which engine translates a request, by its languages and its domain."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from nmt.serving.types import Served, ServedRoute
from tests.support.web import CONFIG, MEDICAL, ROUTE, FakeTranslator, assert_error, call, post

FRENCH = ServedRoute("fra_Latn-tam_Taml", "fra_Latn", "tam_Taml", None, "d3", "tiny", "mit")
GERMAN = ServedRoute("eng_Latn-deu_Latn", "eng_Latn", "deu_Latn", None, "d4", "tiny", "mit")
LAW = ServedRoute("deu_Latn-fra_Latn/law", "deu_Latn", "fra_Latn", "law", "d5", "tiny", "mit")
HANT = ServedRoute("eng_Latn-zho_Hant", "eng_Latn", "zho_Hant", None, "d6", "tiny", "mit")


def translator() -> FakeTranslator:
    return FakeTranslator(ROUTE, MEDICAL, FRENCH, GERMAN, LAW)


@pytest.mark.parametrize(
    ("wanted", "route"),
    [
        ({}, ROUTE),
        ({"domain": "medical"}, MEDICAL),
        ({"source": "en", "target": "ta"}, ROUTE),
        ({"source": "en", "target": "ta", "domain": "medical"}, MEDICAL),
        ({"source": "en-GB", "target": "deu_Latn"}, GERMAN),
        ({"source": "fr"}, FRENCH),
        ({"target": "de"}, GERMAN),
        ({"source": "de", "domain": "law"}, LAW),
        ({"source": None, "target": None, "domain": None}, ROUTE),
    ],
)
def test_languages_and_domain_choose_the_engine(wanted: dict[str, Any], route: ServedRoute) -> None:
    fake = translator()
    response = post(fake, {"text": "a", **wanted})
    assert response.json() == {
        "translations": [{"text": "A"}],
        "engine": route.engine,
        "source": route.source_language,
        "target": route.target_language,
    }
    assert [used for _, used, _ in fake.calls] == [route]


@pytest.mark.parametrize(
    ("wanted", "code", "words"),
    [
        ({"source": "en"}, "unsupported_language", ["name the target too", "(de, deu_Latn)"]),
        ({"target": "ta"}, "unsupported_language", ["name the source too", "French (fr,"]),
        ({"source": "ta"}, "unsupported_language", ["tam_Taml to any language", "(en, eng_Latn)"]),
        ({"source": "fr", "target": "de"}, "unsupported_language", ["is not served"]),
        ({"domain": "legal"}, "unknown_domain", ["'legal'", "medical"]),
        ({"domain": ""}, "unknown_domain", ["''", "medical"]),
        ({"target": "de", "domain": "law"}, "unknown_domain", ["leave the key out"]),
        ({"source": "de"}, "unknown_domain", ["needs a domain", "law"]),
        ({"domain": 1}, "invalid_request", ["domain"]),
    ],
)
def test_a_request_that_fits_no_engine_is_told_what_there_is(
    wanted: dict[str, Any], code: str, words: list[str]
) -> None:
    response = post(translator(), {"text": "a", **wanted})
    for each in words:
        assert_error(response, 400, code, each)


def test_a_long_domain_is_not_repeated_whole() -> None:
    assert len(post(translator(), {"text": "a", "domain": "d" * 3000}).content) < 400


def test_many_pairs_are_not_all_listed() -> None:
    routes = [replace(ROUTE, target_language=code) for code in ("deu_Latn", "fra_Latn")]
    codes = ["asm_Beng", "ben_Beng", "guj_Gujr", "hin_Deva", "kan_Knda", "mal_Mlym", "mar_Deva"]
    routes += [replace(ROUTE, target_language=code) for code in [*codes, "npi_Deva", "ory_Orya"]]
    response = post(FakeTranslator(*routes), {"text": "a", "source": "ta"})
    assert_error(response, 400, "unsupported_language", "and 1 more: see /languages")


def test_a_default_route_of_a_domain_serves_requests_that_name_nothing() -> None:
    fake = FakeTranslator(MEDICAL)
    assert post(fake, {"text": "a"}).json()["engine"] == MEDICAL.engine


def test_other_pairs_are_served_while_the_default_engine_is_missing() -> None:
    fake = FakeTranslator()
    fake.now = Served((FRENCH,), None)
    assert post(fake, {"text": "a", "source": "fr"}).json()["engine"] == FRENCH.engine
    assert_error(post(fake, {"text": "a"}), 503, "no_engine")


def test_a_promotion_of_another_pair_refuses_no_request_that_names_no_language() -> None:
    fake = FakeTranslator(ROUTE)

    async def act(client: httpx.AsyncClient) -> httpx.Response:
        engines = []
        for default in (ROUTE, FRENCH, ROUTE, FRENCH):
            fake.now = Served((default,), default)
            response = await client.post("/v1/translate", json={"text": "a"})
            engines.append(response.json()["engine"])
        assert engines == ["d1", "d3", "d1", "d3"]
        return response

    assert call(fake, act).status_code == 200


def test_health_and_languages_show_all_routes() -> None:
    fake = translator()
    health = call(fake, lambda c: c.get("/health"), CONFIG).json()
    assert health["engine"] == "d1"
    assert [(each["engine"], each["domain"]) for each in health["routes"]] == [
        ("d1", None),
        ("d2", "medical"),
        ("d3", None),
        ("d4", None),
        ("d5", "law"),
    ]
    assert call(fake, lambda c: c.get("/languages")).json() == [
        {"code": "en", "name": "English", "targets": ["ta", "de"]},
        {"code": "fr", "name": "French", "targets": ["ta"]},
        {"code": "de", "name": "German", "targets": ["fr"]},
    ]


def test_a_language_is_listed_by_a_code_that_means_its_script() -> None:
    fake = FakeTranslator(HANT)
    [language] = call(fake, lambda c: c.get("/languages")).json()
    assert language["targets"] == ["zho_Hant"]
    assert post(fake, {"text": "a", "target": language["targets"][0]}).status_code == 200
