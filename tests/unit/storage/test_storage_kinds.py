"""What holds on one kind of storage only."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from nmt.errors import ConfigError, StorageError, UnavailableError
from nmt.storage import Storage
from tests.unit.storage.conftest import fails, fill, spoil

# A local folder


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_midway_keeps_the_old_file_and_no_part(local, monkeypatch, broken):
    local.write_bytes("a", b"old")
    target = os if broken == "fsync" else Path
    monkeypatch.setattr(target, broken, fails)
    with pytest.raises(StorageError, match=r"cannot write .*/a: No space left on device"):
        local.write_bytes("a", b"new")
    assert local.read_bytes("a") == b"old"
    assert local.list("") == ["a"]


def test_an_interrupted_write_leaves_no_part(local, monkeypatch):
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        local.write_bytes("a", b"new")
    assert local.list("") == []


def test_a_reader_beside_a_writer_sees_whole_files_only(local):
    contents = {b"a" * 100_000, b"b" * 10}
    local.write_bytes("a", min(contents))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for content in contents:
                local.write_bytes("a", content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {local.read_bytes("a") for _ in range(200)}
    finally:
        stop.set()
        writer.join()
    assert seen <= contents


def test_writing_below_a_file_is_a_storage_error(local):
    local.write_bytes("a", b"1")
    with pytest.raises(StorageError, match="cannot write"):
        local.write_bytes("a/b", b"2")


def test_listing_a_file_is_a_storage_error(local):
    local.write_bytes("a", b"1")
    with pytest.raises(StorageError, match="cannot list"):
        local.list("a")


def test_a_commit_that_cannot_be_flushed_leaves_nothing(local, monkeypatch):
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(StorageError, match="cannot write"):
        fill(local, "one", {"a": "1"})
    assert local.list("") == []


def test_a_commit_that_cannot_be_put_in_place_brings_the_old_one_back(local, monkeypatch):
    fill(local, "one", {"a": "old"})
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial"):
            fails()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(StorageError, match="cannot write"):
        fill(local, "one", {"a": "new"})
    assert (local.fetch("one") / "a").read_text() == "old"
    assert local.list("") == ["one"]


def test_a_local_fetch_is_the_folder_itself(local):
    fill(local, "one", {"a": "1"})
    assert str(local.fetch("one")) == local.locate("one")


def test_a_fetch_that_does_not_verify_takes_a_damaged_file(local):
    fill(local, "one", {"a": "1"})
    spoil(local, "one/a", b"other")
    assert (local.fetch("one", verify=False) / "a").read_text() == "other"


# An object store


def test_an_upload_that_fails_is_no_commit(remote, monkeypatch):
    monkeypatch.setattr(shutil, "copyfileobj", fails)
    with pytest.raises(StorageError, match="cannot write"):
        fill(remote, "one", {"a": "1"})
    assert not remote.is_committed("one")


def test_an_upload_that_fails_over_a_commit_is_no_mixture(remote, monkeypatch):
    fill(remote, "one", {"a": "old", "b": "old"})
    copy = shutil.copyfileobj

    def second_fails(source, sink, length):
        if source.name.endswith("/b"):
            fails()
        copy(source, sink, length)

    monkeypatch.setattr(shutil, "copyfileobj", second_fails)
    with pytest.raises(StorageError, match="cannot write"):
        fill(remote, "one", {"a": "new", "b": "new"})
    assert not remote.is_committed("one")


def test_a_second_fetch_takes_the_cached_copy(remote):
    fill(remote, "one", {"a": "1"})
    first = remote.fetch("one")
    spoil(remote, "one/a", None)
    assert remote.fetch("one") == first


def test_equal_content_is_cached_once(remote):
    fill(remote, "one", {"a": "1"})
    fill(remote, "two", {"a": "1"})
    assert remote.fetch("one") == remote.fetch("two")


@pytest.mark.parametrize("verify", [True, False])
def test_a_damaged_cached_copy_is_fetched_again_unless_asked_not_to_look(remote, verify):
    fill(remote, "one", {"a": "1", "b": "2"})
    (remote.fetch("one") / "a").unlink()
    assert (remote.fetch("one", verify=verify) / "a").exists() is verify


def test_a_failed_download_leaves_nothing_in_the_cache(remote, cache):
    fill(remote, "one", {"a": "1"})
    spoil(remote, "one/a", b"2")
    with pytest.raises(StorageError):
        remote.fetch("one")
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_bucket_that_is_not_there_is_a_storage_error(s3_url):
    storage = Storage(s3_url.replace("//bucket/", "//elsewhere/"))
    with pytest.raises(StorageError, match=r"cannot write s3://elsewhere/\w+/a"):
        storage.write_bytes("a", b"1")


def test_credentials_in_the_url_are_refused_and_not_repeated():
    with pytest.raises(ConfigError, match="AWS_ACCESS_KEY_ID") as caught:
        Storage("s3://AKIAKEY:SECRETXYZ@bucket/x")
    assert "SECRETXYZ" not in str(caught.value)


def test_an_endpoint_that_does_not_answer_is_told_at_once():
    with pytest.raises(UnavailableError, match=r"127.0.0.1:1 does not answer"):
        Storage("s3://bucket/x?endpoint_override=127.0.0.1:1&scheme=http&region=us-east-1")
