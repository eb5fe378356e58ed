"""What goes wrong on a cluster, and how a job that was submitted ends."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.k8s.installed_release import Installed, shell, wait_for
from tests.support.k8s.submitted_job import began_at
from tests.support.runs.small_run import SMALL_RUN

NAMESPACE = "nmt-faults"
SMALL = " ".join((*SMALL_RUN, "tune.trials=0"))
CHECKPOINT_EVERY = 200
LONG = SMALL.replace("evaluate_every_steps=4", f"evaluate_every_steps={CHECKPOINT_EVERY}") + (
    " training.max_steps=6000"
)


@pytest.fixture(scope="module")
def release(install) -> Installed:
    """Jobs alone; data and base of the run `small` are there."""
    release = install(NAMESPACE, "--set serving.enabled=false", "--set jobs.retries=2")
    for step in ("prepare", "base"):
        release.nmt(f"submit {step} {SMALL}")
    return release


UNBOUND_CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "unbound"},
    "spec": {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "none",
        "resources": {"requests": {"storage": "1Gi"}},
    },
}


@contextmanager
def upgraded(release: Installed, *values: str) -> Iterator[None]:
    """The release with other values, until the block ends."""
    options = " ".join(f"--set {value}" for value in values)
    release.helm(f"upgrade nmt helm/nmt --reset-then-reuse-values {options}")
    try:
        yield
    finally:
        release.helm("rollback nmt")


@pytest.mark.parametrize("kind", ["worker", "head"])
def test_a_pod_that_is_deleted_costs_no_finished_checkpoint(submitted, release, kind):
    job = submitted(f"train {LONG} --restart", f"lost-{kind}")
    job.wait_for_checkpoint()
    release.kubectl(f"delete {job.pod(kind)} --grace-period=5 --wait=false")
    code, said = job.end()
    assert code == 0
    first, *later = began_at(said)
    assert first == 0
    assert later
    assert min(later) >= CHECKPOINT_EVERY


def test_bad_input_is_not_tried_again(submitted):
    code, said = submitted("train run=nothing", "nothing").end()
    assert code == 2
    assert said.count("has no step 'prepare'") >= 1
    assert "starts again" not in said


def test_an_image_that_is_not_there_is_named(submitted):
    code, said = submitted(f"base {SMALL} --image 10.0.0.1/none:1", "image").end()
    assert code == 3
    assert "10.0.0.1/none:1" in said


def test_gpus_that_are_not_there_are_named(submitted, release):
    group = ("gpus=8", "cpuRequest=100m", "memory=1Gi")
    words = f"train {LONG} scaling.gpus_per_worker=1 --workers gpu --pending-timeout 20"
    with upgraded(release, *(f"workers.gpu.{value}" for value in group)):
        code, said = submitted(words, "gpu").end()
    assert code == 3
    assert "nvidia.com/gpu" in said


def test_a_claim_that_waits_is_named(submitted, release):
    release.kubectl("apply -f - <<< '" + json.dumps(UNBOUND_CLAIM) + "'")
    with upgraded(release, "storage.claim.create=false", "storage.claim.name=unbound"):
        code, said = submitted(f"base {SMALL} --pending-timeout 20", "claim").end()
    assert code == 3
    assert "claim unbound" in said


def test_a_trial_that_takes_too_much_memory_ends_the_search_and_says_so(submitted, release):
    words = f"tune {SMALL.replace('tune.trials=0', 'tune.trials=1')} tune.max_steps=40"
    with upgraded(release, "workers.cpu.memory=600Mi"):
        code, said = submitted(f"{words} tune.grace_steps=10", "too-big").end()
    assert code == 1
    assert "out of memory" in said


def test_a_quota_that_is_used_up_is_named(submitted, release):
    release.kubectl("create quota full --hard=pods=0")
    try:
        code, said = submitted(f"base {SMALL} --pending-timeout 30", "quota").end()
    finally:
        release.kubectl("delete quota full")
    assert code == 3
    assert "quota" in said


def test_a_job_that_is_cancelled_from_elsewhere_ends_with_4(submitted, release):
    job = submitted(f"train {LONG} --restart", "cancelled")
    wait_for(lambda: job.pod("head"), 60, "no head Pod")
    release.nmt("cancel cancelled")
    assert job.end(60)[0] == 4


def test_ctrl_c_leaves_the_job_running(submitted, release):
    job = submitted(f"train {LONG} --restart", "detached")
    wait_for(lambda: job.pod("head"), 60, "no head Pod")
    job.process.send_signal(2)
    code, said = job.end(60)
    assert code == 130
    assert "nmt-k8s logs detached --follow" in said
    assert job.pod("head")


def test_the_log_outlives_the_pods(release):
    release.kubectl("delete rayjob --all --wait=true")
    time.sleep(1)
    assert "validation BLEU" in release.nmt("logs lost-worker")


def test_an_account_without_rights_is_told_which(release):
    token = release.kubectl("create token nmt-jobs").strip()
    said = shell(
        "folder=$(mktemp -d); cp $KUBECONFIG $folder/config; export KUBECONFIG=$folder/config; "
        'kubectl config set-credentials poor --token "$TOKEN" > /dev/null; '
        "kubectl config set-context --current --user poor > /dev/null; "
        f"nmt-k8s list -n {release.namespace} && rc=0 || rc=$?; rm -r $folder; echo rc=$rc",
        environ={"TOKEN": token},
    )
    assert said.rstrip().endswith("rc=3")
    assert "you may not list configmaps" in said
    assert token not in said
