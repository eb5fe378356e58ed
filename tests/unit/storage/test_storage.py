"""Behaviour that a folder and an object store have in common."""

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nmt.storage
from nmt.errors import ConfigError, StorageError
from nmt.storage import MANIFEST, Storage
from tests.unit.storage.conftest import fill, spoil

# Single files


@pytest.mark.parametrize(
    "value", [None, [], {"a": {"b": [1, 2.5, "தமிழ்"]}}], ids=["null", "list", "tree"]
)
def test_json_comes_back_as_written(storage, value):
    storage.write_json("a/b.json", value)
    assert storage.read_json("a/b.json") == value


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\r\n", b"x" * 300_000], ids=["no", "raw", "long"]
)
def test_bytes_come_back_as_written(storage, content):
    storage.write_bytes("a.bin", content)
    assert storage.read_bytes("a.bin") == content


def test_a_shorter_file_replaces_a_longer_one(storage):
    storage.write_bytes("a", b"long content")
    storage.write_bytes("a", b"short")
    assert storage.read_bytes("a") == b"short"


def test_reading_a_missing_file_names_it(storage):
    with pytest.raises(StorageError, match=f"cannot read {storage.locate('a/gone')}"):
        storage.read_bytes("a/gone")


def test_broken_json_names_the_file(storage):
    storage.write_bytes("a.json", b'{"a": ')
    with pytest.raises(StorageError, match=f"{storage.locate('a.json')}: not valid JSON"):
        storage.read_json("a.json")


def test_json_that_is_no_text_names_the_file(storage):
    storage.write_bytes("a.json", b"\xff\xfe\xfd")
    with pytest.raises(StorageError, match="not valid JSON"):
        storage.read_json("a.json")


def test_json_is_read_as_it_was_written(storage):
    storage.write_json("a.json", [1])
    assert storage.read_json("a.json") == [1]


@pytest.mark.parametrize(
    ("path", "there"),
    [("a/b", True), ("a", True), ("a/c", False), ("b", False), ("a/b/c", False)],
    ids=["file", "folder", "missing-file", "missing-folder", "below-a-file"],
)
def test_exists(storage, path, there):
    storage.write_bytes("a/b", b"1")
    assert storage.exists(path) is there


def test_list_is_sorted_and_of_one_level(storage):
    for path in ("x/b", "x/a/deep", "x/c", "y/d"):
        storage.write_bytes(path, b"1")
    assert storage.list("x") == ["a", "b", "c"]


def test_list_of_the_root(storage):
    storage.write_bytes("x/b", b"1")
    assert storage.list("") == ["x"]


def test_list_of_a_missing_folder_is_empty(storage):
    assert storage.list("gone") == []


def test_delete_removes_a_file_and_nothing_else(storage):
    storage.write_bytes("x/a", b"1")
    storage.write_bytes("x/b", b"1")
    storage.delete("x/a")
    assert storage.list("x") == ["b"]


def test_delete_removes_a_folder_with_all_below(storage):
    for path in ("x/a", "x/y/b", "xy"):
        storage.write_bytes(path, b"1")
    storage.delete("x")
    assert storage.list("") == ["xy"]
    assert not storage.exists("x/y/b")


def test_deleting_what_is_missing_is_fine(storage):
    storage.delete("gone/too")
    assert not storage.exists("gone")


# Folder commits


def test_a_commit_publishes_every_file_also_nested_ones(storage):
    fill(storage, "runs/one", {"a": "1", "deep/er/b": "2"})
    folder = storage.fetch("runs/one")
    assert (folder / "a").read_text() == "1"
    assert (folder / "deep/er/b").read_text() == "2"


def test_a_nested_file_with_the_name_of_the_manifest_is_published_like_any_other(storage):
    fill(storage, "one", {f"deep/{MANIFEST}": "mine"})
    assert (storage.fetch("one") / "deep" / MANIFEST).read_text() == "mine"
    assert list(storage.manifest("one")["files"]) == [f"deep/{MANIFEST}"]


def test_an_empty_commit_stands(storage):
    fill(storage, "one", {})
    assert storage.is_committed("one")
    assert storage.manifest("one")["files"] == {}


def test_the_manifest_has_sizes_and_hashes(storage):
    fill(storage, "one", {"a": "abc"})
    described = storage.manifest("one")["files"]["a"]
    assert described["size"] == 3
    assert described["sha256"].startswith("ba7816bf")


def test_meta_comes_back_as_given(storage):
    fill(storage, "one", {"a": "1"}, step=7, curve=[{"bleu": 1.5}])
    assert storage.manifest("one")["meta"] == {"step": 7, "curve": [{"bleu": 1.5}]}


def test_nothing_is_there_while_the_block_runs(storage):
    with storage.commit("one") as folder:
        (folder / "a").write_text("1")
        assert not storage.exists("one")
    assert storage.exists("one")


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_inside_the_block_leaves_nothing_and_passes_through(storage, cache, fault):
    def interrupted() -> None:
        with storage.commit("runs/one") as folder:
            (folder / "a").write_text("1")
            raise fault

    with pytest.raises(fault):
        interrupted()
    assert storage.list("runs") == []
    assert [path for path in cache.rglob("*") if path.name.endswith(".partial")] == []


def test_an_error_inside_the_block_keeps_the_commit_before(storage):
    fill(storage, "one", {"a": "old"})

    def interrupted() -> None:
        with storage.commit("one") as folder:
            (folder / "a").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (storage.fetch("one") / "a").read_text() == "old"


def test_a_commit_replaces_the_one_before_whole(storage):
    fill(storage, "one", {"a": "old", "b": "old"}, number=1)
    fill(storage, "one", {"a": "new"}, number=2)
    folder = storage.fetch("one")
    assert (folder / "a").read_text() == "new"
    assert not (folder / "b").exists()
    assert storage.manifest("one")["meta"] == {"number": 2}
    assert storage.list("") == ["one"]


def test_the_same_files_with_other_meta_change_the_manifest_alone(storage):
    """A later validation writes the same checkpoint again, which must not be lost to a kill."""
    fill(storage, "one", {"a": "1", "deep/b": "2"}, number=1)
    filesystem, root = storage.filesystem
    names = [f"{root}/one/{name}" for name in ("a", "deep/b")]
    before = [info.mtime_ns for info in filesystem.get_file_info(names)]
    time.sleep(1.1 if not storage.is_local else 0.01)  # S3 counts whole seconds
    fill(storage, "one", {"a": "1", "deep/b": "2"}, number=2)
    assert [info.mtime_ns for info in filesystem.get_file_info(names)] == before
    assert (storage.fetch("one") / "deep/b").read_text() == "2"
    assert storage.manifest("one")["meta"] == {"number": 2}


@pytest.mark.parametrize("content", [b"2", b"long", None], ids=["flipped", "longer", "missing"])
def test_the_same_files_mend_a_damaged_commit(storage, content):
    fill(storage, "one", {"a": "1", "b": "1"})
    spoil(storage, "one/a", content)
    fill(storage, "one", {"a": "1", "b": "1"})
    assert (storage.fetch("one") / "a").read_text() == "1"


@pytest.mark.parametrize("content", [b"{", None], ids=["broken", "missing"])
def test_the_same_files_mend_a_commit_without_its_manifest(storage, content):
    fill(storage, "one", {"a": "1"}, number=1)
    spoil(storage, f"one/{MANIFEST}", content)
    fill(storage, "one", {"a": "1"}, number=2)
    assert (storage.fetch("one") / "a").read_text() == "1"
    assert storage.manifest("one")["meta"] == {"number": 2}


def test_a_folder_without_manifest_does_not_exist(storage):
    storage.write_bytes("one/a", b"1")
    assert not storage.is_committed("one")
    with pytest.raises(
        StorageError, match=f"{storage.locate('one')}: does not exist, or was never finished"
    ):
        storage.fetch("one")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"conten", "has 6 bytes, its manifest says 7"),
        (b"cXntent", "differs from its manifest"),
        (None, "a.txt"),
    ],
    ids=["truncated", "flipped", "missing"],
)
def test_fetch_refuses_a_damaged_file_by_name(storage, content, fault):
    fill(storage, "one", {"deep/a.txt": "content", "b": "whole"})
    spoil(storage, "one/deep/a.txt", content)
    with pytest.raises(StorageError, match=fault) as caught:
        storage.fetch("one")
    assert storage.locate("one/deep/a.txt") in str(caught.value)


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"files": []}', b"{"])
def test_a_manifest_that_is_none_is_refused_by_name(storage, content):
    fill(storage, "one", {"a": "1"})
    spoil(storage, f"one/{MANIFEST}", content)
    with pytest.raises(StorageError, match=f"one/{MANIFEST}"):
        storage.fetch("one")


@pytest.mark.parametrize("bit", range(8))
def test_a_bit_that_flips_in_what_a_manifest_says_is_refused_by_name(storage, bit):
    fill(storage, "one", {"a": "1"}, step=7)
    content = bytearray(storage.read_bytes(f"one/{MANIFEST}"))
    content[content.index(b"7", content.index(b"step"))] ^= 1 << bit
    spoil(storage, f"one/{MANIFEST}", bytes(content))
    with pytest.raises(StorageError, match=f"one/{MANIFEST}"):
        storage.fetch("one")


def test_a_manifest_of_an_earlier_release_has_no_hash_and_is_read(storage):
    fill(storage, "one", {"a": "1"}, step=7)
    manifest = storage.read_json(f"one/{MANIFEST}")
    del manifest["sha256"]
    storage.write_json(f"one/{MANIFEST}", manifest)
    assert storage.manifest("one")["meta"] == {"step": 7}


def test_a_deleted_commit_is_gone(storage):
    fill(storage, "one", {"deep/a": "1"})
    storage.delete("one")
    assert not storage.is_committed("one")
    assert storage.list("") == []


# The root


def test_a_pickled_storage_reads_what_the_original_wrote(storage):
    storage.write_json("a.json", 1)
    copy = pickle.loads(pickle.dumps(storage))
    assert copy.read_json("a.json") == 1
    assert copy.locate("a") == storage.locate("a")
    assert copy.is_local == storage.is_local


def test_a_pickled_storage_works_in_another_process(storage, tmp_path):
    storage.write_json("a.json", "seen")
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).read_json('a.json'))"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(storage),
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(nmt.storage.__file__).parents[2])},
    )
    assert printed.stdout.strip() == b"seen"


def test_the_filesystem_of_the_root_reads_what_the_storage_wrote(storage):
    storage.write_bytes("x/a", b"1")
    filesystem, root = storage.filesystem
    with filesystem.open_input_stream(f"{root}/x/a") as stream:
        assert stream.read() == b"1"


@pytest.mark.parametrize("slash", ["", "/"], ids=["bare", "trailing-slash"])
def test_a_remote_place_is_a_url_without_query(s3_url, slash):
    root, _, query = s3_url.partition("?")
    storage = Storage(f"{root}{slash}?{query}")
    assert storage.locate("") == root
    assert storage.locate("a/b") == f"{root}/a/b"
    assert storage.filesystem[1] == root.removeprefix("s3://")


def test_a_google_place_is_a_url():
    storage = Storage("gs://anonymous@bucket/runs")
    assert (storage.locate(""), storage.locate("a")) == ("gs://bucket/runs", "gs://bucket/runs/a")


def test_a_local_place_is_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage = Storage("some/runs")
    assert storage.locate("") == str(tmp_path / "some/runs")
    assert storage.locate("a/b") == str(tmp_path / "some/runs/a/b")


def test_a_relative_root_stays_where_it_was_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage = Storage("runs")
    storage.write_json("a.json", 1)
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert pickle.loads(pickle.dumps(storage)).read_json("a.json") == 1


def test_the_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Storage("~/runs").locate("") == str(tmp_path / "runs")


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "http://host/x", "file:///tmp/x", "s3://", "s3:///x", "s3://b?bogus=1"]
)
def test_a_url_that_cannot_be_opened_is_a_config_error_that_names_it(url):
    with pytest.raises(ConfigError) as caught:
        Storage(url)
    assert f"storage={url}" in str(caught.value)


def test_a_root_below_a_file_is_a_config_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be created"):
        Storage(str(tmp_path / "file" / "runs"))
