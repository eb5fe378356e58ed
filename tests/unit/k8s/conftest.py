import json
from collections.abc import Callable
from pathlib import Path

import pytest

from k8s.api.cluster import BATCH_JOB, CONFIG_MAP
from k8s.cli.main import main
from k8s.cli.output import Clock
from k8s.objects.release import KEY, Release
from tests.support.k8s.campaign_world import World
from tests.support.k8s.fake_cluster import FakeCluster
from tests.support.k8s.fake_time import FakeTime
from tests.support.k8s.release_fields import release_fields


def make_release(**changes: object) -> Release:
    return Release.model_validate(release_fields(**changes))


def install(cluster: FakeCluster, /, **changes: object) -> None:
    """Add the ConfigMap of a release, as the chart does."""
    fields = release_fields(**changes)
    labels = {"app.kubernetes.io/component": "release"}
    name = f"{fields['name']}-release"
    data = {KEY: json.dumps(fields)}
    cluster.add(CONFIG_MAP, name, metadata={"name": name, "labels": labels}, data=data)


@pytest.fixture
def release() -> Release:
    return make_release()


@pytest.fixture
def cluster() -> FakeCluster:
    """A cluster with one release, `demo`."""
    cluster = FakeCluster()
    install(cluster)
    return cluster


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A cluster, a storage root and a clock in which campaigns are reconciled."""
    return World(tmp_path, release_fields())


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime()


@pytest.fixture
def nmt_k8s(cluster, clock, monkeypatch) -> Callable[..., int]:
    """Run `nmt-k8s` on that cluster and return its exit code."""
    monkeypatch.delenv("NMT_STORAGE", raising=False)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)

    def run(*words: str) -> int:
        times = Clock(now=clock.now, sleep=clock.sleep)
        return main(words, connect=lambda context, namespace: cluster, clock=times)

    return run


@pytest.fixture
def storage_pod(cluster):
    """Let the Pod of each Job run and end with the given code and lines."""

    def plan(code: int = 0, *lines: str, **status: object) -> None:
        def run(made: FakeCluster) -> None:
            [job] = made.names(BATCH_JOB)
            ended = {"state": {"terminated": {"exitCode": code}}}
            about = {"phase": "Succeeded", "containerStatuses": [ended], **status}
            made.pod(f"{job}-pod", {"batch.kubernetes.io/job-name": job}, **about)
            made.logs[f"{job}-pod"] = [f"2026-01-01T00:00:00Z {line}" for line in lines]

        cluster.on_create["Job"] = run

    return plan
