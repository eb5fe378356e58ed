import json

import pytest

from k8s.api.cluster import POD, RAY_JOB
from tests.support.k8s.fake_cluster import FakeCluster

SUCCEEDED = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED",
             "startTime": "2026-01-01T00:00:05Z", "endTime": "2026-01-01T01:00:05Z"}  # fmt: skip
RUNNING = {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}
FAILED = {"jobDeploymentStatus": "Failed", "jobStatus": "FAILED",
          "message": "Job entrypoint command failed with exit code 2, logs"}  # fmt: skip


def add_job(cluster: FakeCluster, name: str, status: dict, step: str = "train", **more) -> None:
    labels = {
        "app.kubernetes.io/component": "job",
        "app.kubernetes.io/instance": "demo",
        "nmt/run": "night",
        "nmt/step": step,
    }
    cluster.add(RAY_JOB, name, metadata={"name": name, "labels": labels, **more}, spec={},
                status=status)  # fmt: skip


def test_the_list_has_a_line_for_each_job_latest_first(nmt_k8s, cluster, capsys):
    add_job(cluster, "old", SUCCEEDED)
    add_job(cluster, "new", FAILED, creationTimestamp="2026-01-02T00:00:00Z")
    assert nmt_k8s("list") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "STEP", "RUN", "STATE", "AGE", "TOOK"]
    assert [line.split()[0] for line in lines] == ["new", "old"]
    assert "failed (2)" in lines[0]
    assert lines[1].endswith("60 min")


def test_the_list_leaves_out_jobs_of_other_releases(nmt_k8s, cluster, capsys):
    add_job(cluster, "mine", RUNNING)
    add_job(cluster, "other", RUNNING)
    labels = cluster.objects["RayJob", "other"]["metadata"]["labels"]
    labels["app.kubernetes.io/instance"] = "another"
    nmt_k8s("list", "-o", "json")
    assert [job["name"] for job in json.loads(capsys.readouterr().out)] == ["mine"]


@pytest.mark.parametrize(
    ("step", "status", "command"),
    [
        ("train", RUNNING, "nmt-k8s logs job --follow"),
        ("train", FAILED, "nmt-k8s logs job, then the same submit command"),
        ("train", SUCCEEDED, "nmt-k8s status run=night"),
        ("export", SUCCEEDED, "nmt-k8s promote run=night"),
    ],
)
def test_the_status_of_a_job_names_the_next_command(
    nmt_k8s, cluster, capsys, step, status, command
):
    add_job(cluster, "job", status, step)
    assert nmt_k8s("status", "job") == 0
    assert f"next     {command}" in capsys.readouterr().out


def test_the_status_of_a_job_names_a_pod_with_a_problem(nmt_k8s, cluster, capsys):
    add_job(cluster, "job", {"jobDeploymentStatus": "Initializing", "rayClusterName": "job-abc"})
    condition = {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes"}
    cluster.pod("job-abc-head", {"ray.io/cluster": "job-abc"}, conditions=[condition])
    nmt_k8s("status", "job", "-o", "json")
    answer = json.loads(capsys.readouterr().out)
    assert "Pod job-abc-head Pending: 0/1 nodes" in answer["problem"]
    assert [pod["name"] for pod in answer["pods"]] == ["job-abc-head"]


@pytest.mark.parametrize("command", ["status", "cancel"])
def test_an_unknown_job_is_refused_with_the_known_names(nmt_k8s, cluster, capsys, command):
    add_job(cluster, "night-train-1", RUNNING)
    assert nmt_k8s(command, "night-train-2") == 2
    assert "Did you mean 'night-train-1'" in capsys.readouterr().err


def test_cancelling_deletes_the_job_and_prints_how_to_resume(nmt_k8s, cluster, capsys):
    add_job(cluster, "job", RUNNING)
    assert nmt_k8s("cancel", "job") == 0
    assert cluster.names(RAY_JOB) == []
    assert "nmt-k8s submit train run=night" in capsys.readouterr().out


def test_a_dry_run_cancels_nothing(nmt_k8s, cluster):
    add_job(cluster, "job", RUNNING)
    assert nmt_k8s("cancel", "job", "--dry-run") == 0
    assert cluster.names(RAY_JOB) == ["job"]


def add_log(cluster: FakeCluster) -> None:
    cluster.pod("job-xyz", {"batch.kubernetes.io/job-name": "job"})
    cluster.logs["job-xyz"] = [f"2026-01-01T00:00:0{n}Z step {n}" for n in range(3)]


def test_the_log_comes_from_the_submitter_pod(nmt_k8s, cluster, capsys):
    add_job(cluster, "job", RUNNING)
    add_log(cluster)
    assert nmt_k8s("logs", "job") == 0
    assert capsys.readouterr().out.splitlines() == ["step 0", "step 1", "step 2"]


def test_tail_prints_only_the_last_lines(nmt_k8s, cluster, capsys):
    add_job(cluster, "job", RUNNING)
    add_log(cluster)
    nmt_k8s("logs", "job", "--tail", "1")
    assert capsys.readouterr().out == "step 2\n"


def test_a_job_that_waits_has_no_log_yet(nmt_k8s, cluster, capsys):
    add_job(cluster, "job", {"jobDeploymentStatus": "Initializing"})
    assert nmt_k8s("logs", "job") == 0
    assert "there is no log yet" in capsys.readouterr().err


def test_following_is_the_same_wait_with_the_same_exit_code(nmt_k8s, cluster, clock, capsys):
    add_job(cluster, "job", RUNNING)
    add_log(cluster)
    clock.after(60, lambda: cluster.set_status("job", **FAILED))
    assert nmt_k8s("logs", "job", "--follow") == 2
    written = capsys.readouterr()
    assert written.out.splitlines() == ["step 0", "step 1", "step 2"]
    assert "job failed after" in written.err


def test_following_never_deletes_a_job_whose_pods_cannot_start(nmt_k8s, cluster, clock, capsys):
    add_job(cluster, "job", {"jobDeploymentStatus": "Initializing", "rayClusterName": "job-abc"})
    waiting = {"waiting": {"reason": "InvalidImageName"}}
    container = {"name": "main", "image": "x:1:1", "state": waiting}
    cluster.pod("job-abc-head", {"ray.io/cluster": "job-abc"}, containerStatuses=[container])
    clock.after(300, lambda: cluster.set_status("job", **SUCCEEDED))
    assert nmt_k8s("logs", "job", "--follow") == 0
    assert "cannot be pulled" in capsys.readouterr().err
    assert cluster.names(RAY_JOB) == ["job"]


def test_following_a_job_that_has_ended_gives_its_exit_code(nmt_k8s, cluster):
    add_job(cluster, "job", FAILED)
    add_log(cluster)
    assert nmt_k8s("logs", "job", "--follow") == 2


NOT_STARTED = {"jobDeploymentStatus": "Failed", "reason": "PreRunningDeadlineExceeded",
               "rayClusterName": "job-abc"}  # fmt: skip
NO_IMAGE = 'Failed to pull image "registry.example/none:1": rpc error: code = NotFound: not found'


@pytest.mark.parametrize("words", [("status", "job"), ("logs", "job", "--follow")])
def test_a_detached_job_whose_image_was_not_there_names_it_when_its_pods_are_gone(
    nmt_k8s, cluster, capsys, words
):
    add_job(cluster, "job", NOT_STARTED)
    cluster.warn(POD, "job-abc-head-x", NO_IMAGE)
    cluster.pod("job-s", {"batch.kubernetes.io/job-name": "job"})
    nmt_k8s(*words)
    told = "".join(capsys.readouterr())
    assert "did not start in time" in told
    assert "image registry.example/none:1 cannot be pulled" in told


def test_a_failed_pull_that_was_repeated_with_success_is_not_a_problem(nmt_k8s, cluster, capsys):
    add_job(cluster, "job", {"jobDeploymentStatus": "Initializing", "rayClusterName": "job-abc"})
    cluster.warn(POD, "job-abc-head-x", NO_IMAGE)
    cluster.pod("job-abc-head-x", {"ray.io/cluster": "job-abc"}, phase="Running")
    nmt_k8s("status", "job")
    assert "cannot be pulled" not in capsys.readouterr().out


def test_a_job_that_has_ended_has_no_problem_with_its_submitter_pod(nmt_k8s, cluster, capsys):
    add_job(cluster, "job", NOT_STARTED | {"reason": "DeadlineExceeded"})
    waits = {"waiting": {"reason": "CreateContainerConfigError", "message": "no secret"}}
    state = {"name": "main", "state": waits}
    labels = {"batch.kubernetes.io/job-name": "job"}
    cluster.pod("job-s", labels, phase="Pending", containerStatuses=[state])
    nmt_k8s("status", "job")
    assert "no secret" not in capsys.readouterr().out
