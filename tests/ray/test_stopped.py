"""A training that is told to go writes down where it is, and loses not one step."""

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
import ray
import torch
from ray._private.node import Node
from ray._private.ray_constants import PROCESS_TYPE_RAYLET
from ray.cluster_utils import Cluster
from ray.train.v2._internal.constants import PREEMPTION_POLL_INTERVAL_S_ENV_VAR

from ray_jobs import base, prepare, train
from ray_jobs.runtime.context import Session
from ray_jobs.workers.ray_trainer import POLL_SECONDS
from tests.ray.conftest import branch
from tests.support.training.disturbed_training import (
    a_worker,
    signal_a_worker,
    train_disturbed,
    weights,
)
from tests.support.training.small_training import same

CADENCE = 50
NODE_POLL_SECONDS = float(POLL_SECONDS[PREEMPTION_POLL_INTERVAL_S_ENV_VAR])
LONG = {
    "training__max_steps": 4 * CADENCE,
    "training__evaluate_every_steps": 2 * CADENCE,
    "training__checkpoint_every_steps": CADENCE,
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        # Before there is another node, so that this process belongs to the head.
        ray.init(address=cluster.address, logging_level=logging.ERROR)
        cluster.add_node(num_cpus=2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_ADDRESS", str(cluster.address))
            yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture(scope="module")
def undisturbed(cluster: Cluster, session: Session) -> dict[str, torch.Tensor]:
    prepare.run(session)
    base.run(session)
    whole = branch(session, "whole", **LONG)
    train.run(whole)
    return weights(whole)


def drain(node_id: str) -> None:
    """What an autoscaler does when the machine is to be taken away."""
    words = ["drain-node", "--address", ray.get_runtime_context().gcs_address]
    words += ["--node-id", node_id, "--reason", "DRAIN_NODE_REASON_PREEMPTION"]
    words += ["--reason-message", "spot", "--deadline-remaining-seconds", "30"]
    subprocess.run([sys.executable, "-m", "ray.scripts.scripts", *words], check=True)


def node_of(cluster: Cluster, process: psutil.Process) -> Node:
    """Find the node that a process runs on."""
    above = {parent.pid for parent in process.parents()}
    (node,) = (
        node
        for node in cluster.worker_nodes
        if node.all_processes[PROCESS_TYPE_RAYLET][0].process.pid in above
    )
    return node


def test_a_worker_that_gets_sigterm_saves_its_last_step(session, undisturbed) -> None:
    run = branch(session, "terminated", **LONG, scaling__max_failures=0)  # it is none
    seen = train_disturbed(run, lambda: signal_a_worker(signal.SIGTERM))
    assert any(step % CADENCE for step in seen), seen
    assert same(weights(run), undisturbed)


def test_a_node_about_to_go_loses_no_step_and_new_workers_go_on(
    cluster, session, undisturbed
) -> None:
    run = branch(session, "preempted", **LONG, scaling__max_failures=0)  # it is none
    cluster.add_node(num_cpus=2)

    def announce() -> None:
        worker = a_worker()
        node = node_of(cluster, worker)
        worker.suspend()  # its few seconds of training would be over before the word is round
        drain(str(node.node_id))
        time.sleep(2 * NODE_POLL_SECONDS + 1)
        worker.resume()

    seen = train_disturbed(run, announce)
    assert any(step % CADENCE for step in seen), seen
    assert same(weights(run), undisturbed)


def test_a_node_that_is_lost_takes_nothing_along_that_the_training_needs(
    cluster: Cluster, session: Session, undisturbed: dict[str, torch.Tensor]
) -> None:
    """Whatever the driver started beside the workers must not have been on their node."""
    cluster.add_node(num_cpus=2)
    run = branch(session, "lost", **LONG)

    def lose() -> None:
        cluster.remove_node(node_of(cluster, a_worker()), allow_graceful=False)

    train_disturbed(run, lose)
    assert same(weights(run), undisturbed)
