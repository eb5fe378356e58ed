"""A read-only storage root: every reading method works, and no method writes."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow.fs import FileSelector, FileType

from nmt.cli.log_file import LogFile
from nmt.errors import ConfigError, StorageError
from nmt.storage import Storage, alone
from tests.unit.storage.conftest import fill


def commit(storage: Storage) -> None:
    with storage.commit("run/new") as folder:
        (folder / "a").write_text("x")


WRITES: dict[str, Callable[[Storage], object]] = {
    "write_bytes": lambda storage: storage.write_bytes("run/a.json", b"{}"),
    "write_json": lambda storage: storage.write_json("run/a.json", {}),
    "copy_file": lambda storage: storage.copy_file("run/a.json", "run/copy.json"),
    "replace_if": lambda storage: storage.replace_if("run/new.json", b"{}", None),
    "update": lambda storage: storage.update("run/a.json", lambda _: b"{}"),
    "move_in": lambda storage: storage.move_in(Path("missing"), "run/a.json"),
    "delete": lambda storage: storage.delete("run"),
    "commit": commit,
    "sweep": lambda storage: storage.sweep("run"),
    "check_writable": lambda storage: storage.check_writable("run"),
    "filesystem": lambda storage: storage.filesystem,
}


def read(storage: Storage) -> Path:
    with storage.reading("run/best") as folder:
        return folder


def read_private(storage: Storage) -> Path:
    with storage.private("run/best", storage.manifest("run/best")["files"]) as folder:
        return folder


READS: dict[str, Callable[[Storage], object]] = {
    "exists": lambda storage: storage.exists("run/a.json"),
    "read_bytes": lambda storage: storage.read_bytes("run/a.json"),
    "read_chunks": lambda storage: list(storage.read_chunks("run/a.json", 0)),
    "sha256": lambda storage: storage.sha256("run/a.json"),
    "read_versioned": lambda storage: storage.read_versioned("run/a.json"),
    "read_json": lambda storage: storage.read_json("run/a.json"),
    "list": lambda storage: storage.list("run"),
    "disk_space": lambda storage: storage.disk_space() is None or storage,
    "is_committed": lambda storage: storage.is_committed("run/best"),
    "manifest": lambda storage: storage.manifest("run/best"),
    "verify": lambda storage: storage.verify("run/best") is None,
    "fetch": lambda storage: storage.fetch("run/best"),
    "reading": read,
    "private": read_private,
    "files_at": lambda storage: storage.files_at("run"),
    "list_below": lambda storage: storage.list_below("run"),
    "locate": lambda storage: storage.locate("run"),
    "is_local": lambda storage: not storage.is_local or storage,
}


@pytest.fixture
def read_only(storage) -> Storage:
    """The storage with a file and a folder commit, opened again."""
    storage.write_json("run/a.json", {"a": 1})
    fill(storage, "run/best", {"a": "x"})
    return Storage(storage.url, read_only=True)


def content(storage: Storage) -> dict[str, bytes]:
    filesystem, root = Storage(storage.url).filesystem
    infos = filesystem.get_file_info(FileSelector(root, recursive=True))
    return {
        info.path: filesystem.open_input_stream(info.path).read()
        for info in infos
        if info.type == FileType.File
    }


def test_every_method_is_listed_as_reading_or_writing():
    assert {name for name in dir(Storage) if not name.startswith("_")} == {*READS, *WRITES}


@pytest.mark.parametrize("name", WRITES)
def test_every_writing_method_is_refused_and_changes_nothing(read_only, name):
    before = content(read_only)
    with pytest.raises(StorageError, match="open for reading only"):
        WRITES[name](read_only)
    assert content(read_only) == before


@pytest.mark.parametrize("name", READS)
def test_every_reading_method_works(read_only, name):
    assert READS[name](read_only)


def test_no_lock_is_taken(read_only):
    before = content(read_only)
    with pytest.raises(StorageError, match="open for reading only"), alone(read_only, "l", "x"):
        raise AssertionError
    assert content(read_only) == before


def test_a_log_writes_nothing(read_only):
    before = content(read_only)
    log = LogFile(read_only, "run/logs/job.log")
    log.write(b"line\n")
    log.close()
    assert content(read_only) == before


def test_a_pickled_storage_stays_read_only(read_only):
    with pytest.raises(StorageError, match="open for reading only"):
        pickle.loads(pickle.dumps(read_only)).write_json("run/a.json", {})


def test_a_missing_folder_is_refused_and_not_created(tmp_path):
    with pytest.raises(ConfigError, match="new: no such folder"):
        Storage(str(tmp_path / "new"), read_only=True)
    assert not (tmp_path / "new").exists()
