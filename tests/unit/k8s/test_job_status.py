import pytest

from k8s.observe.job_status import JobState, read_job_status

QUEUE = {"kueue.x-k8s.io/queue-name": "nights"}
LOG = "\nTraceback: failed with exit code 99\n" * 200


def job(status: dict, labels: dict[str, str] | None = None, **metadata: object) -> dict:
    return {"metadata": {"name": "x", "labels": labels or {}, **metadata}, "status": status}


def app_failed(message: str) -> dict:
    return {
        "jobDeploymentStatus": "Failed",
        "jobStatus": "FAILED",
        "reason": "AppFailed",
        "message": message,
    }


EXIT_2 = f"Job entrypoint command failed with exit code 2, last available logs:{LOG}"


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        ({}, JobState.WAITING, None),
        ({"jobDeploymentStatus": ""}, JobState.WAITING, None),
        ({"jobDeploymentStatus": "Initializing", "jobStatus": ""}, JobState.WAITING, None),
        ({"jobDeploymentStatus": "Running", "jobStatus": ""}, JobState.WAITING, None),
        ({"jobDeploymentStatus": "Running", "jobStatus": "PENDING"}, JobState.WAITING, None),
        ({"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}, JobState.RUNNING, None),
        ({"jobDeploymentStatus": "Retrying", "jobStatus": "FAILED"}, JobState.RETRYING, None),
        ({"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}, JobState.SUCCEEDED, 0),
        ({"jobDeploymentStatus": "Complete", "jobStatus": "STOPPED"}, JobState.CANCELLED, 4),
        (app_failed(EXIT_2), JobState.FAILED, 2),
        (app_failed("Job entrypoint command failed with exit code 1. No logs"), JobState.FAILED, 1),
        (app_failed("Job entrypoint command failed with exit code -9, logs"), JobState.FAILED, 137),
        (app_failed("Job entrypoint command failed with exit code 143, logs"),
         JobState.FAILED, 143),
        (app_failed("The actor died because its node has died."), JobState.FAILED, 3),
        (app_failed("Submitter completed but Ray job not found in RayCluster."),
         JobState.FAILED, 3),
        ({"jobDeploymentStatus": "Failed", "reason": "SubmissionFailed"}, JobState.FAILED, 3),
        ({"jobDeploymentStatus": "Failed", "reason": "PreRunningDeadlineExceeded"},
         JobState.FAILED, 3),
        ({"jobDeploymentStatus": "Failed", "reason": "DeadlineExceeded", "jobStatus": "RUNNING"},
         JobState.FAILED, 1),
        ({"jobDeploymentStatus": "Failed", "reason": "DeadlineExceeded", "jobStatus": ""},
         JobState.FAILED, 3),
        ({"jobDeploymentStatus": "Failed", "jobStatus": "FAILED",
          "reason": "JobDeploymentStatusTransitionGracePeriodExceeded"}, JobState.FAILED, 1),
        ({"jobDeploymentStatus": "ValidationFailed", "message": "name too long"},
         JobState.FAILED, 2),
        ({"jobDeploymentStatus": "Suspending"}, JobState.CANCELLED, 4),
        ({"jobDeploymentStatus": "Suspended"}, JobState.CANCELLED, 4),
    ],
)  # fmt: skip
def test_state_and_exit_code_of_each_status(status, state, code):
    verdict = read_job_status(job(status))
    assert (verdict.state, verdict.exit_code) == (state, code)


@pytest.mark.parametrize("outcome", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_a_job_that_ended_only_inside_ray_has_not_ended(outcome):
    running = {"jobDeploymentStatus": "Running", "jobStatus": outcome}
    assert read_job_status(job(running)).exit_code is None


def test_a_suspended_job_with_a_queue_is_queued():
    verdict = read_job_status(job({"jobDeploymentStatus": "Suspended"}, QUEUE))
    assert (verdict.state, verdict.exit_code) == (JobState.QUEUED, None)
    assert "nights" in verdict.message


def test_a_job_that_is_being_deleted_is_cancelled():
    running = {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}
    assert read_job_status(job(running, deletionTimestamp="2026-01-01T00:00:00Z")).exit_code == 4


def test_a_job_that_had_ended_keeps_its_outcome_while_it_is_deleted():
    done = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
    assert read_job_status(job(done, deletionTimestamp="2026-01-01T00:00:00Z")).exit_code == 0


def test_the_message_leaves_out_the_log():
    message = read_job_status(job(app_failed(EXIT_2))).message
    assert message == "the job ended with exit code 2"


def test_a_refusal_quotes_kuberays_message():
    status = {"jobDeploymentStatus": "ValidationFailed", "message": "TTL is wrong\nmore"}
    assert read_job_status(job(status)).message == "KubeRay refuses the job: TTL is wrong"
