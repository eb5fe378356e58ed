"""Tests of the operator's command and its log."""

import json
import logging

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra k8s")

from k8s.api.cluster import LEASE
from k8s.operator.loop.log import JsonLines
from k8s.operator.main import main
from tests.support.k8s.fake_cluster import FakeCluster
from tests.unit.k8s.conftest import install


@pytest.fixture(autouse=True)
def own_log():
    """Put the log of the test run back, which the operator sends elsewhere."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    for name in ("k8s", "nmt"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_missing_release_is_bad_input(capsys):
    assert main(["--release", "demo", "--port", "0"], lambda *where: FakeCluster()) == 2
    assert "is not installed there" in capsys.readouterr().err


def test_a_missing_right_ends_the_process_with_what_is_missing(capsys):
    cluster = FakeCluster()
    install(cluster)
    cluster.denied.add(("get", "leases"))
    assert main(["--release", "demo", "--port", "0"], lambda *where: cluster) == 3
    assert "you may not get leases" in capsys.readouterr().err


def test_the_lease_is_named_after_the_release(capsys):
    cluster = FakeCluster()
    install(cluster)
    # The worker's first look at a campaign is not reached: creating the Lease is refused.
    cluster.denied.add(("create", "leases"))
    looked: list[str] = []
    get = cluster.get

    def record(kind, name):
        if kind == LEASE:
            looked.append(name)
        return get(kind, name)

    cluster.get = record
    assert main(["--release", "demo", "--port", "0"], lambda *where: cluster) == 3
    assert looked == ["demo-operator"]


def test_a_line_of_the_log_is_json_and_says_what_it_is_about():
    record = logging.LogRecord("k8s", logging.WARNING, "", 1, "job %s", ("x",), None)
    record.campaign = "a"
    line = json.loads(JsonLines().format(record))
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "warning", "message": "job x", "campaign": "a"}
