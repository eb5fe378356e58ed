"""Copies of files within a storage root."""

import os

import pytest

from nmt.errors import StorageError
from nmt.storage import Storage, link_or_copy
from tests.unit.storage.conftest import fails


def test_a_copy_has_the_same_content_and_stays_when_the_file_is_deleted(storage):
    storage.write_bytes("a/file", b"content")
    storage.copy_file("a/file", "b/deep/copy")
    storage.delete("a")
    assert storage.read_bytes("b/deep/copy") == b"content"


def test_a_copy_stays_as_it_is_when_the_file_is_replaced(storage):
    storage.write_bytes("file", b"old")
    storage.copy_file("file", "copy")
    storage.write_bytes("file", b"new")
    assert storage.read_bytes("copy") == b"old"


def test_a_missing_file_is_a_storage_error(storage):
    with pytest.raises(StorageError, match="missing"):
        storage.copy_file("missing", "copy")


def test_a_read_only_root_is_left_as_it_is(local):
    local.write_bytes("file", b"content")
    with pytest.raises(StorageError, match="reading only"):
        Storage(local.url, read_only=True).copy_file("file", "copy")


def test_a_file_system_without_links_gets_a_copy(local, monkeypatch):
    local.write_bytes("file", b"content")
    monkeypatch.setattr(os, "link", fails)
    local.copy_file("file", "copy")
    assert local.read_bytes("copy") == b"content"


def test_an_object_that_the_store_cannot_copy_is_read_and_written(remote, monkeypatch):
    class OwnCopyFails:
        """A file system whose own copy fails, as S3's of an object above 5 GB."""

        def __init__(self, inner: object) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> object:
            return fails if name == "copy_file" else getattr(self.inner, name)

    remote.write_bytes("file", b"content")
    monkeypatch.setattr(remote, "_fs", OwnCopyFails(remote.filesystem[0]))
    remote.copy_file("file", "copy")
    assert remote.read_bytes("copy") == b"content"


def test_a_file_that_is_there_is_not_written_into(tmp_path):
    """Such a file may have a second name elsewhere."""
    source, target, second = (tmp_path / name for name in ("source", "target", "second"))
    source.write_text("new")
    second.write_text("old")
    target.hardlink_to(second)
    with pytest.raises(FileExistsError):
        link_or_copy(source, target)
    assert second.read_text() == "old"
