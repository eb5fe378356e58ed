"""The folders in which the heads of an endpoint keep their state: made, tried out, and swept."""

import json
import logging
import os
import time
from pathlib import Path

import pytest

from ray_jobs.serving import head_state
from ray_jobs.serving.head_state import SILENT_SECONDS, StateFolder, cluster_is_gone, leftovers

NOW = 1_000_000.0
LONG_AGO = NOW - SILENT_SECONDS - 1


def refusal(cluster: str, status: int = 404) -> tuple[int, bytes]:
    return status, json.dumps({"kind": "Status", "details": {"name": cluster}}).encode()


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The RayClusters that the API server does not know."""
    names: set[str] = set()

    def get(path: str) -> tuple[int, bytes]:
        cluster = path.rpartition("/")[2]
        assert path == f"/apis/ray.io/v1/namespaces/team/rayclusters/{cluster}"
        return refusal(cluster) if cluster in names else (200, b"{}")

    monkeypatch.setattr(head_state, "_get", get)
    return names


def old_folder(place: Path, name: str) -> Path:
    """A folder with a database to which nothing has been written for hours."""
    folder = place / name
    folder.mkdir()
    (folder / "CURRENT").write_text("MANIFEST-000004\n")
    then = time.time() - SILENT_SECONDS - 60
    for each in (folder / "CURRENT", folder):
        os.utime(each, (then, then))
    return folder


def prepared(place: Path) -> int:
    return head_state.main([str(place), "team", "nmt-new"])


def test_the_folder_of_the_cluster_is_made_and_is_empty(tmp_path, gone):
    assert prepared(tmp_path) == 0
    assert list((tmp_path / "team.nmt-new").iterdir()) == []


def test_a_head_that_comes_back_finds_its_state(tmp_path, gone):
    gone.add("nmt-new")
    state = old_folder(tmp_path, "team.nmt-new")
    assert prepared(tmp_path) == 0
    assert (state / "CURRENT").read_text() == "MANIFEST-000004\n"


def test_the_state_of_a_cluster_that_is_gone_is_removed(tmp_path, gone, caplog):
    caplog.set_level(logging.INFO)
    gone.add("nmt-old")
    state = old_folder(tmp_path, "team.nmt-old")
    assert prepared(tmp_path) == 0
    assert not state.exists()
    assert "team.nmt-old" in caplog.text


def test_the_state_of_a_cluster_that_lives_stays(tmp_path, gone):
    state = old_folder(tmp_path, "team.nmt-old")
    prepared(tmp_path)
    assert state.exists()


def test_a_folder_that_was_written_lately_stays_though_its_cluster_is_unknown(tmp_path, gone):
    """The cluster may live in another Kubernetes cluster that shares the storage."""
    gone.add("nmt-old")
    state = old_folder(tmp_path, "team.nmt-old")
    (state / "000005.log").write_text("a write")
    prepared(tmp_path)
    assert state.exists()


@pytest.mark.parametrize("name", ["other.nmt-old", "team-b.nmt-old", "teamnmt-old"])
def test_folders_of_other_namespaces_stay(name):
    assert leftovers([StateFolder(name, LONG_AGO)], "team.nmt-new", NOW) == []


def test_only_old_folders_of_the_namespace_are_asked_about():
    folders = [
        StateFolder("team.nmt-new", LONG_AGO),
        StateFolder("team.nmt-lately", NOW - SILENT_SECONDS + 1),
        StateFolder("team.nmt-b", LONG_AGO),
        StateFolder("team.nmt-a", LONG_AGO),
    ]
    assert leftovers(folders, "team.nmt-new", NOW) == ["team.nmt-a", "team.nmt-b"]


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"{}"),
        (403, b'{"details": {"name": "nmt-old"}}'),
        (500, b"{}"),
        (404, b"404 page not found"),
        (404, b'{"details": {}}'),
        (404, b"[]"),
        refusal("another"),
    ],
)
def test_a_cluster_counts_as_gone_only_by_a_clear_answer(answer):
    assert not cluster_is_gone("team", "nmt-old", lambda path: answer)


def test_a_cluster_that_the_api_server_does_not_find_is_gone():
    assert cluster_is_gone("team", "nmt-old", lambda path: refusal("nmt-old"))


def test_without_an_api_server_nothing_is_removed_and_the_head_starts(
    tmp_path, monkeypatch, caplog
):
    caplog.set_level(logging.INFO)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    state = old_folder(tmp_path, "team.nmt-old")
    assert prepared(tmp_path) == 0
    assert state.exists()
    assert "not known whether nmt-old is gone" in caplog.text


def test_a_volume_without_locks_is_refused_with_advice(tmp_path, monkeypatch, caplog):
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(head_state.fcntl, "lockf", no_locks)
    assert prepared(tmp_path) == 1
    assert "Operation not supported" in caplog.text
    assert "serving.headClaim" in caplog.text
    assert "serving.headState=none" in caplog.text


def test_a_volume_that_cannot_be_written_is_refused_with_advice(tmp_path, caplog):
    assert head_state.main([str(tmp_path / "missing"), "team", "nmt-new"]) == 1
    assert "serving.headState=none" in caplog.text
