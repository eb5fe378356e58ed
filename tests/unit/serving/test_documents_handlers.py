"""The operations of `/v1/documents`, from the upload to the result."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from nmt.access.scopes import Scope
from nmt.config import ServingConfig
from nmt.serving.authentication import Caller
from nmt.serving.errors import ForbiddenError, UnauthorizedError, UnknownGlossaryError
from nmt.serving.types import ServedRoute
from nmt.serving.web.app import build_app
from nmt.serving.web.operations.documents import DocumentForm
from nmt.storage import Storage
from tests.support.documents import (
    LINES,
    ROUTE,
    Endpoint,
    Translator,
    expected,
    request,
    source,
)
from tests.support.web import assert_error

FRENCH = ServedRoute("fra_Latn-tam_Taml", "fra_Latn", "tam_Taml", None, "d2", "tiny", "mit")
CONFIG = ServingConfig(max_documents=2, max_document_mib=1, max_document_characters=50_000)


class Keys:
    """Keys `a` and `b` of two clients, and `root` of an administrator."""

    def __init__(self) -> None:
        self.spent: list[tuple[str, int]] = []

    def admit(self, authorization: str | None, scope: Scope, _api_key: str = "") -> Caller:
        key = (authorization or "").removeprefix("Bearer ")
        if key not in ("a", "b", "root"):
            raise UnauthorizedError("no key")
        if scope == "admin" and key != "root":
            raise ForbiddenError("not an admin")
        return Caller(key, key)

    def spend(self, caller: Caller, characters: int) -> None:
        self.spent.append((caller.id, characters))


class Glossaries:
    """A glossary `rivers`."""

    async def terms(self, name: str, source: str, target: str) -> Mapping[str, str]:
        assert (source, target) == ("eng_Latn", "tam_Taml")
        if name != "rivers":
            raise UnknownGlossaryError(name)
        return {"river": "ஆறு"}


class Site:
    """An endpoint with its web application."""

    def __init__(self, storage: Storage, **parts: Any) -> None:
        self.endpoint = Endpoint(storage, CONFIG)
        self.translator = Translator()
        self.documents = self.endpoint.replica(self.translator)
        parts = {"documents": self.documents, "glossaries": Glossaries()} | parts
        app = build_app(self.translator, CONFIG, **parts)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test")

    async def send(
        self,
        content: bytes = source(),
        name: str = "report.txt",
        key: str = "a",
        **fields: str,
    ) -> httpx.Response:
        return await self.client.post(
            "/v1/documents", files={"file": (name, content)}, data=fields, headers=_key(key)
        )

    async def created(self, *args: Any, **options: Any) -> str:
        """Send a document that is taken, and return its path."""
        response = await self.send(*args, **options)
        assert response.status_code == 202, response.text
        return response.headers["location"]

    async def get(self, path: str, key: str = "a") -> httpx.Response:
        return await self.client.get(path, headers=_key(key))

    async def ended(self, path: str) -> dict[str, Any]:
        """Wait until nobody works on a document any more."""
        async with asyncio.timeout(20):
            while True:
                body = (await self.get(path)).json()
                if body["status"] not in ("waiting", "translating"):
                    return body
                await asyncio.sleep(0.01)


def _key(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path))


def run(storage: Storage, check: Callable[[Site], Awaitable[None]], **parts: Any) -> None:
    async def body() -> None:
        site = Site(storage, **parts)
        try:
            await check(site)
        finally:
            await site.endpoint.stop()
            await site.client.aclose()

    asyncio.run(asyncio.wait_for(body(), 60))


def test_a_document_goes_from_the_upload_to_the_result(storage: Storage) -> None:
    async def check(site: Site) -> None:
        response = await site.send(name="../über report.txt", source="en", target="ta")
        body = response.json()
        assert response.status_code == 202
        assert response.headers["location"] == f"/v1/documents/{body['id']}"
        assert (body["status"], body["sentences"], body["sentences_done"]) == ("waiting", None, 0)
        assert (body["name"], body["format"]) == ("über report.txt", "text")
        assert (body["source"], body["target"]) == ("eng_Latn", "tam_Taml")
        assert body["characters"] == sum(map(len, LINES))
        body = await site.ended(response.headers["location"])
        assert (body["status"], body["sentences"], body["engine"]) == ("done", 450, "d1")
        assert (body["error"], body["warnings"], body["seconds_left"]) == (None, [], None)
        assert body["expires"] > body["created"]
        result = await site.get(f"/v1/documents/{body['id']}/result")
        assert result.content == expected()
        assert result.headers["content-type"] == "application/octet-stream"
        assert "sandbox" in result.headers["content-security-policy"]
        disposition = result.headers["content-disposition"]
        assert disposition.endswith("filename*=UTF-8''%C3%BCber%20report.ta.txt")
        again = await site.client.delete(response.headers["location"])
        assert (again.status_code, again.content) == (204, b"")
        assert_error(await site.get(response.headers["location"]), 404, "not_found")

    run(storage, check)


def test_a_result_is_there_only_once_the_document_is_done(storage: Storage) -> None:
    async def check(site: Site) -> None:
        site.translator.free_calls = 0
        path = await site.created()
        assert_error(await site.get(f"{path}/result"), 409, "not_done", "waiting")
        body = (await site.client.post(f"{path}/cancel")).json()
        assert body["status"] == "cancelled"
        assert body["expires"]
        assert_error(await site.get(f"{path}/result"), 409, "not_done", "cancelled")
        site.translator.gate.set()
        body = (await site.client.post(f"{path}/resume")).json()
        assert (body["status"], body["expires"]) == ("waiting", None)
        assert (await site.ended(path))["status"] == "done"

    run(storage, check)


def test_a_document_is_there_for_its_own_key_and_for_administrators(storage: Storage) -> None:
    keys = Keys()

    async def check(site: Site) -> None:
        path = await site.created(key="a")
        await site.ended(path)
        assert keys.spent == [("a", sum(map(len, LINES)))]
        calls = [("GET", ""), ("GET", "/result"), ("POST", "/cancel"), ("POST", "/resume")]
        for method, action in [*calls, ("DELETE", "")]:
            answer = await site.client.request(method, f"{path}{action}", headers=_key("b"))
            assert_error(answer, 404, "not_found", "no such document")
            answer = await site.client.request(method, f"{path}{action}")
            assert_error(answer, 401, "unauthorized")
        for method, action in calls:
            answer = await site.client.request(method, f"{path}{action}", headers=_key("root"))
            assert answer.status_code == 200
        seen = {key: (await site.get("/v1/documents", key)).json() for key in ("a", "b", "root")}
        assert [len(body["documents"]) for body in seen.values()] == [1, 0, 1]
        assert seen["a"]["documents"][0]["id"] == path.rsplit("/", 1)[-1]

    run(storage, check, authenticator=keys)


def test_without_keys_nobody_can_list_documents(storage: Storage) -> None:
    async def check(site: Site) -> None:
        path = await site.created()
        assert (await site.get("/v1/documents")).json() == {"documents": []}
        assert (await site.get(path)).status_code == 200

    run(storage, check)


def test_an_id_is_not_a_path(storage: Storage) -> None:
    storage.write_bytes("serving/default/state.json", b"{}")

    async def check(site: Site) -> None:
        for name in ("x", "..", "%2e%2e", "..%2f..", "A" * 32, "0" * 32, "é"):
            answer = await site.client.get(f"/v1/documents/{name}")
            assert_error(answer, 404, "not_found")

    run(storage, check)


@pytest.mark.parametrize(
    ("content", "name", "fields", "status", "code", "words"),
    [
        (b"{", "a.json", {}, 400, "invalid_document", "JSON"),
        (b"x", "a.pages", {}, 415, "unknown_format", ".docx"),
        (b"PK\x03\x04", "a.txt", {}, 415, "unknown_format", ""),
        (b"x" * (2**20 + 1), "a.txt", {}, 413, "too_large", "1 MiB"),
        (b"word " * 11_000, "a.txt", {}, 413, "too_large", "50,000"),
        (b"x", "a.txt", {"format": "pdf"}, 400, "invalid_request", "format"),
        (b"x", "a.txt", {"unknown": "1"}, 400, "invalid_request", "unknown"),
        (b"x", "a.txt", {"overwrite": "perhaps"}, 400, "invalid_request", "overwrite"),
        (b"x", "a.txt", {"engine": "d9"}, 404, "unknown_engine", "d9"),
        (b"x", "a.txt", {"glossary": "lakes"}, 404, "unknown_glossary", "lakes"),
        (b"x", "a.txt", {"glossary": '{"a": 1}'}, 400, "invalid_request", "glossary"),
        (b"x", "a.txt", {"glossary": '{"a"'}, 400, "invalid_request", "glossary"),
        (b"x", "a.txt", {"target": "de"}, 400, "unsupported_language", "deu_Latn"),
        (b"x", "a.txt", {"domain": "law"}, 400, "unknown_domain", "law"),
        (b"\xe9", "a.txt", {"encoding": "utf-99"}, 400, "invalid_document", "utf-99"),
    ],
)
def test_what_is_wrong_with_a_document_is_said_at_once(
    storage: Storage,
    content: bytes,
    name: str,
    fields: dict[str, str],
    status: int,
    code: str,
    words: str,
) -> None:
    async def check(site: Site) -> None:
        assert_error(await site.send(content, name, **fields), status, code, words)
        assert storage.list("serving/default/documents") == []

    run(storage, check)


def test_a_form_without_its_file_is_refused(storage: Storage) -> None:
    async def check(site: Site) -> None:
        files: Any
        for files in ({"other": ("a.txt", b"x")}, {"file": (None, b"x")}):
            answer = await site.client.post("/v1/documents", files=files)
            assert_error(answer, 400, "invalid_request", "the part 'file'")
        answer = await site.client.post("/v1/documents", json={"file": "x"})
        assert_error(answer, 415, "unsupported_media_type")

    run(storage, check)


def test_options_of_the_form_reach_the_reader(storage: Storage) -> None:
    async def check(site: Site) -> None:
        content = json.dumps({"a": "Good morning all.", "b": {"c": "Keep it as it is."}})
        path = await site.created(
            content.encode(), "menu.json", keys="/a /b/*", skipped_keys="/b/c", glossary="rivers"
        )
        body = await site.ended(path)
        assert (body["status"], body["sentences"]) == ("done", 1)
        assert site.translator.sentences == ["Good morning all."]
        stored = site.endpoint.store.request(body["id"])
        assert stored.glossary == {"river": "ஆறு"}
        assert stored.options.keys == ("/a", "/b/*")

    run(storage, check)


def test_terms_of_the_form_are_a_glossary(storage: Storage) -> None:
    async def check(site: Site) -> None:
        path = await site.created(glossary='{"river": "நதி"}')
        await site.ended(path)
        result = (await site.get(f"{path}/result")).content.decode()
        assert result.count("நதி") == len(LINES)

    run(storage, check)


def test_the_language_of_a_document_may_be_detected(storage: Storage) -> None:
    async def check(site: Site) -> None:
        site.translator.routes = (ROUTE, FRENCH)
        assert_error(await site.send(target="ta"), 400, "unsupported_language", "source")
        html = b"<html><body><p>The doctors are at the hospital this morning.</p></body></html>"
        answer = await site.send(html, "a.html", source="auto", target="ta")
        assert (answer.status_code, answer.json()["source"]) == (202, "eng_Latn")

    run(storage, check)


def test_documents_above_their_number_are_refused(storage: Storage) -> None:
    async def check(site: Site) -> None:
        site.translator.free_calls = 0
        for _ in range(2):
            await site.created()
        answer = await site.send()
        assert_error(answer, 503, "overloaded", "max_documents")
        assert answer.headers["retry-after"]
        site.translator.gate.set()
        for path in [f"/v1/documents/{key}" for key in site.endpoint.store.states()]:
            await site.ended(path)
        await site.created()

    run(storage, check)


def test_storage_that_does_not_answer_is_not_a_bug(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(site: Site) -> None:
        path = await site.created()
        await site.ended(path)
        monkeypatch.setattr(storage, "_local", Path("/dev/null"))
        monkeypatch.setattr(storage, "_root", "/dev/null")
        for answer in (await site.send(), await site.get(path)):
            assert_error(answer, 503, "storage_unavailable")
            assert "/dev/null" not in answer.text

    run(storage, check)


def test_without_documents_there_is_nothing_at_their_paths(storage: Storage) -> None:
    async def check(site: Site) -> None:
        assert_error(await site.send(), 404, "not_found")

    run(storage, check, documents=None)


def test_a_stored_request_survives_its_file(storage: Storage) -> None:
    async def check(site: Site) -> None:
        asked = request(glossary={"a": "b"}, engine="d1")
        await site.documents.add(asked, source())
        assert Endpoint(storage).store.request(asked.id) == asked

    run(storage, check)


@pytest.mark.parametrize(
    ("glossary", "is_valid"),
    [
        ("rivers", True),
        ("", True),
        ('{"river": "நதி", "a \\"b\\"": "c"}', True),
        (" { } ", True),
        ('{"a"', False),
        (" {a}", False),
        ('{"a": 1}', False),
        ('{"a": " "}', False),
        (f'{{"a": "{"b" * 201}"}}', False),
    ],
)
def test_the_schema_describes_the_glossary_of_a_form(glossary: str, is_valid: bool) -> None:
    schema = DocumentForm.model_json_schema()["properties"]["glossary"]
    assert Draft202012Validator(schema).is_valid(glossary) == is_valid
    try:
        DocumentForm(file=b"", glossary=glossary)  # pyright: ignore[reportArgumentType]
    except ValidationError:
        assert not is_valid
    else:
        assert is_valid
