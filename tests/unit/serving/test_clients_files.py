"""Short files of LibreTranslate's clients, against the endpoint with API keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from nmt.config import ServingConfig
from nmt.serving.documents.service import Documents
from nmt.serving.documents.store import DocumentStore
from nmt.serving.documents.worker import DocumentWorkers
from nmt.storage import Storage
from tests.support.live import LiveEndpoint, live_endpoint
from tests.support.web import ROUTE, FakeTranslator

PAGE = "<!doctype html>\n<html><body><p class='a'>Good <b>morning</b>!</p></body></html>\n"


def documents_in(folder: Path) -> Documents:
    """Return documents that no worker translates."""
    config = ServingConfig()
    store = DocumentStore(Storage(str(folder)), config.name)
    return Documents(store, DocumentWorkers(store, FakeTranslator(), config), config)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    folder = tmp_path_factory.mktemp("root")
    with live_endpoint(folder, ROUTE, documents=documents_in(folder)) as endpoint:
        yield endpoint


def upload(endpoint: LiveEndpoint, name: str, content: bytes, **request: Any) -> httpx.Response:
    """Send a file as LibreTranslate's page does: with the key behind it."""
    fields = {"source": "en", "target": "ta", "api_key": endpoint.key, **request.pop("fields", {})}
    files = {"file": (name, content)}
    return httpx.post(f"{endpoint.url}/translate_file", data=fields, files=files, **request)


@pytest.mark.parametrize("source", ["en", "auto"])
def test_a_file_is_translated_and_fetched_without_a_key(
    endpoint: LiveEndpoint, source: str
) -> None:
    answer = upload(endpoint, "page one.html", PAGE.encode(), fields={"source": source})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"translatedFileUrl"}
    url = answer.json()["translatedFileUrl"]
    assert url.startswith(f"{endpoint.url}/download_file/")
    assert url.endswith("/page%20one.ta.html")
    file = httpx.get(url)
    assert "<p class='a'>GOOD <b>MORNING</b>!</p>" in file.text
    assert 'filename="page one.ta.html"' in file.headers["content-disposition"]
    assert "sandbox" in file.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "content", "fields", "status", "code"),
    [
        ("a.txt", b"x", {"api_key": ""}, 401, "unauthorized"),
        ("a.txt", b"x", {"api_key": "nmt_1_wrong"}, 401, "unauthorized"),
        ("a.txt", b"x", {"source": "fr"}, 400, "unsupported_language"),
        ("a.exe", b"MZ", {}, 415, "unknown_format"),
        ("a.json", b'{"a": "b"', {}, 400, "invalid_document"),
        ("a.txt", b"\xff\xfe\xfd", {}, 400, "invalid_document"),
        ("a.txt", b"Good morning. " * 2000, {}, 413, "too_large"),
    ],
)
def test_a_file_that_cannot_be_translated_now_is_refused(
    endpoint: LiveEndpoint,
    name: str,
    content: bytes,
    fields: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = upload(endpoint, name, content, fields=fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_a_long_file_is_sent_elsewhere(endpoint: LiveEndpoint) -> None:
    calls = len(endpoint.translator.calls)
    answer = upload(endpoint, "a.txt", b"Good morning. " * 2000)
    assert "POST /v1/documents" in answer.json()["error"]
    assert len(endpoint.translator.calls) == calls


@pytest.mark.parametrize("missing", ["file", "source", "target"])
def test_a_form_without_a_field_is_refused(endpoint: LiveEndpoint, missing: str) -> None:
    parts: dict[str, Any] = {
        "file": ("a.txt", b"x"),
        "source": (None, b"en"),
        "target": (None, b"ta"),
        "api_key": (None, endpoint.key.encode()),
    }
    del parts[missing]
    answer = httpx.post(f"{endpoint.url}/translate_file", files=parts)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert missing in answer.json()["error"]


@pytest.mark.parametrize("id_", ["0" * 32, "..", "a%2Fb", "x"])
def test_another_address_has_no_file(endpoint: LiveEndpoint, id_: str) -> None:
    answer = httpx.get(f"{endpoint.url}/download_file/{id_}/a.txt")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_address_is_the_one_that_a_proxy_serves(endpoint: LiveEndpoint) -> None:
    headers = {"Host": "translate.example.org", "X-Forwarded-Proto": "https"}
    url = upload(endpoint, "a.txt", b"Close", headers=headers).json()["translatedFileUrl"]
    assert url.startswith("https://translate.example.org/download_file/")
    answer = upload(endpoint, "a.txt", b"Close", headers={"Host": "a'b<c>"})
    assert answer.status_code == 400 or answer.json()["translatedFileUrl"].startswith("/download")
