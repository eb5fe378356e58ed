"""Models of a hub, which is a small server on this machine here."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants

from nmt.errors import ModelError, UnavailableError
from nmt.models.sources.hub_files import find_hub_error, snapshot_of
from nmt.models.sources.source import ModelSource
from nmt.storage import Storage

NAME = "owner/model"
OLD, NEW = "a" * 40, "b" * 40
PICKLED = {"config.json": b"{}", "tokenizer.json": b"{}", "pytorch_model.bin": b"weights"}


class Hub(ThreadingHTTPServer):
    """What of a hub's interface a download takes; counts what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.commits = {OLD: dict(PICKLED)}
        self.main = OLD
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Hub  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        parts = path.strip("/").split("/")
        if parts[:3] == ["api", "models", "owner"] and parts[3] == "model":
            self.api(parts[4:])
        elif parts[:3] == ["owner", "model", "resolve"]:
            self.file(self.commit(parts[3]), "/".join(parts[4:]))
        else:
            self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def commit(self, revision: str) -> str:
        return self.server.main if revision == "main" else revision

    def api(self, parts: list[str]) -> None:
        commit = self.commit(parts[1] if len(parts) > 1 else "main")
        if commit not in self.server.commits:
            self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            return
        files = self.server.commits[commit]
        if parts[:1] == ["tree"]:
            answer = [
                {"type": "file", "path": name, "size": len(content), "oid": name}
                for name, content in files.items()
            ]
            self.reply(200, json.dumps(answer).encode())
            return
        siblings = [{"rfilename": name} for name in files]
        about = {"id": NAME, "sha": commit, "siblings": siblings}
        self.reply(200, json.dumps(about).encode())

    def file(self, commit: str, name: str) -> None:
        content = self.server.commits[commit].get(name)
        if content is None:
            self.reply(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": commit, "ETag": f'"{commit[:8]}-{name}"'}
        self.reply(200, content, headers)

    def reply(self, code: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a server in the hub's place, as $HF_ENDPOINT does before the client is imported."""
    template = f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model, and an empty cache."""
    server = Hub()
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    point_to(server.url, monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    find_hub_error.cache_clear()
    yield server
    find_hub_error.cache_clear()
    server.shutdown()
    thread.join()
    server.server_close()


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def close(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing answer any more."""
    point_to("http://127.0.0.1:1", monkeypatch)
    find_hub_error.cache_clear()
    hub.asked.clear()


def test_pickled_weights_are_fetched_where_there_are_no_others(hub: Hub) -> None:
    assert names_in(snapshot_of(NAME, None)) == set(PICKLED)


def test_pickled_weights_are_not_fetched_beside_safetensors(hub: Hub) -> None:
    hub.commits[OLD] |= {"model.safetensors": b"safe", "README.md": b"card", "onnx/model.bin": b"x"}
    assert names_in(snapshot_of(NAME, None)) == {
        "config.json", "tokenizer.json", "model.safetensors"
    }  # fmt: skip
    assert not any(name.endswith(".bin") for name in hub.asked)


def test_a_run_stays_at_its_commit_when_the_branch_moves(hub: Hub, tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "storage"))
    base = ModelSource(NAME).resolve(storage)
    assert base.revision == OLD
    hub.commits[NEW], hub.main = PICKLED | {"pytorch_model.bin": b"others!"}, NEW
    later = ModelSource(**{f: base.as_record()[f] for f in ("name", "revision")}).resolve(storage)
    assert later.content == base.content
    assert ModelSource(NAME).resolve(storage).content != base.content


def test_a_commit_that_the_cache_holds_is_not_asked_for(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = snapshot_of(NAME, None)
    close(hub, monkeypatch)
    assert snapshot_of(NAME, OLD) == folder


def test_without_the_hub_the_cache_answers(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = snapshot_of(NAME, None)
    close(hub, monkeypatch)
    assert snapshot_of(NAME, None) == folder


def test_without_the_hub_a_cache_without_weights_is_not_enough(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    (snapshot_of(NAME, None) / "pytorch_model.bin").unlink()
    close(hub, monkeypatch)
    with pytest.raises(UnavailableError, match=r"owner/model: not in the cache, and the hub"):
        snapshot_of(NAME, None)


def test_a_model_that_the_hub_does_not_have_is_bad_input(hub: Hub) -> None:
    with pytest.raises(ModelError, match=r"model.name_or_path=owner/other: "):
        snapshot_of("owner/other", None)
    with pytest.raises(ModelError, match=r"model.name_or_path=owner/model: "):
        snapshot_of(NAME, NEW)
