"""The endpoint of a release with two Pods under a steady load, while parts of it are lost.

SERVING_NAMESPACE names a namespace with a release `nmt` that serves and has the runs `small` and
`second`, to try one fault again without training anew:

    SERVING_NAMESPACE=trial pytest tests/k8s_cluster/test_serving_faults.py -s -k head
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from benchmarks.steady_load import SteadyLoad
from tests.support.k8s.installed_release import Installed, wait_for
from tests.support.k8s.served_release import (
    api_key,
    digest,
    pods,
    steady_load,
    train_two_engines,
    wait_until_served,
)

RATE = 20.0
LONGEST_GAP = 2.0
SCALE = {"min_replicas": 2, "max_replicas": 2, "cpus_per_replica": 2}
Load = Callable[[], AbstractContextManager[SteadyLoad]]


@pytest.fixture(scope="module")
def release(install) -> Installed:
    """An endpoint with two Pods of one replica each."""
    given = os.environ.get("SERVING_NAMESPACE")
    if given:
        release = Installed(given)
    else:
        release = install(
            "nmt-serving-faults",
            f"--set-json 'config.serving={json.dumps(SCALE)}'",
            "--set serving.pods.min=2 --set serving.pods.max=2",
        )
        train_two_engines(release)
    wait_until_served(release, pods_=2)
    return release


@pytest.fixture(scope="module")
def key(release: Installed) -> str:
    return api_key(release)


@pytest.fixture(params=["a connection a request", "kept connections and one retry"])
def load(request: pytest.FixtureRequest, release: Installed, key: str) -> Load:
    """Return what puts the load on the endpoint; both Pods answer before it starts."""
    wait_for(lambda: len(pods(release, "worker")) == 2, 300, "there are no two Pods")
    wait_for(lambda: len(pods(release, "head")) == 1, 300, "there is not one head")
    keep_alive = request.param.startswith("kept")
    return lambda: steady_load(release, key, RATE, keep_alive=keep_alive)


def replaced(release: Installed, node: str, gone: str, count: int) -> Callable[[], bool]:
    def is_replaced() -> bool:
        return gone not in (found := pods(release, node)) and len(found) == count

    return is_replaced


def promote_the_other(release: Installed, sent: SteadyLoad) -> None:
    """Promote the run that is not served, and wait for its answers."""
    before = digest(release)
    release.nmt("promote run=second")
    if digest(release) == before:
        release.nmt("promote run=small")
    now = digest(release)
    assert now != before
    wait_for(
        lambda: now in {outcome.said for outcome in sent.outcomes[-5:]},
        60,
        "the promoted engine never answered",
    )


def test_a_lost_head_loses_no_request_and_the_next_one_promotes(release, load):
    with load() as sent:
        time.sleep(5)
        (head,) = pods(release, "head")
        workers = pods(release, "worker")
        release.kubectl(f"delete pod {head} --force --grace-period=0")
        wait_for(replaced(release, "head", head, 1), 240, "the head was not replaced")
        # Longer than a raylet waits for a head that keeps no state.
        time.sleep(70)
        promote_the_other(release, sent)
        time.sleep(5)
    assert not sent.failures
    assert sent.longest_gap <= LONGEST_GAP
    assert pods(release, "worker") == workers


def wait_for_another(release: Installed, gone: str) -> None:
    """Wait until two Pods are ready without a Pod, and it has ended."""
    wait_for(replaced(release, "worker", gone, 2), 300, "the Pod was not replaced")
    wait_for(lambda: f"pod/{gone}" not in release.kubectl("get pods -o name"), 180, "stays")


def test_a_pod_that_is_deleted_loses_no_request(release, load):
    with load() as sent:
        time.sleep(5)
        gone = pods(release, "worker")[0]
        release.kubectl(f"delete pod {gone} --wait=false")
        wait_for_another(release, gone)
    assert not sent.failures
    assert sent.longest_gap <= LONGEST_GAP


def test_a_node_that_is_drained_loses_no_request(release, load):
    """On one node: it is cordoned, one Pod is evicted, and the node is let in again."""
    gone = pods(release, "worker")[0]
    node = release.kubectl(f"get pod {gone} -o jsonpath={{.spec.nodeName}}").strip()
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": gone, "namespace": release.namespace},
    }
    path = f"/api/v1/namespaces/{release.namespace}/pods/{gone}/eviction"
    with load() as sent:
        time.sleep(5)
        release.kubectl(f"cordon {node}")
        try:
            release.kubectl(f"create --raw {path} -f - <<< '{json.dumps(eviction)}'")
            time.sleep(20)
        finally:
            release.kubectl(f"uncordon {node}")
        wait_for_another(release, gone)
    assert not sent.failures
    assert sent.longest_gap <= LONGEST_GAP


def test_a_promotion_loses_no_request(release, load):
    with load() as sent:
        time.sleep(5)
        promote_the_other(release, sent)
        time.sleep(5)
    assert not sent.failures
    assert sent.longest_gap <= LONGEST_GAP


def test_another_image_loses_no_request(release, load):
    other = os.environ.get("OTHER_TAG")
    if not other:
        pytest.skip("OTHER_TAG names no second image to change to")
    container = "{.items[*].spec.containers[?(@.name=='ray-worker')].image}"
    images = release.kubectl(f'get pods -l ray.io/node-type=worker -o jsonpath="{container}"')
    tag = os.environ["TAG"] if images.split()[0].endswith(f":{other}") else other
    before = pods(release, "worker")
    with load() as sent:
        time.sleep(5)
        release.helm(f"upgrade nmt helm/nmt --reset-then-reuse-values --set image.tag={tag}")
        wait_for(
            lambda: len(now := pods(release, "worker")) == 2 and not {*now} & {*before},
            600,
            "the old Pods stayed",
        )
        wait_for(lambda: len(pods(release, "head")) == 1, 300, "the old head stayed")
    assert not sent.failures
    assert sent.longest_gap <= LONGEST_GAP
