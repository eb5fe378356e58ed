"""Conditional writes: several processes change one file, and no change is lost."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import GenericError, PreconditionError

from nmt.errors import ConfigError, StorageError
from nmt.storage import Storage, conditional, files
from nmt.storage.remote import s3_options

INCREMENT = """
import sys
from nmt.storage import Storage
storage = Storage(sys.argv[1])
for _ in range(25):
    storage.update("serving/count", lambda old: str(int(old or b"0") + 1).encode())
"""


class GoogleStorage(BaseHTTPRequestHandler):
    """A small part of Google's XML interface: generations, and writes with a condition on them."""

    objects: dict[str, tuple[int, bytes]]
    lock: threading.Lock

    def do_GET(self) -> None:
        found = self.objects.get(self.path)
        if found is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, found[1], found[0])

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            generation = self.objects.get(self.path, (0, b""))[0]
            if int(self.headers["x-goog-if-generation-match"]) != generation:
                self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                return
            self.objects[self.path] = (generation + 1, body)
        self._answer(200, b"", generation + 1)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, status: int, body: bytes, generation: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"same"')
        self.send_header("Last-Modified", "Thu, 26 Nov 2026 18:00:00 GMT")
        if generation:
            self.send_header("x-goog-generation", str(generation))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def google() -> Iterator[Storage]:
    handler = type("Handler", (GoogleStorage,), {"objects": {}, "lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    query = f"endpoint_override=127.0.0.1:{port}&scheme=http"
    yield Storage(f"gs://anonymous@bucket/root?{query}")
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["folder", "s3", "gs"])
def storage(request: pytest.FixtureRequest) -> Storage:
    names = {"folder": "local", "s3": "remote", "gs": "google"}
    return request.getfixturevalue(names[request.param])


def token_of(storage: Storage, path: str) -> str:
    found = storage.read_versioned(path)
    assert found
    return found.token


def test_a_file_that_is_read_with_its_version_can_be_replaced(storage: Storage) -> None:
    assert storage.replace_if("serving/a", b"1", None)
    found = storage.read_versioned("serving/a")
    assert found
    assert found.content == b"1"
    assert storage.replace_if("serving/a", b"2", found.token)
    changed = storage.read_versioned("serving/a")
    assert changed
    assert changed.content == b"2"


def test_a_missing_file_has_no_version(storage: Storage) -> None:
    assert storage.read_versioned("serving/a") is None


def test_a_file_that_was_changed_after_it_was_read_is_not_replaced(storage: Storage) -> None:
    storage.replace_if("a", b"1", None)
    token = token_of(storage, "a")
    assert storage.replace_if("a", b"2", token)
    assert not storage.replace_if("a", b"3", token)
    found = storage.read_versioned("a")
    assert found
    assert found.content == b"2"


def test_a_file_that_must_not_exist_is_not_replaced(storage: Storage) -> None:
    assert storage.replace_if("a", b"1", None)
    assert not storage.replace_if("a", b"2", None)


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_a_file_that_was_deleted_after_it_was_read_is_not_replaced(
    kind: str, request: pytest.FixtureRequest
) -> None:
    storage: Storage = request.getfixturevalue(kind)
    storage.replace_if("a", b"1", None)
    token = token_of(storage, "a")
    storage.delete("a")
    assert not storage.replace_if("a", b"2", token)
    assert not storage.exists("a")


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_a_conditional_write_and_an_ordinary_one_are_about_the_same_file(
    kind: str, request: pytest.FixtureRequest
) -> None:
    storage: Storage = request.getfixturevalue(kind)
    storage.write_bytes("a b/c", b"1")
    assert storage.replace_if("a b/c", b"2", token_of(storage, "a b/c"))
    assert storage.read_bytes("a b/c") == b"2"


def test_a_read_only_root_refuses_conditional_writes(local: Storage) -> None:
    with pytest.raises(StorageError, match="open for reading only"):
        Storage(local.url, read_only=True).replace_if("a", b"1", None)


def test_a_missing_bucket_is_an_error_rather_than_a_conflict(s3_url: str) -> None:
    storage = Storage(s3_url.replace("//bucket/", "//elsewhere/"))
    with pytest.raises(StorageError, match=r"cannot write s3://elsewhere/\w+/a: .*NoSuchBucket"):
        storage.update("a", lambda _: b"1")


def test_four_processes_that_change_a_file_of_a_folder_at_once_lose_no_change(
    local: Storage,
) -> None:
    command = [sys.executable, "-c", INCREMENT, local.locate("")]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert local.read_bytes("serving/count") == b"100"


def test_threads_that_change_an_object_at_once_lose_no_change(
    remote: Storage, atomic_writes: None
) -> None:
    def increment(_: int) -> None:
        remote.update("count", lambda old: str(int(old or b"0") + 1).encode())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(40)))
    assert remote.read_bytes("count") == b"40"


def test_an_update_starts_again_from_the_content_of_a_faster_process(storage: Storage) -> None:
    seen: list[bytes | None] = []

    def change(old: bytes | None) -> bytes:
        seen.append(old)
        if len(seen) == 1:
            storage.replace_if("a", b"other", None)
        return (old or b"") + b"+mine"

    assert storage.update("a", change) == b"other+mine"
    assert seen == [None, b"other"]


def test_an_update_gives_up_if_others_change_the_file_all_the_time(
    local: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MAX_BACKOFF_SECONDS", 0.0)
    count = iter(range(1000))

    def change(_: bytes | None) -> bytes:
        local.write_bytes("a", str(next(count)).encode())
        return b"mine"

    with pytest.raises(StorageError, match="other processes keep changing it"):
        local.update("a", change)


def test_a_change_that_fails_writes_nothing(storage: Storage) -> None:
    def change(_: bytes | None) -> bytes:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        storage.update("a", change)
    assert storage.read_versioned("a") is None


def test_a_write_that_the_client_repeated_after_a_server_error_is_no_conflict(
    remote: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = obstore.put

    def put_twice(*arguments: object, **named: object) -> object:
        put(*arguments, **named)  # pyright: ignore[reportArgumentType, reportCallIssue]
        raise PreconditionError("412")

    monkeypatch.setattr(conditional.obstore, "put", put_twice)
    assert remote.replace_if("a", b"1", None)


def test_an_equal_write_of_another_process_is_a_conflict(
    remote: Storage, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes that both count from 4 to 5 must not both believe that they did."""
    other, put = Storage(s3_url), obstore.put
    remote.replace_if("a", b"4", None)
    token = token_of(remote, "a")
    assert other.replace_if("a", b"5", token)
    assert conditional.obstore.put is put
    assert not remote.replace_if("a", b"5", token)


def test_the_lock_beside_a_file_may_belong_to_another_user(
    local: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.replace_if("a", b"1", None)
    opened = os.open

    def refuse_writing(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, mode)

    monkeypatch.setattr(conditional.os, "open", refuse_writing)
    assert local.replace_if("a", b"2", token_of(local, "a"))


def test_a_file_system_without_locks_warns(
    local: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    assert local.replace_if("a", b"1", None)
    assert "cannot keep other writers away" in caplog.text


# Options of the second client are those of Arrow


def test_keys_come_from_the_profile_if_the_environment_has_none(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text(
        "[default]\naws_access_key_id = wrong\n"
        "[mine]\naws_access_key_id = key%20\naws_secret_access_key = secret\n"
        "aws_session_token = token\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    config, _ = s3_options(s3_url, "bucket")
    assert config.get("access_key_id") == "key%20"
    assert config.get("secret_access_key") == "secret"
    assert config.get("session_token") == "token"
    assert Storage(s3_url).replace_if("a", b"1", None)


def test_keys_may_be_in_the_other_file_of_profiles(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file = tmp_path / "config"
    config_file.write_text(
        "[profile mine]\naws_access_key_id = key\naws_secret_access_key = secret\n"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config_file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "missing"))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    config, _ = s3_options(s3_url, "bucket")
    assert (config.get("access_key_id"), config.get("secret_access_key")) == ("key", "secret")


def test_a_damaged_file_of_profiles_is_refused_and_not_quoted(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text("aws_secret_access_key HUSH\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    with pytest.raises(ConfigError, match="is not a file of AWS profiles") as refused:
        s3_options(s3_url, "bucket")
    assert "HUSH" not in str(refused.value)


def test_missing_credentials_are_named(remote: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise GenericError("Error performing GET http://169.254.169.254/x\n\nDebug source:\nlong")

    monkeypatch.setattr(conditional.obstore, "get", fail)
    with pytest.raises(StorageError, match=r"this machine have no credentials: .*/x$"):
        remote.read_versioned("a")


def test_keys_of_the_environment_go_before_those_of_the_profile(s3_url: str) -> None:
    config, _ = s3_options(s3_url, "bucket")
    assert "access_key_id" not in config


@pytest.mark.parametrize(
    ("url", "environment", "endpoint"),
    [
        ("s3://bucket/x", {}, None),
        ("s3://bucket/x?endpoint_override=minio:9000", {}, "https://minio:9000"),
        ("s3://bucket/x?endpoint_override=http://minio:9000", {}, "http://minio:9000"),
        ("s3://bucket/x", {"AWS_ENDPOINT_URL": "http://a"}, "http://a"),
        ("s3://bucket/x", {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b"}, "http://b"),
        ("s3://bucket/x?endpoint_override=c&scheme=http", {"AWS_ENDPOINT_URL": "http://a"}, "http://c"),
        (
            "s3://bucket/x?endpoint_override=c&force_virtual_addressing=true",
            {},
            "https://bucket.c",
        ),
    ],
)  # fmt: skip
def test_the_endpoint_is_that_of_arrow(
    url: str,
    environment: dict[str, str],
    endpoint: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config, client = s3_options(url, "bucket")
    assert config.get("endpoint") == endpoint
    assert client.get("allow_http") is bool(endpoint and endpoint.startswith("http://"))


def test_the_token_of_an_object_names_its_etag(remote: Storage) -> None:
    remote.write_bytes("a", b"1")
    assert list(json.loads(token_of(remote, "a"))) == ["e_tag"]
