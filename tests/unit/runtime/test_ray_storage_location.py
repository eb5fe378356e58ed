from pathlib import Path

import pytest

from nmt.config import Config, load_config
from nmt.errors import ConfigError
from nmt.storage import Storage
from ray_jobs.runtime.storage_location import absolute_storage, check_shared, inside_job

JOB = {"RAY_JOB_CONFIG_JSON_ENV_VAR": "{}"}


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch) -> Path:
    """A working folder and a home folder of this test alone."""
    for name in ("work", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def stored(storage: str) -> Config:
    return load_config(overrides=[f"storage={storage}"])


def test_a_relative_folder_is_below_the_working_folder(places):
    assert absolute_storage(stored("runs"), {}) == str(places / "work/runs")


def test_a_relative_folder_in_a_job_is_below_the_home_folder(places):
    assert absolute_storage(stored("runs"), JOB) == str(places / "home/runs")


@pytest.mark.parametrize("environ", [{}, JOB], ids=["terminal", "job"])
def test_a_relative_folder_is_below_the_shared_folder_where_one_is_named(environ):
    assert (
        absolute_storage(stored("runs"), environ | {"NMT_STORAGE": "/mnt/all"}) == "/mnt/all/runs"
    )


def test_a_relative_or_home_shared_folder_becomes_absolute(places):
    assert absolute_storage(stored("runs"), {"NMT_STORAGE": "all"}) == str(places / "work/all/runs")
    assert absolute_storage(stored("runs"), {"NMT_STORAGE": "~/x"}) == str(places / "home/x/runs")


def test_an_empty_variable_counts_as_unset(places):
    assert absolute_storage(stored("runs"), {"NMT_STORAGE": ""}) == str(places / "work/runs")


@pytest.mark.parametrize(
    ("root", "place"),
    [
        ("s3://bucket", "s3://bucket/runs"),
        ("s3://bucket/deep/", "s3://bucket/deep/runs"),
        ("s3://bucket/deep?region=eu&scheme=http", "s3://bucket/deep/runs?region=eu&scheme=http"),
        ("s3://bucket?endpoint_override=host:90", "s3://bucket/runs?endpoint_override=host:90"),
    ],
    ids=["bucket", "trailing-slash", "query", "bucket-and-query"],
)
def test_a_relative_folder_is_below_the_shared_url_and_before_its_query(root, place):
    assert absolute_storage(stored("runs"), {"NMT_STORAGE": root}) == place


def test_the_place_below_a_shared_url_can_be_opened(s3_url):
    place = absolute_storage(stored("runs"), {"NMT_STORAGE": s3_url})
    Storage(place).write_json("a.json", 1)
    assert Storage(s3_url).read_json("runs/a.json") == 1


@pytest.mark.parametrize(
    "environ", [{}, JOB, {"NMT_STORAGE": "/mnt/all"}], ids=["no", "job", "shared"]
)
@pytest.mark.parametrize("storage", ["/data/runs", "s3://bucket/x?region=eu", "gs://bucket/x"])
def test_an_absolute_place_stays_as_it_is(storage, environ):
    assert absolute_storage(stored(storage), environ) == storage


def test_the_home_folder_is_expanded(places):
    shared = {"NMT_STORAGE": "/mnt/all"}
    assert absolute_storage(stored("~/runs"), shared) == str(places / "home/runs")


@pytest.mark.parametrize(("environ", "inside"), [({}, False), (JOB, True)], ids=["terminal", "job"])
def test_a_job_is_known_by_its_environment(environ, inside):
    assert inside_job(environ) is inside


@pytest.mark.parametrize(
    ("storage", "nodes", "environ"),
    [
        ("/data/runs", 1, {}),
        ("s3://bucket/x", 3, {}),
        ("/mnt/all/runs", 3, {"NMT_STORAGE": "/mnt/all"}),
        ("/mnt/all/runs", 3, {"NMT_STORAGE": "/mnt/all/"}),
    ],
    ids=["one-node", "object-store", "shared-folder", "trailing-slash"],
)
def test_a_place_that_every_node_reaches_is_accepted(storage, nodes, environ):
    check_shared(storage, nodes, environ)


@pytest.mark.parametrize(
    "environ",
    [{}, {"NMT_STORAGE": "/mnt/all"}, {"NMT_STORAGE": "/data/run"}, {"NMT_STORAGE": "s3://bucket"}],
    ids=["nothing-shared", "another-folder", "same-start-of-name", "shared-url"],
)
def test_a_folder_of_one_of_several_nodes_is_refused_with_a_way_out(environ):
    with pytest.raises(
        ConfigError, match="storage=/data/runs is a folder of one machine"
    ) as caught:
        check_shared("/data/runs", 3, environ)
    assert "3 nodes: set NMT_STORAGE" in str(caught.value)
