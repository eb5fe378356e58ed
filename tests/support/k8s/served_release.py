"""A release whose endpoint translates, and what its Pods and replicas say."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.steady_load import TEXT, SteadyLoad
from tests.support.k8s.installed_release import Installed, shell, wait_for
from tests.support.runs.small_run import SMALL_RUN

FIRST = " ".join(
    (*SMALL_RUN, "training.max_steps=8", "tune.trials=0", "serving.cpus_per_replica=1")
)
SERVING = "app.kubernetes.io/component=serving"


def traffic(release: Installed) -> dict:
    said = shell(f"nmt-k8s traffic -o json -n {release.namespace} 2>/dev/null", quiet=True)
    return json.loads(said)


def digest(release: Installed) -> str:
    """The stable engine of the only route."""
    found = traffic(release)
    return found["routes"][found["default"]]["stable"]


def engines(release: Installed) -> set[str]:
    """What the replicas serve, one entry for all that serve the same."""
    return {replica["digest"] for replica in traffic(release)["replicas"]}


def pods(release: Installed, node: str) -> list[str]:
    """Names of the ready Pods of the endpoint, of heads or workers, which are not about to end."""
    said = release.kubectl(f"get pods -l {SERVING},ray.io/node-type={node} -o json")
    return [
        pod["metadata"]["name"]
        for pod in json.loads(said)["items"]
        if "deletionTimestamp" not in pod["metadata"]
        and all(
            condition["status"] == "True"
            for condition in pod["status"].get("conditions", [{"type": "Ready", "status": "False"}])
            if condition["type"] == "Ready"
        )
    ]


def train_two_engines(release: Installed) -> None:
    """Train and export two engines, and have the endpoint serve the first."""
    release.nmt(f"submit pipeline {FIRST}")
    release.nmt(f"submit pipeline {FIRST.replace('run=small', 'run=second')} seed=2")
    release.nmt("promote run=small")


def wait_until_served(release: Installed, *, pods_: int = 1) -> None:
    """Wait until all replicas serve the promoted engine, and Pods take requests."""
    release.kubectl("wait --for=condition=Ready rayservice/nmt --timeout=600s")
    wait_for(lambda: engines(release) == {digest(release)}, 120, "no replica serves the engine")
    wait_for(lambda: len(pods(release, "worker")) >= pods_, 300, f"no {pods_} Pods take requests")


def api_key(release: Installed) -> str:
    """Return a key that every replica knows."""
    if given := os.environ.get("NMT_API_KEY"):
        return given
    command = f"nmt-k8s keys create load -n {release.namespace} 2>/dev/null"
    key = shell(command, quiet=True).strip()
    # Replicas read the keys every `serving.poll_seconds`, and refuse a new one until then.
    time.sleep(10)
    return key


@contextmanager
def steady_load(
    release: Installed,
    key: str,
    rate: float,
    *,
    keep_alive: bool = False,
    texts: Sequence[str] = (TEXT,),
) -> Iterator[SteadyLoad]:
    """Put a steady load on the endpoint: a connection a request, or kept ones and one retry."""
    retries = int(keep_alive)
    url = release.endpoint()
    load = SteadyLoad(url, rate=rate, keep_alive=keep_alive, retries=retries, key=key, texts=texts)
    try:
        with load:
            yield load
    finally:
        print(load.report(), flush=True)
