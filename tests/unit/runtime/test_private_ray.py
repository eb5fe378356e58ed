import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import pytest

from nmt.errors import UnavailableError
from ray_jobs.runtime import private_ray
from ray_jobs.runtime.private_ray import folder_of_objects, folder_of_ray, own_environment
from tests.support.project import PROJECT

# Where its files lie


@pytest.fixture
def short_folder() -> Iterator[str]:
    """A folder whose path leaves room for sockets below it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield folder


def test_a_folder_for_temporary_files_that_is_too_long_for_sockets_is_passed_over(tmp_path):
    long = tmp_path / ("x" * 60)
    assert len(folder_of_ray({"TMPDIR": str(long)})) <= private_ray.LONGEST_FOLDER
    assert not long.exists()


def test_a_folder_for_temporary_files_that_can_be_used_is_used(short_folder):
    assert folder_of_ray({"TMPDIR": short_folder}) == f"{short_folder}/ray"


def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(private_ray, "LONGEST_FOLDER", 200)
    (tmp_path / "ray").write_text("a file in its place")
    assert folder_of_ray({"TMPDIR": str(tmp_path)}) != str(tmp_path / "ray")


def test_a_folder_of_another_user_is_not_used(short_folder, monkeypatch):
    folder_of_ray({"TMPDIR": short_folder})
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    with pytest.raises(UnavailableError, match=r"/ray: it belongs to another user"):
        folder_of_ray({"RAY_TMPDIR": short_folder})


@pytest.mark.parametrize(
    ("folder", "said"),
    [("x" * 60, "too long for sockets"), ("file", "Not a directory")],
    ids=["long", "not-a-folder"],
)
def test_a_folder_that_was_chosen_for_ray_and_cannot_be_used_is_named(
    tmp_path, monkeypatch, folder, said
):
    if folder == "file":
        monkeypatch.setattr(private_ray, "LONGEST_FOLDER", 200)
        (tmp_path / folder).touch()
    with pytest.raises(UnavailableError, match=said) as raised:
        folder_of_ray({"RAY_TMPDIR": str(tmp_path / folder)})
    assert str(raised.value).startswith(f"RAY_TMPDIR={tmp_path / folder}:")


def test_where_no_folder_can_be_used_each_is_told_with_the_variable_to_set(monkeypatch):
    monkeypatch.setattr(private_ray, "_ENOUGH_BYTES", 2**80)
    with pytest.raises(UnavailableError, match=r"/tmp/ray: less than .* set RAY_TMPDIR"):
        folder_of_ray({})


def test_the_object_store_leaves_shared_memory_that_is_missing_or_small(tmp_path, monkeypatch):
    monkeypatch.setattr(private_ray, "SHARED_MEMORY", tmp_path / "missing")
    assert folder_of_objects("/tmp/ray") == "/tmp/ray"
    monkeypatch.setattr(private_ray, "SHARED_MEMORY", tmp_path)
    assert folder_of_objects("/tmp/ray") == str(tmp_path)
    monkeypatch.setattr(private_ray, "OBJECT_STORE_BYTES", 2**80)
    assert folder_of_objects("/tmp/ray") == "/tmp/ray"


# What its processes inherit


def test_its_processes_reach_each_other_without_a_proxy_and_others_through_it(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "internal.example")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with own_environment("192.0.2.7"):
        assert os.environ["https_proxy"] == "http://proxy.example:3128"
        hosts = ["127.0.0.1", "localhost", "::1", "192.0.2.7"]
        assert os.environ["no_proxy"].split(",") == ["internal.example", *hosts]
        assert os.environ["NO_PROXY"].split(",") == hosts
    assert os.environ["no_proxy"] == "internal.example"
    assert "NO_PROXY" not in os.environ


def test_each_has_a_token_of_its_own_and_the_command_keeps_the_users(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of the user's cluster")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    seen = set()
    for _ in range(2):
        with own_environment("192.0.2.7"):
            seen.add(os.environ["RAY_AUTH_TOKEN"])
            assert "RAY_AUTH_MODE" not in os.environ
        assert os.environ["RAY_AUTH_TOKEN"] == "of the user's cluster"
        assert os.environ["RAY_AUTH_MODE"] == "disabled"
    assert len(seen - {"of the user's cluster"}) == 2


# Whose modules the command itself finds


def test_a_module_beside_the_user_does_not_replace_one_that_a_command_imports(tmp_path):
    for name in ("argparse", "yaml", "nmt", "ray"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} of the user')")
    done = subprocess.run(
        [sys.executable, "-m", "ray_jobs.prepare", "--help"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_modules_of_a_folder_that_was_sent_with_a_job_win(tmp_path):
    (tmp_path / "ray_jobs").symlink_to(PROJECT / "ray_jobs")
    (tmp_path / "nmt.py").write_text("raise SystemExit('nmt that was sent')")
    done = subprocess.run(
        [sys.executable, "-m", "ray_jobs.prepare", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stderr == "nmt that was sent\n"


# What the driver of a step imports, and in which order

DRIVERS = ("tune", "train", "prepare", "base", "evaluate", "export", "pipeline")
PROBE = f"""
import importlib, json, sys
for name in {DRIVERS}:
    importlib.import_module("ray_jobs." + name)
from ray._private import ray_constants
heavy = [name for name in ("torch", "transformers", "peft", "datasets") if name in sys.modules]
print(json.dumps([heavy, ray_constants.RAY_DEDUP_LOGS]))
"""


@pytest.fixture(scope="module")
def imported() -> tuple[list[str], bool]:
    """Heavy packages that the drivers have loaded, and whether Ray drops lines that look alike."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env=environ
    )
    return tuple(json.loads(done.stdout))


def test_the_driver_of_a_step_loads_none_of_the_packages_that_only_workers_need(imported):
    assert imported[0] == []


def test_ray_is_told_to_drop_no_lines_before_it_is_imported(imported):
    assert imported[1] is False
