"""What a translation request may ask for besides its texts, and the stream of its answers."""

import json
from typing import Any

import pytest

from nmt.config import ServingConfig
from tests.support.web import FakeTranslator, assert_error, call

CONFIG = ServingConfig(require_keys=False)


def send(translator: FakeTranslator, *, stream: bool = False, **body: Any) -> Any:
    headers = {"Accept": "application/x-ndjson"} if stream else {}
    return call(translator, lambda c: c.post("/v1/translate", json=body, headers=headers), CONFIG)


def lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_text_has_the_keys_that_were_asked_for() -> None:
    asked = {"text": "Good morning", "alternatives": 2, "details": True, "glossary": {"a": "b"}}
    [text] = send(FakeTranslator(), **asked).json()["translations"]
    assert text["alternatives"] == ["GOOD MORNING 2", "GOOD MORNING 3"]
    assert text["glossary"] == []
    assert 0 < text["confidence"] <= 1
    assert {"kind", "path", "source"} == set(text["warnings"][0])


def test_a_detected_language_is_told() -> None:
    answer = send(FakeTranslator(), text="Where is the hospital of this town?", source="auto")
    assert answer.json()["detected"]["language"] == "eng_Latn"
    answer = send(FakeTranslator(), text="La maison est grande et belle.", source="auto")
    assert_error(answer, 400, "unsupported_language", "French")


@pytest.mark.parametrize(
    ("body", "code"),
    [({"engine": "d9"}, "unknown_engine"), ({"glossary": "names"}, "unknown_glossary")],
)
def test_what_is_not_there_gets_404(body: dict[str, Any], code: str) -> None:
    for stream in (False, True):
        translator = FakeTranslator()
        answer = send(translator, text="a", stream=stream, **body)
        assert translator.open_sessions == 0
        assert_error(answer, 404, code)


def test_a_stream_has_a_line_for_each_text_and_a_last_one() -> None:
    translator = FakeTranslator()
    answer = send(translator, text=["One.", "Two."], stream=True)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    *texts, last = lines(answer)
    assert sorted((each["index"], each["text"]) for each in texts) == [(0, "ONE."), (1, "TWO.")]
    assert last == {"engine": "d1", "source": "eng_Latn", "target": "tam_Taml"}
    assert translator.open_sessions == 0


def test_an_error_within_a_stream_is_its_last_line() -> None:
    translator = FakeTranslator()
    translator.error = RuntimeError("secret path")
    answer = send(translator, text=["One.", "Two."], stream=True)
    assert answer.status_code == 200
    assert lines(answer)[-1]["code"] == "internal"
    assert "secret" not in answer.text
    assert translator.open_sessions == 0
