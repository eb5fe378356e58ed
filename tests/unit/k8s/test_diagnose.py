import math

import pytest

from k8s.observe.diagnose import diagnose

QUOTA = 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
UNLIMITED = 'pods "x" is forbidden: failed quota: q: must specify limits.cpu for: ray-head'
SECURITY = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: not helpful."
PULL = (
    "rpc error: code = NotFound desc = failed to pull and unpack image: failed to resolve "
    "reference: registry.example/nmt:9: not found"
)


def pod(*containers: dict, **status: object) -> dict:
    spec = {"containers": [{"name": "ray-worker", "resources": {"limits": {"memory": "2Gi"}}}]}
    about = {"phase": "Pending", "containerStatuses": list(containers), **status}
    return {"metadata": {"name": "demo-worker-1"}, "spec": spec, "status": about}


def waiting(reason: str, message: str = "", **more: object) -> dict:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": "ray-worker", "image": "registry.example/nmt:9", "state": state, **more}


def unschedulable(message: str) -> dict:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return pod(conditions=[{**condition, "message": message}])


def warning(message: str, kind: str = "Job") -> dict:
    about = {"kind": kind, "name": "demo"}
    return {"type": "Warning", "involvedObject": about, "message": message}


def claim(phase: str) -> dict:
    metadata = {"name": "demo-storage"}
    return {"metadata": metadata, "spec": {"storageClassName": "fast"}, "status": {"phase": phase}}


OOM = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (pod(waiting("ErrImagePull", PULL)), ["registry.example/nmt:9", "not found"]),
        (pod(waiting("ImagePullBackOff", PULL)), ["ImagePullBackOff", "imagePullSecrets"]),
        (pod(waiting("CreateContainerConfigError", 'secret "hub" not found')), ['secret "hub"']),
        (unschedulable(GPU), ["3 Insufficient nvidia.com/gpu", "nodes that offer nvidia.com/gpu"]),
        (unschedulable("0/3 nodes are available: 3 Insufficient cpu."), ["lower the requests"]),
        (unschedulable("0/3 nodes: 3 node(s) had untolerated taint {a: b}."), ["tolerations"]),
        (unschedulable("pod has unbound immediate PersistentVolumeClaims"), ["kubectl get pvc"]),
        (pod({"name": "ray-worker", "state": OOM}), ["OOMKilled", "2Gi", "raise `memory`"]),
        (pod({"name": "ray-worker", "state": {"running": {}}, "lastState": OOM}), ["OOMKilled"]),
        (pod(waiting("CrashLoopBackOff", restartCount=4)), ["crashes repeatedly", "4 restarts"]),
        (pod(reason="Evicted", message="low on memory"), ["was evicted", "low on memory"]),
    ],
    ids=["pull", "backoff", "config", "gpu", "cpu", "taint", "volume", "oom", "oom-before",
         "crash", "evicted"],
)  # fmt: skip
def test_a_problem_names_the_pod_and_the_remedy(found, words):
    text = str(diagnose([found]))
    assert all(word in text for word in ["demo-worker-1", *words])


DISK_OF_THE_NODE = (
    "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi. "
    "Container ray-worker was using 8Gi, request is 1Gi, has larger consumption of "
    "ephemeral-storage. "
)


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ('Usage of EmptyDir volume "tmp" exceeds the limit "20Gi". ', "raise `disk`"),
        (
            "Pod ephemeral local storage usage exceeds the total limit of containers 20Gi. ",
            "raise `disk`",
        ),
        (
            'Container ray-worker exceeded its local ephemeral storage limit "20Gi". ',
            "raise `disk`",
        ),
        (DISK_OF_THE_NODE, "raise `diskRequest`"),
        ("The node had condition: [DiskPressure]. ", "raise `diskRequest`"),
        (DISK_OF_THE_NODE.replace("ephemeral-storage", "memory"), "raise `memoryRequest`"),
        ("Pod was rejected", "raise its requests"),
    ],
)
def test_the_remedy_of_an_eviction_names_what_was_used_up(message, advice):
    problem = diagnose([pod(reason="Evicted", message=message)])
    assert problem
    assert advice in problem.remedy


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (QUOTA, ["exceeded quota: q", "ask for a larger quota"]),
        (UNLIMITED, ["LimitRange with a default CPU limit", "a quota without limits.cpu"]),
        (UNLIMITED.replace(".cpu", ".memory"), ["a default value for limits.memory"]),
        (SECURITY, ["PodSecurity"]),
    ],
    ids=["quota", "no-cpu-limit", "no-memory-limit", "security"],
)
def test_events_and_conditions_explain_why_a_pod_was_not_created(message, words):
    condition = {"type": "ReplicaFailure", "status": "True", "message": message}
    for problem in (diagnose([], [warning(message)]), diagnose([], (), [condition])):
        assert all(word in str(problem) for word in words)


def test_a_claim_without_a_volume_is_reported_with_its_class_and_the_reason():
    about = {"kind": "PersistentVolumeClaim", "name": "demo-storage"}
    event = {**warning("no such zone"), "involvedObject": about, "reason": "ProvisioningFailed"}
    text = str(diagnose([], [event], claims=[claim("Pending")]))
    assert "storage class fast" in text
    assert "no such zone" in text


def test_a_claim_that_lost_its_volume_is_reported():
    assert "demo-storage is Lost" in str(diagnose([], claims=[claim("Lost")]))


def test_a_claim_that_waits_for_its_first_pod_is_not_a_problem():
    assert diagnose([], claims=[claim("Pending")]) is None


@pytest.mark.parametrize(
    "found",
    [
        pod(waiting("ContainerCreating")),
        pod(waiting("PodInitializing")),
        pod({"name": "ray-worker", "state": {"running": {}}}, phase="Running"),
        pod(phase="Succeeded", reason="Evicted"),
    ],
    ids=["creating", "initializing", "running", "ended"],
)
def test_a_slow_pod_is_not_a_problem(found):
    assert diagnose([found]) is None


def test_a_terminating_pod_is_not_a_problem():
    going = pod(waiting("ImagePullBackOff", PULL))
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert diagnose([going]) is None


def test_harmless_events_are_ignored():
    assert diagnose([], [warning("Readiness probe failed"), {"type": "Normal"}]) is None


def test_the_status_of_a_pod_wins_over_events():
    problem = diagnose([pod(waiting("ErrImagePull", PULL))], [warning(QUOTA)])
    assert "ErrImagePull" in str(problem)


def test_of_several_problems_the_most_serious_is_reported():
    problem = diagnose([unschedulable(GPU), pod(waiting("ErrImagePull", PULL))])
    assert "ErrImagePull" in str(problem)


@pytest.mark.parametrize(
    ("found", "seconds"),
    [
        (pod(waiting("InvalidImageName")), 0),
        (pod(waiting("ErrImagePull", PULL)), 60),
        (pod(waiting("CreateContainerConfigError")), 60),
        (unschedulable(GPU), math.inf),
        (pod(waiting("CrashLoopBackOff")), math.inf),
    ],
    ids=["name", "pull", "config", "gpu", "crash"],
)
def test_a_permanent_problem_has_a_short_grace_time(found, seconds):
    problem = diagnose([found])
    assert problem is not None
    assert problem.grace_seconds == seconds


def test_pulling_and_backing_off_are_one_problem():
    first = diagnose([pod(waiting("ErrImagePull", PULL))])
    second = diagnose([pod(waiting("ImagePullBackOff", PULL))])
    assert first is not None
    assert second is not None
    assert first.about == second.about
