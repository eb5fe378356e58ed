import re

import pytest

from k8s.manifests import ray_job
from k8s.preflight import check
from nmt.errors import InputError
from tests.unit.k8s.test_manifests import request


@pytest.fixture
def job(release) -> dict:
    return ray_job(release, request())


def test_what_is_made_from_a_release_passes(job):
    check(job)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("metadata.name", "x" * 48, "has 48 characters"),
        ("metadata.name", "1st", "begin with a lower-case letter"),
        ("metadata.name", "a_b", "'a_b'"),
        ("metadata.labels", {"nmt/run": "-x"}, "label nmt/run: '-x'"),
        ("spec.activeDeadlineSeconds", 0, "--deadline 0"),
        ("spec.preRunningDeadlineSeconds", -5, "--pending-timeout -5"),
        ("spec.submitterConfig.backoffLimit", -1, "--retries -1"),
        ("spec.ttlSecondsAfterFinished", -1, "jobs.keepSeconds -1"),
        ("spec.clusterSelector", {"ray.io/cluster": "x"}, "one of clusterSelector"),
        ("spec.rayClusterSpec.rayVersion", "", "ray.version"),
        ("spec.rayClusterSpec.headGroupSpec.resources", {"cpu": "1"}, "group 'head'"),
        ("spec.rayClusterSpec.headGroupSpec.template.spec.containers", [], "no container"),
        ("spec.rayClusterSpec.headGroupSpec.rayStartParams.labels", "a=b", "has labels"),
    ],
)
def test_a_value_that_kuberay_would_refuse_is_named(job, path, value, message):
    *parents, leaf = path.split(".")
    node = job
    for parent in parents:
        node = node[parent]
    node[leaf] = value
    with pytest.raises(InputError, match=re.escape(message)):
        check(job)


def test_all_faults_are_told_at_once(job):
    job["spec"] |= {"activeDeadlineSeconds": 0, "preRunningDeadlineSeconds": 0}
    with pytest.raises(InputError, match=r"--deadline 0.*--pending-timeout 0"):
        check(job)
