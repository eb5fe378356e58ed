"""Where Ray puts the parts of an endpoint whose head counts no CPUs, as in the chart."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nmt.storage import Storage
from nmt.traffic import promote
from tests.support.models.tiny_engine import WATER, add_engine
from tests.support.project import PROJECT

SCRIPT = """
import json, sys
import ray
from ray import serve
from ray.cluster_utils import Cluster
from nmt.config import Config
from ray_jobs.serving.deployments import APPLICATION, DEPLOYMENT, build

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
workers = [cluster.add_node(num_cpus=1) for _ in range(2)]
ray.init(address=cluster.address, logging_level="ERROR")
head = ray.get_runtime_context().get_node_id()
serving = {"min_replicas": 2, "max_replicas": 2, "poll_seconds": 0.2}
serve.start(proxy_location="Disabled")
serve.run(build(Config.parse({"storage": sys.argv[1], "serving": serving})), name=APPLICATION)
from ray.util.state import list_actors

def nodes(word):
    found = list_actors(filters=[("state", "=", "ALIVE")], limit=100)
    return [each.node_id for each in found if word in each.class_name or word in (each.name or "")]

print(json.dumps({
    "head": head,
    "workers": [each.node_id for each in workers],
    "replicas": nodes(f"ServeReplica:{APPLICATION}:{DEPLOYMENT}"),
    "controllers": nodes("SERVE_CONTROLLER"),
}), flush=True)
ray.shutdown()
cluster.shutdown()
"""


@dataclass(frozen=True)
class Placement:
    """The nodes of a cluster, and of the actors of an endpoint on it."""

    head: str
    workers: list[str]
    replicas: list[str]
    controllers: list[str]


@pytest.fixture(scope="module", params=["1", "0"], ids=["HAProxy", "Serve's own proxy"])
def placement(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Placement:
    """Start an endpoint in a process of its own, since Serve reads its mode once."""
    storage = Storage(str(tmp_path_factory.mktemp("root")))
    add_engine(storage, "water", WATER)
    promote(storage, "default", "water")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, storage.url],
        env=os.environ | {"RAY_SERVE_ENABLE_HA_PROXY": request.param, "PYTHONPATH": str(PROJECT)},
        cwd=Path(storage.locate("")),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=180,
    )
    return Placement(**json.loads(done.stdout.splitlines()[-1]))


def test_no_replica_is_on_the_head(placement):
    assert len(placement.replicas) == 2
    assert placement.head not in placement.replicas


def test_replicas_are_spread_over_the_nodes(placement):
    assert sorted(placement.replicas) == sorted(placement.workers)


def test_the_controller_that_no_request_needs_is_on_the_head(placement):
    assert placement.controllers == [placement.head]
