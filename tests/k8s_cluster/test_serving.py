"""The endpoint of a release under a steady load: nothing that is planned loses a request."""

import json
import time
from collections.abc import Callable

import pytest

from benchmarks.steady_load import SteadyLoad
from tests.support.k8s.installed_release import Installed, wait_for
from tests.support.k8s.served_release import (
    api_key,
    digest,
    engines,
    pods,
    traffic,
    train_two_engines,
    wait_until_served,
)

NAMESPACE = "nmt-serving"
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
    train_two_engines(release)
    wait_until_served(release)
    return release


@pytest.fixture(scope="module")
def load(release: Installed) -> Callable[[float], SteadyLoad]:
    """Return a function that puts a steady load on the endpoint, with an API key."""
    key = api_key(release)
    return lambda rate: SteadyLoad(release.endpoint(), rate=rate, key=key)


def scaled(release: Installed, **serving: int) -> None:
    """Upgrade the release to other numbers of replicas; the Pods follow by themselves."""
    settings = " ".join(f"--set config.serving.{key}={value}" for key, value in serving.items())
    release.helm(f"upgrade nmt helm/nmt --reset-then-reuse-values {settings}")


def test_a_promotion_loses_no_request_and_restarts_nothing(release, load):
    before = pods(release, "worker")
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
    assert pods(release, "worker") == before


def test_a_rollback_is_the_same_write(release):
    now = digest(release)
    release.nmt("rollback")
    assert digest(release) != now
    wait_for(lambda: engines(release) == {digest(release)}, 30, "replicas did not follow")


def test_replicas_and_pods_follow_the_load_up_and_down(release, load):
    assert len(traffic(release)["replicas"]) == 1
    with load(60) as sent:
        wait_for(lambda: len(pods(release, "worker")) == 2, 180, "no second Pod under load")
        wait_for(lambda: len(traffic(release)["replicas"]) == 2, 60, "no second replica")
    wait_for(lambda: len(pods(release, "worker")) == 1, 240, "the second Pod stayed")
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
