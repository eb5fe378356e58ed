"""The endpoint of a release under a steady load: nothing that is planned loses a request."""

import json
import os
import time
from collections.abc import Callable

import pytest

from benchmarks.steady_load import SteadyLoad
from tests.support.k8s.installed_release import Installed, shell, wait_for
from tests.support.runs.small_run import SMALL_RUN

NAMESPACE = "nmt-serving"
FIRST = " ".join(
    (*SMALL_RUN, "training.max_steps=8", "tune.trials=0", "serving.cpus_per_replica=1")
)
SCALE = {
    "min_replicas": 1,
    "max_replicas": 2,
    "cpus_per_replica": 2,
    "target_requests": 1,
    "upscale_delay_seconds": 2,
    "downscale_delay_seconds": 15,
}


@pytest.fixture(scope="module")
def release(install) -> Installed:
    """An endpoint that serves the first of two engines."""
    release = install(
        NAMESPACE,
        f"--set-json 'config.serving={json.dumps(SCALE)}'",
        "--set serving.pods.max=2 --set serving.idleTimeoutSeconds=20",
    )
    release.nmt(f"submit pipeline {FIRST}")
    release.nmt(f"submit pipeline {FIRST.replace('run=small', 'run=second')} seed=2")
    release.nmt("promote run=small")
    release.kubectl("wait --for=condition=Ready rayservice/nmt --timeout=600s")
    wait_for(lambda: engines(release) == {digest(release)}, 60, "no replica serves the engine")
    wait_for(lambda: serving_pods(release), 60, "no Pod takes requests")
    return release


@pytest.fixture(scope="module")
def load(release: Installed) -> Callable[[float], SteadyLoad]:
    """Return a function that puts a steady load on the endpoint, with an API key."""
    command = f"nmt-k8s keys create load -n {release.namespace} 2>/dev/null"
    key = shell(command, quiet=True).strip()
    return lambda rate: SteadyLoad(release.endpoint(), rate=rate, key=key)


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


def scaled(release: Installed, **serving: int) -> None:
    """Upgrade the release to other numbers of replicas; the Pods follow by themselves."""
    settings = " ".join(f"--set config.serving.{key}={value}" for key, value in serving.items())
    release.helm(f"upgrade nmt helm/nmt --reset-then-reuse-values {settings}")


def serving_pods(release: Installed) -> list[str]:
    """Names of the ready worker Pods of the endpoint."""
    select = "app.kubernetes.io/component=serving,ray.io/node-type=worker"
    said = release.kubectl(f"get pods -l {select} --no-headers")
    return [line.split()[0] for line in said.splitlines() if "1/1" in line and "Running" in line]


def test_a_promotion_loses_no_request_and_restarts_nothing(release, load):
    before = serving_pods(release)
    with load(10) as sent:
        time.sleep(5)
        release.nmt("promote run=second")
        wait_for(
            lambda: digest(release) in {outcome.said for outcome in sent.outcomes[-5:]},
            60,
            "the promoted engine never answered",
        )
        time.sleep(5)
    print(sent.report())
    assert not sent.failures
    assert len({outcome.said for outcome in sent.outcomes}) == 2
    assert serving_pods(release) == before


def test_a_rollback_is_the_same_write(release):
    now = digest(release)
    release.nmt("rollback")
    assert digest(release) != now
    wait_for(lambda: engines(release) == {digest(release)}, 30, "replicas did not follow")


def test_replicas_and_pods_follow_the_load_up_and_down(release, load):
    assert len(traffic(release)["replicas"]) == 1
    with load(60) as sent:
        wait_for(lambda: len(serving_pods(release)) == 2, 180, "no second Pod under load")
        wait_for(lambda: len(traffic(release)["replicas"]) == 2, 60, "no second replica")
    wait_for(lambda: len(serving_pods(release)) == 1, 240, "the second Pod stayed")
    print(sent.report())
    assert not sent.failures


def test_another_number_of_replicas_loses_no_request_and_restarts_none(release, load):
    before = {replica["replica"] for replica in traffic(release)["replicas"]}
    with load(10) as sent:
        scaled(release, min_replicas=2)
        wait_for(lambda: len(traffic(release)["replicas"]) == 2, 180, "no second replica")
        time.sleep(10)
    print(sent.report())
    assert not sent.failures
    assert before <= {replica["replica"] for replica in traffic(release)["replicas"]}


def test_another_setting_of_the_endpoint_loses_no_request(release, load):
    before = {replica["replica"] for replica in traffic(release)["replicas"]}
    with load(10) as sent:
        release.helm(
            "upgrade nmt helm/nmt --reset-then-reuse-values --set config.serving.beam_size=2"
        )
        wait_for(
            lambda: not before & {replica["replica"] for replica in traffic(release)["replicas"]},
            180,
            "the replicas were not replaced",
        )
        time.sleep(10)
    print(sent.report())
    assert not sent.failures


def test_a_pod_that_is_deleted_loses_no_request(release, load):
    wait_for(lambda: len(serving_pods(release)) == 2, 120, "there are no two Pods")
    with load(10) as sent:
        time.sleep(3)
        gone = serving_pods(release)[0]
        release.kubectl(f"delete pod {gone} --wait=false")
        wait_for(
            lambda: gone not in (pods := serving_pods(release)) and len(pods) == 2,
            180,
            "the Pod was not replaced",
        )
    print(sent.report())
    assert not sent.failures


def test_another_image_loses_no_request(release, load):
    other = os.environ.get("OTHER_TAG")
    if not other:
        pytest.skip("OTHER_TAG names no second image to change to")
    before = serving_pods(release)
    with load(10) as sent:
        release.helm(f"upgrade nmt helm/nmt --reset-then-reuse-values --set image.tag={other}")
        wait_for(
            lambda: (pods := serving_pods(release)) and not set(pods) & set(before),
            400,
            "the old Pods stayed",
        )
    print(sent.report())
    assert not sent.failures
