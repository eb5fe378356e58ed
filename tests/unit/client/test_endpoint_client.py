"""The Python client: batches, retries and documents, against answers that the tests make."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from nmt.client import Client, Document, EndpointError, Translation

BUSY = httpx.Response(503, json={"error": "too much work", "code": "overloaded"})


class Endpoint:
    """An endpoint that upper-cases texts, or first gives the answers it was told."""

    def __init__(self, *answers: httpx.Response | Exception, max_texts: int = 128) -> None:
        self.answers = list(answers)
        self.max_texts = max_texts
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def client(self, **options: int) -> Client:
        return Client(
            "http://endpoint/base/",
            "nmt_1_secret",
            transport=httpx.MockTransport(self._answer),
            sleep=self.waits.append,
            **options,
        )

    @property
    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(request.content) for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        texts = json.loads(request.content)["text"]
        if len(texts) > self.max_texts:
            return httpx.Response(413, json={"error": "too many", "code": "too_large"})
        translations = [{"text": text.upper()} for text in texts]
        return httpx.Response(200, json={"translations": translations, "engine": "d1", "new": 1})


def test_a_text_gives_a_translation_and_a_list_gives_a_list() -> None:
    with Endpoint().client() as client:
        assert client.translate("one") == Translation(text="ONE", engine="d1")
        assert [each.text for each in client.translate(["one", "two"])] == ["ONE", "TWO"]
        assert client.translate([]) == []


def test_options_and_the_key_are_sent() -> None:
    endpoint = Endpoint()
    endpoint.client().translate("one", source="en", target="ta", glossary={"one": "ஒன்று"})
    (body,) = endpoint.bodies
    assert body == {"text": ["one"], "source": "en", "target": "ta", "glossary": {"one": "ஒன்று"}}
    (request,) = endpoint.requests
    assert request.headers["Authorization"] == "Bearer nmt_1_secret"
    assert request.url == "http://endpoint/base/v1/translate"


@pytest.mark.parametrize("limits", [{"max_texts": 3}, {"max_characters": 15}])
def test_many_texts_are_cut_into_requests_and_keep_their_order(limits: dict[str, int]) -> None:
    endpoint, texts = Endpoint(), [f"text {number}" for number in range(8)]
    found = endpoint.client(**limits).translate(texts)
    assert [each.text for each in found] == [text.upper() for text in texts]
    assert 1 < len(endpoint.requests) < 8


def test_a_batch_above_the_limits_of_the_endpoint_is_sent_in_halves() -> None:
    endpoint = Endpoint(max_texts=2)
    found = endpoint.client().translate(["a", "b", "c", "d", "e"])
    assert [each.text for each in found] == ["A", "B", "C", "D", "E"]


def test_a_text_above_the_limits_of_the_endpoint_is_an_error() -> None:
    with pytest.raises(EndpointError, match="too many") as caught:
        Endpoint(max_texts=0).client().translate("a")
    assert (caught.value.status, caught.value.code) == (413, "too_large")


@pytest.mark.parametrize("lost", [BUSY, httpx.ConnectError("refused"), httpx.ReadError("reset")])
def test_a_request_that_was_not_answered_is_sent_again(lost: httpx.Response | Exception) -> None:
    endpoint = Endpoint(lost, lost)
    assert endpoint.client().translate("one").text == "ONE"
    assert len(endpoint.requests) == 3
    assert 0 < endpoint.waits[0] < endpoint.waits[1] * 2


def test_the_client_waits_as_long_as_the_endpoint_asks() -> None:
    answer = {"error": "limit", "code": "rate_limited"}
    limited = httpx.Response(429, json=answer, headers={"Retry-After": "7"})
    endpoint = Endpoint(limited)
    endpoint.client().translate("one")
    assert 7 <= endpoint.waits[0] < 8


def test_an_endpoint_that_never_answers_is_an_error_after_the_retries() -> None:
    endpoint = Endpoint(*[BUSY] * 3)
    with pytest.raises(EndpointError, match="too much work") as caught:
        endpoint.client(max_retries=2).translate("one")
    assert caught.value.code == "overloaded"
    endpoint = Endpoint(*[httpx.ConnectError("refused")] * 3)
    with pytest.raises(EndpointError, match="does not answer: refused") as caught:
        endpoint.client(max_retries=2).translate("one")
    assert caught.value.status is None


def test_a_refused_request_is_not_sent_again() -> None:
    endpoint = Endpoint(httpx.Response(400, json={"error": "no such pair", "code": "unsupported"}))
    with pytest.raises(EndpointError, match="no such pair"):
        endpoint.client().translate("one", target="xx")
    assert len(endpoint.requests) == 1


def test_an_answer_of_a_proxy_in_between_is_shown() -> None:
    with pytest.raises(EndpointError, match="status 418: I am a proxy"):
        Endpoint(httpx.Response(418, text="I am a proxy")).client().translate("one")


def state(status: str, **values: object) -> httpx.Response:
    return httpx.Response(200, json={"id": "x1", "name": "a.html", "status": status, **values})


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "a.html"
    path.write_bytes(b"<p>One.</p>")
    return path


def test_a_document_is_sent_followed_written_and_deleted(page: Path, tmp_path: Path) -> None:
    seen: list[Document] = []
    endpoint = Endpoint(
        state("waiting"),
        state("translating", sentences=2, sentences_done=1),
        state("done", sentences=2, sentences_done=2),
        httpx.Response(200, content=b"<p>ONE.</p>"),
        state("done"),
    )
    target = tmp_path / "a.ta.html"
    endpoint.client().translate_document(page, target, on_progress=seen.append, target="ta")
    assert target.read_bytes() == b"<p>ONE.</p>"
    assert [each.sentences_done for each in seen] == [1, 2]
    sent = [(request.method, request.url.path) for request in endpoint.requests]
    assert sent == [
        ("POST", "/base/v1/documents"),
        ("GET", "/base/v1/documents/x1"),
        ("GET", "/base/v1/documents/x1"),
        ("GET", "/base/v1/documents/x1/result"),
        ("DELETE", "/base/v1/documents/x1"),
    ]
    assert b"<p>One.</p>" in endpoint.requests[0].content


def test_a_document_that_failed_is_an_error_and_writes_nothing(page: Path, tmp_path: Path) -> None:
    endpoint = Endpoint(state("waiting"), state("failed", error="p[1]: unclosed"))
    with pytest.raises(EndpointError, match="unclosed"):
        endpoint.client().translate_document(page, tmp_path / "out.html")
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("call", [Client.cancel_document, Client.resume_document, Client.document])
def test_a_document_can_be_cancelled_resumed_and_looked_at(
    call: Callable[[Client, str], Document],
) -> None:
    assert call(Endpoint(state("cancelled")).client(), "x1").status == "cancelled"


def test_feedback_names_the_engine_of_the_translation() -> None:
    endpoint = Endpoint(httpx.Response(200, json={"id": "f1"}))
    translation = Translation(text="ONE", engine="d1")
    endpoint.client().send_feedback("one", translation, source="en", target="ta", correction="1")
    (body,) = endpoint.bodies
    assert body["engine"] == "d1"
    assert body["correction"] == "1"


def test_languages_and_detection_are_read() -> None:
    languages = [{"code": "en", "name": "English", "targets": ["ta"]}]
    found = [{"language": "en", "confidence": 92.5}]
    client = Endpoint(httpx.Response(200, json=languages), httpx.Response(200, json=found)).client()
    assert client.languages()[0].targets == ("ta",)
    assert client.detect("Hello.")[0].language == "en"
