"""Behaviour of only one kind of storage."""

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from nmt.errors import ConfigError, StorageError, UnavailableError
from nmt.storage import Storage
from nmt.storage.cache import remove_if_unused
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


class Dying:
    """A file system that fails at a given call and at every later one, as after a kill."""

    def __init__(self, filesystem: Any, moment: int) -> None:
        self.filesystem, self.left = filesystem, moment

    def __getattr__(self, name: str) -> Any:
        self.left -= 1
        if self.left <= 0:
            raise KeyboardInterrupt
        return getattr(self.filesystem, name)


def test_a_kill_at_any_call_of_a_second_save_of_the_same_files_keeps_the_commit(remote, s3_url):
    fill(remote, "one", {"a": "1", "b": "2"}, number=1)
    moment, killed = 0, True
    while killed:
        moment, killed = moment + 1, False
        dying = Storage(s3_url)
        killed_filesystem: Any = Dying(dying._fs, moment)
        dying._fs = killed_filesystem
        try:
            fill(dying, "one", {"a": "1", "b": "2"}, number=2)
        except KeyboardInterrupt:
            killed = True
        assert (remote.fetch("one") / "a").read_text() == "1", f"killed at call {moment}"
    assert moment > 3
    assert remote.manifest("one")["meta"] == {"number": 2}


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
def test_a_damaged_cached_copy_is_fetched_again_unless_verify_is_false(remote, verify):
    fill(remote, "one", {"a": "1", "b": "2"})
    (remote.fetch("one") / "a").unlink()
    assert (remote.fetch("one", verify=verify) / "a").exists() is verify


def test_a_failed_download_leaves_nothing_in_the_cache(remote, cache):
    fill(remote, "one", {"a": "1"})
    spoil(remote, "one/a", b"2")
    with pytest.raises(StorageError):
        remote.fetch("one")
    assert [path for path in cache.rglob("*") if path.is_file()] == []


# Copies of an object store's folders that are read once


def copies(cache: Path) -> list[str]:
    """Names of all files in the cache of this machine."""
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_a_copy_is_deleted_after_it_was_read(remote, cache):
    fill(remote, "one", {"a": "1"})
    with remote.reading("one") as folder:
        assert (folder / "a").read_text() == "1"
    assert copies(cache) == []
    with remote.reading("one") as folder:
        assert (folder / "a").read_text() == "1"


def test_a_copy_is_deleted_only_by_its_last_reader(remote, s3_url, cache):
    fill(remote, "one", {"a": "1"})
    with remote.reading("one") as folder:
        with Storage(s3_url).reading("one") as same:
            assert same == folder
        assert (folder / "a").read_text() == "1"
    assert copies(cache) == []


def test_a_reader_copies_again_if_the_copy_was_just_deleted(remote, cache, monkeypatch):
    fill(remote, "one", {"a": "1"})
    fetch, calls = Storage._download, []

    def dropped_at_once(*arguments: Any, **named: Any) -> Path:
        folder = fetch(*arguments, **named)
        calls.append(folder)
        if len(calls) == 1:
            remove_if_unused(folder)
        return folder

    monkeypatch.setattr(Storage, "_download", dropped_at_once)
    with remote.reading("one") as folder:
        assert (folder / "a").read_text() == "1"
    assert len(calls) == 2


def test_a_copy_is_deleted_after_an_error_of_its_reader(remote, cache):
    fill(remote, "one", {"a": "1"})
    with pytest.raises(ValueError, match="mine"), remote.reading("one"):
        raise ValueError("mine")
    assert copies(cache) == []


def test_a_lasting_copy_of_the_same_content_is_not_deleted(remote, cache):
    fill(remote, "one", {"a": "1"})
    kept = remote.fetch("one")
    with remote.reading("one"):
        pass
    remote.sweep("")
    assert (kept / "a").read_text() == "1"


def test_only_the_requested_files_are_copied(remote, cache):
    fill(remote, "one", {"a": "1", "optimizer": "2"})
    with remote.reading("one", only=["a"]):
        assert copies(cache) == ["a"]
    with remote.reading("one"):
        assert copies(cache) == ["a", "optimizer"]


def test_the_next_reading_removes_what_killed_readers_and_writers_left(remote, cache):
    fill(remote, "one", {"a": "1"})
    for left in ("passing/0123", "passing/.0123.0123abcd.partial", ".step.0123abcd.partial"):
        folder = cache / f"nmt-cache-{os.getuid()}" / left
        folder.mkdir(parents=True)
        (folder / "left").write_text("half")
    with remote.reading("one"):
        assert copies(cache) == ["a"]


def test_a_sweep_keeps_folders_that_are_being_read_or_written(remote, s3_url):
    fill(remote, "one", {"a": "1"})
    with remote.reading("one") as read, remote.commit("two") as written:
        (written / "b").write_text("2")
        Storage(s3_url).sweep("")
        assert (read / "a").read_text() == "1"
    assert (remote.fetch("two") / "b").read_text() == "2"


def test_a_local_folder_is_read_in_place_and_not_deleted(local):
    fill(local, "one", {"a": "1"})
    with local.reading("one") as folder:
        assert str(folder) == local.locate("one")
    assert (folder / "a").read_text() == "1"


def test_a_damaged_file_is_refused_only_if_it_was_requested(storage):
    fill(storage, "one", {"a": "1", "optimizer": "2"})
    spoil(storage, "one/optimizer", b"3")
    with storage.reading("one", only=["a"]) as folder:
        assert (folder / "a").read_text() == "1"
    for only, problem in ((), "differs from its manifest"), (["gone"], "is not in the manifest"):
        with pytest.raises(StorageError, match=problem), storage.reading("one", only=only):
            pass


def test_a_missing_bucket_is_a_storage_error(s3_url):
    storage = Storage(s3_url.replace("//bucket/", "//elsewhere/"))
    with pytest.raises(StorageError, match=r"cannot write s3://elsewhere/\w+/a"):
        storage.write_bytes("a", b"1")


def test_credentials_in_the_url_are_refused_and_not_repeated():
    with pytest.raises(ConfigError, match="AWS_ACCESS_KEY_ID") as caught:
        Storage("s3://AKIAKEY:SECRETXYZ@bucket/x")
    assert "SECRETXYZ" not in str(caught.value)


def test_an_endpoint_that_does_not_answer_is_reported_at_once():
    with pytest.raises(UnavailableError, match=r"127.0.0.1:1 does not answer"):
        Storage("s3://bucket/x?endpoint_override=127.0.0.1:1&scheme=http&region=us-east-1")


def test_a_sweep_removes_what_killed_writers_left_and_nothing_else(local):
    fill(local, "many/one", {"a": "1"})
    for name in (".two.0123abcd.partial", ".one.0123abcd.old"):
        local.write_bytes(f"many/{name}/file", b"half")
    local.write_bytes("many/.step.json.0123abcd.partial", b"half")
    local.sweep("many")
    local.sweep("gone")
    assert local.list("many") == ["one"]
    assert (local.fetch("many/one") / "a").read_text() == "1"


def test_a_sweep_restores_a_folder_that_a_killed_writer_moved_aside(local):
    fill(local, "many/one.two", {"a": "1"})
    (Path(local.locate("many")) / "one.two").rename(local.locate("many/.one.two.0123abcd.old"))
    local.sweep("many")
    assert (local.fetch("many/one.two") / "a").read_text() == "1"
    assert local.list("many") == ["one.two"]


def test_a_sweep_keeps_a_folder_that_another_process_is_putting_in_place(local, monkeypatch):
    fill(local, "many/one", {"a": "old"})
    rename = Path.rename

    def swept_before(path: Path, target: Path) -> Path:
        Storage(local.url).sweep("many")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", swept_before)
    fill(local, "many/one", {"a": "new"})
    assert (local.fetch("many/one") / "a").read_text() == "new"
    assert local.list("many") == ["one"]


def test_a_commit_removes_what_a_killed_writer_of_the_same_folder_left(local):
    """Runs share the folder `engines`, so the folders of other writers must stay."""
    for name in (".one.0123abcd.partial", ".two.0123abcd.partial"):
        local.write_bytes(f"engines/{name}/file", b"half")
    fill(local, "engines/one", {"a": "1"})
    assert local.list("engines") == [".two.0123abcd.partial", "one"]


def test_a_sweep_keeps_a_folder_that_is_being_written(local):
    """A second command that starts meanwhile must not damage the first one's save."""
    with local.commit("many/one") as folder:
        (folder / "a").write_text("1")
        Storage(local.url).sweep("many")
    assert (local.fetch("many/one") / "a").read_text() == "1"
