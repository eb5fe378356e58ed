"""No user's job has a number that the API server keeps and KubeRay cannot read.

KubeRay would then read no RayJob, or no RayCluster, of any namespace any more.
"""

import pytest

from tests.support.k8s.applied_release import Applied
from tests.support.k8s.user_requests import (
    Ask,
    Change,
    changed,
    cluster,
    container,
    env,
    first,
    job,
    says,
    spec,
    volume,
)

TOO_LARGE = 2**31
DIVISOR = {"resource": "limits.cpu", "divisor": "1e1.5"}


def of_job(**fields: object) -> Change:
    return lambda made: made["spec"].update(fields)


def of_workers(**fields: object) -> Change:
    return lambda made: cluster(made)["workerGroupSpecs"][0].update(fields)


def limit(amount: str) -> Change:
    return lambda made: first(made)["resources"]["limits"].update({"cpu": amount})


def code_volume(**fields: object) -> Change:
    return volume(configMap={"name": "nmt-code-1", **fields})


UNREADABLE: dict[str, tuple[Change, str]] = {
    "deadline": (of_job(activeDeadlineSeconds=TOO_LARGE), "activeDeadlineSeconds of a job"),
    "wait": (of_job(preRunningDeadlineSeconds=TOO_LARGE), "preRunningDeadlineSeconds of"),
    "time to keep": (of_job(ttlSecondsAfterFinished=TOO_LARGE), "ttlSecondsAfterFinished of"),
    "attempts": (of_job(backoffLimit=TOO_LARGE), "backoffLimit of a job"),
    "negative number": (of_job(backoffLimit=-TOO_LARGE - 1), "backoffLimit of a job"),
    "submitter": (of_job(submitterConfig={"backoffLimit": TOO_LARGE}), "backoffLimit of a job"),
    "replicas": (of_workers(replicas=TOO_LARGE), "replicas of a job"),
    "most replicas": (of_workers(maxReplicas=TOO_LARGE), "maxReplicas of a job"),
    "hosts": (of_workers(numOfHosts=TOO_LARGE), "numOfHosts of a job"),
    "grace": (spec(terminationGracePeriodSeconds=2**62), "terminationGracePeriodSeconds of"),
    "port": (container(ports=[{"containerPort": TOO_LARGE}]), "one of its ports"),
    "period": (
        container(livenessProbe={"exec": {"command": ["a"]}, "periodSeconds": TOO_LARGE}),
        "a probe or a hook",
    ),
    "probed port": (
        container(readinessProbe={"httpGet": {"port": TOO_LARGE}}),
        "a probe or a hook",
    ),
    "gRPC port": (container(startupProbe={"grpc": {"port": TOO_LARGE}}), "a probe or a hook"),
    "hook": (
        container(lifecycle={"preStop": {"tcpSocket": {"port": TOO_LARGE}}}),
        "a probe or a hook",
    ),
    "mode": (code_volume(defaultMode=TOO_LARGE), "volume 'more'"),
    "mode of a file": (
        code_volume(items=[{"key": "a", "path": "a", "mode": TOO_LARGE}]),
        "volume 'more'",
    ),
    "size": (volume(emptyDir={"sizeLimit": "1e1.5"}), "volume 'more'"),
    "amount": (limit("1e1.5"), "an amount of its resources"),
    "divisor": (env(resourceFieldRef=DIVISOR), "an amount of its resources"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_number_that_kuberay_cannot_read_is_refused_by_name(
    release: Applied, refusal: Ask, name: str
) -> None:
    change, expected = UNREADABLE[name]
    assert says(refusal(changed(job(release), change)), expected)


@pytest.mark.parametrize(
    "change",
    [
        of_job(activeDeadlineSeconds=2**31 - 1),
        container(livenessProbe={"httpGet": {"port": "http"}, "periodSeconds": 10}),
        limit("1500m"),
        volume(emptyDir={"sizeLimit": "2Gi"}),
        code_volume(defaultMode=0o444, items=[{"key": "a", "path": "a", "mode": 0o400}]),
    ],
    ids=["largest number", "probe", "amount", "size", "mode"],
)
def test_a_number_that_kuberay_reads_is_taken(
    release: Applied, refusal: Ask, change: Change
) -> None:
    assert refusal(changed(job(release), change)) == ""
