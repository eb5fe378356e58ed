import json
import signal
from collections.abc import Iterator

import pytest

from k8s.api.cluster import CLAIM, EVENT, POD, RAY_CLUSTER, RAY_JOB
from nmt.cli.signals import restored_handlers
from nmt.errors import ClusterError, UnreachableError
from tests.support.k8s.fake_cluster import FakeCluster
from tests.support.k8s.release_fields import worker_group
from tests.unit.k8s.conftest import install

NAME = ("--name", "job")
RUNNING = {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING",
           "rayJobInfo": {"startTime": "2026-01-01T00:00:00Z"}}  # fmt: skip
SUCCEEDED = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
STARTING = {"jobDeploymentStatus": "Initializing", "rayClusterName": "job-abc"}


def failed(code: int) -> dict:
    message = f"Job entrypoint command failed with exit code {code}, last available logs:\nx"
    status = {"jobDeploymentStatus": "Failed", "jobStatus": "FAILED"}
    return status | {"reason": "AppFailed", "message": message}


@pytest.fixture
def script(cluster, clock):
    """Script the job's status: (seconds after its creation, status)."""

    def plan(*entries: tuple[float, dict]) -> None:
        def begin(made: FakeCluster) -> None:
            for seconds, status in entries:
                clock.after(seconds, lambda status=status: made.set_status("job", **status))

        cluster.on_create["RayJob"] = begin

    return plan


def worker_waits(cluster: FakeCluster, **state: object) -> None:
    container = {"name": "main", "image": "registry.example/nmt:9", "state": {"waiting": state}}
    labels = {"ray.io/cluster": "job-abc"}
    cluster.pod("job-abc-worker-1", labels, phase="Pending", containerStatuses=[container])


def test_a_job_that_succeeds_ends_the_wait_with_0(nmt_k8s, script, capsys):
    script((4, STARTING), (30, RUNNING), (90, SUCCEEDED))
    assert nmt_k8s("submit", "train", "run=demo", *NAME) == 0
    told = capsys.readouterr().err
    assert "waiting" in told
    assert "running" in told
    assert "job succeeded after" in told


@pytest.mark.parametrize("code", [1, 2, 137])
def test_a_job_that_fails_gives_its_own_exit_code(nmt_k8s, script, capsys, code):
    script((4, RUNNING), (30, failed(code)))
    assert nmt_k8s("submit", "train", *NAME) == code
    assert f"the job ended with exit code {code}" in capsys.readouterr().err


def test_the_jobs_log_is_on_standard_output_and_the_progress_is_not(
    nmt_k8s, cluster, script, capsys
):
    script((4, RUNNING), (30, SUCCEEDED))
    cluster.pod("job-xyz", {"batch.kubernetes.io/job-name": "job"})
    cluster.logs["job-xyz"] = ["2026-01-01T00:00:01Z step 1"]
    assert nmt_k8s("submit", "train", *NAME) == 0
    written = capsys.readouterr()
    assert written.out == "step 1\n"
    assert "succeeded" in written.err


def test_a_missing_image_ends_the_wait_with_exit_code_3(nmt_k8s, cluster, script, clock, capsys):
    script((2, STARTING))
    worker_waits(cluster, reason="ErrImagePull", message="registry.example/nmt:9: not found")
    begun = clock.now()
    assert nmt_k8s("submit", "train", *NAME) == 3
    assert 60 <= clock.now() - begun < 70
    told = capsys.readouterr().err
    assert "image registry.example/nmt:9 cannot be pulled" in told
    assert "The RayJob was deleted" in told
    assert cluster.names(RAY_JOB) == []


def test_a_malformed_image_name_ends_the_wait_at_once(nmt_k8s, cluster, script, clock):
    script((2, STARTING))
    worker_waits(cluster, reason="InvalidImageName")
    begun = clock.now()
    assert nmt_k8s("submit", "train", *NAME) == 3
    assert clock.now() - begun < 10


def test_pods_without_a_node_are_waited_for_until_the_pending_timeout(
    nmt_k8s, cluster, script, clock, capsys
):
    script((2, STARTING))
    message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    condition = {"type": "PodScheduled", "reason": "Unschedulable", "message": message}
    labels = {"ray.io/cluster": "job-abc"}
    cluster.pod("job-abc-worker-1", labels, phase="Pending", conditions=[condition])
    begun = clock.now()
    assert nmt_k8s("submit", "train", *NAME, "--pending-timeout", "120") == 3
    assert 120 <= clock.now() - begun < 130
    told = capsys.readouterr().err
    assert "did not start within 120 s" in told
    assert "Insufficient nvidia.com/gpu" in told
    assert cluster.names(RAY_JOB) == []


def test_a_job_in_a_queue_may_wait_longer_than_its_pods(nmt_k8s, script):
    script((2, {"jobDeploymentStatus": "Suspended"}), (900, RUNNING), (950, SUCCEEDED))
    words = ("--queue", "nights", "--pending-timeout", "60")
    assert nmt_k8s("submit", "train", *NAME, *words) == 0


def test_a_job_that_has_run_is_not_given_up_while_its_head_is_replaced(nmt_k8s, cluster, script):
    again = {"jobDeploymentStatus": "Running", "jobStatus": "PENDING"}
    script((2, STARTING), (10, RUNNING), (20, again), (2000, RUNNING), (2100, SUCCEEDED))
    cluster.pod("job-abc-head", {"ray.io/cluster": "job-abc"}, phase="Pending")
    assert nmt_k8s("submit", "train", *NAME, "--pending-timeout", "60") == 0


@pytest.mark.parametrize(
    "status",
    [{"jobDeploymentStatus": "Complete", "jobStatus": "STOPPED"},
     {"jobDeploymentStatus": "Suspended"}],
    ids=["stopped-in-ray", "suspended"],
)  # fmt: skip
def test_a_job_that_somebody_else_stops_ends_the_wait_with_4(nmt_k8s, script, status):
    script((4, RUNNING), (20, status))
    assert nmt_k8s("submit", "train", *NAME) == 4


def test_a_job_that_somebody_else_deletes_ends_the_wait_with_4(
    nmt_k8s, cluster, script, clock, capsys
):
    script((4, RUNNING))
    clock.after(20, lambda: cluster.delete(RAY_JOB, "job"))
    assert nmt_k8s("submit", "train", *NAME) == 4
    assert "deleted by somebody else" in capsys.readouterr().err


def test_a_later_job_with_the_same_name_is_not_mistaken_for_it(nmt_k8s, cluster, script, clock):
    script((4, RUNNING))
    clock.after(20, lambda: cluster.add(RAY_JOB, "job", spec={}, status=SUCCEEDED))
    assert nmt_k8s("submit", "train", *NAME) == 4


@pytest.fixture
def ctrl_c_reaches_the_process() -> Iterator[None]:
    """Undo what a shell does to its background jobs: they ignore Ctrl-C, and the command too."""
    with restored_handlers([signal.SIGINT]):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield


@pytest.mark.usefixtures("ctrl_c_reaches_the_process")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_detaches_and_the_job_keeps_running(
    nmt_k8s, cluster, script, clock, capsys, number, code
):
    script((4, RUNNING))
    clock.after(20, lambda: signal.raise_signal(number))
    assert nmt_k8s("submit", "train", *NAME) == code
    assert "nmt-k8s logs job --follow -n team" in capsys.readouterr().err
    assert cluster.names(RAY_JOB) == ["job"]


def test_a_short_outage_of_the_cluster_does_not_end_the_wait(
    nmt_k8s, cluster, script, clock, capsys
):
    script((4, RUNNING), (300, SUCCEEDED))
    clock.after(20, lambda: cluster.fails.extend([UnreachableError("down")] * 60))
    assert nmt_k8s("submit", "train", *NAME) == 0
    assert "has not answered" in capsys.readouterr().err


def test_a_long_outage_of_the_cluster_ends_the_wait_with_3_and_a_resume_hint(
    nmt_k8s, cluster, script, clock, capsys
):
    script((4, RUNNING))
    clock.after(20, lambda: cluster.fails.extend([UnreachableError("down")] * 10_000))
    assert nmt_k8s("submit", "train", *NAME) == 3
    assert "nmt-k8s logs job --follow" in capsys.readouterr().err


def test_a_refusal_of_the_cluster_ends_the_wait_with_3_and_a_resume_hint(
    nmt_k8s, cluster, script, clock, capsys
):
    script((4, RUNNING))
    clock.after(20, lambda: cluster.fails.extend([ClusterError("you may not")] * 9))
    assert nmt_k8s("submit", "train", *NAME) == 3
    told = capsys.readouterr().err
    assert "you may not" in told
    assert told.count("The job keeps running: nmt-k8s logs job --follow -n team") == 1
    assert cluster.names(RAY_JOB) == ["job"]


@pytest.mark.parametrize(
    "denied",
    [("list", "events"), ("get", "persistentvolumeclaims"), ("list", "pods")],
    ids=["events", "claims", "pods"],
)
def test_a_user_who_may_not_read_events_can_still_follow_a_job(nmt_k8s, cluster, script, denied):
    script((4, STARTING), (30, RUNNING), (60, SUCCEEDED))
    pod = cluster.pod("job-abc-head", {"ray.io/cluster": "job-abc"}, phase="Pending")
    pod["spec"]["volumes"] = [{"persistentVolumeClaim": {"claimName": "demo-storage"}}]
    cluster.denied = {denied}
    assert nmt_k8s("submit", "train", *NAME) == 0


def test_a_job_that_could_not_be_deleted_is_reported_as_running(nmt_k8s, cluster, script, capsys):
    script((2, STARTING))
    worker_waits(cluster, reason="InvalidImageName")
    cluster.denied = {("delete", "rayjobs")}
    assert nmt_k8s("submit", "train", *NAME) == 3
    told = capsys.readouterr().err
    assert "The job keeps running" in told
    assert "The RayJob was deleted" not in told


def test_a_deletion_whose_answer_was_lost_is_reported_as_our_own(
    nmt_k8s, cluster, script, monkeypatch, capsys
):
    script((2, STARTING))
    worker_waits(cluster, reason="InvalidImageName")
    delete = cluster.delete

    def lose_the_answer(kind, name):
        delete(kind, name)
        raise UnreachableError("down")

    monkeypatch.setattr(cluster, "delete", lose_the_answer)
    assert nmt_k8s("submit", "train", *NAME) == 3
    assert "The RayJob was deleted, so that it does not start later" in capsys.readouterr().err


def test_only_warnings_are_read_and_at_most_every_6_seconds(nmt_k8s, cluster, script):
    script((2, STARTING), (62, RUNNING), (64, SUCCEEDED))
    nmt_k8s("submit", "train", *NAME)
    looks = [fields for kind, fields in cluster.selected if kind is EVENT]
    assert set(looks) == {"type=Warning"}
    assert 5 <= len(looks) <= 62 / 6 + 1


def test_a_claim_without_a_volume_is_reported_while_waiting(nmt_k8s, cluster, script, capsys):
    script((2, STARTING), (30, RUNNING), (40, SUCCEEDED))
    pod = cluster.pod("job-abc-head", {"ray.io/cluster": "job-abc"}, phase="Pending")
    pod["spec"]["volumes"] = [{"persistentVolumeClaim": {"claimName": "demo-storage"}}]
    cluster.add(CLAIM, "demo-storage", spec={}, status={"phase": "Pending"})
    cluster.warn(CLAIM, "demo-storage", "no such zone", reason="ProvisioningFailed")
    assert nmt_k8s("submit", "train", *NAME) == 0
    assert "no such zone" in capsys.readouterr().err


def test_the_reason_for_waiting_is_repeated_at_most_every_15_seconds(nmt_k8s, script, capsys):
    script((1, STARTING), (60, RUNNING), (62, SUCCEEDED))
    nmt_k8s("submit", "train", *NAME)
    told = [line for line in capsys.readouterr().err.splitlines() if "waiting" in line]
    assert 4 <= len(told) <= 6


def test_detach_returns_at_once_and_prints_the_resume_hint(nmt_k8s, cluster, capsys):
    assert nmt_k8s("submit", "train", *NAME, "--detach") == 0
    assert capsys.readouterr().out == "nmt-k8s logs job --follow -n team\n"
    assert cluster.names(RAY_JOB) == ["job"]


def test_detach_answers_a_program_with_the_name(nmt_k8s, capsys):
    assert nmt_k8s("submit", "train", *NAME, "--detach", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out) == {"name": "job", "namespace": "team"}


def test_json_output_contains_only_the_end(nmt_k8s, cluster, script, capsys):
    script((4, RUNNING), (30, failed(2)))
    cluster.pod("job-xyz", {"batch.kubernetes.io/job-name": "job"})
    cluster.logs["job-xyz"] = ["2026-01-01T00:00:01Z step 1"]
    assert nmt_k8s("submit", "train", *NAME, "--output", "json") == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["state"], answer["exit_code"]) == ("failed", 2)


def test_a_name_that_is_taken_is_refused(nmt_k8s, cluster, capsys):
    cluster.add(RAY_JOB, "job", spec={})
    assert nmt_k8s("submit", "train", *NAME) == 2
    assert "a RayJob of that name exists" in capsys.readouterr().err


def test_files_and_words_override_the_settings_of_the_release(nmt_k8s, cluster, tmp_path):
    install(cluster, config={"training": {"max_steps": 300, "learning_rate": 1e-4}, "seed": 3})
    settings = tmp_path / "mine.yaml"
    settings.write_text("training:\n  max_steps: 400\nseed: 4\n")
    words = ("--config", str(settings), "seed=5", "--detach")
    assert nmt_k8s("submit", "train", *NAME, *words) == 0
    command = cluster.objects["RayJob", "job"]["spec"]["entrypoint"].split()
    assert {"training.max_steps=400", "training.learning_rate=0.0001", "seed=5"} <= set(command)


def test_a_bad_setting_of_the_release_is_reported_with_its_origin(nmt_k8s, cluster, capsys):
    install(cluster, config={"training": {"max_steps": -1}})
    assert nmt_k8s("submit", "train", *NAME) == 2
    assert "set in the values of release demo" in capsys.readouterr().err


def test_options_and_words_can_be_in_any_order(nmt_k8s, cluster):
    assert nmt_k8s("-n", "team", "submit", "--detach", "run=a", "train", *NAME, "seed=2") == 0
    assert "seed=2" in cluster.objects["RayJob", "job"]["spec"]["entrypoint"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--to", "gone"), "--to gone: namespace 'team' has no such RayCluster"),
        (("train", "--to", "x", "--pods", "2", "--queue", "q"), "leave out --queue and --pods"),
        (("train", "--workers", "tpu"), "no such worker group"),
        (("train", "--image", "no image"), "--image 'no image'"),
        (("train", "--deadline", "0"), "--deadline 0"),
        (("train", "storage=/data/mine"), "would be lost with the Pod"),
        (("train", "storage=~/runs"), "would be lost with the Pod"),
        (("train", "storage=s3://KEY:HUSH@bucket"), "in front of its bucket"),
        (("train", "--to", "x", "--deadline", "0"), "--deadline 0"),
        (("train", "--queue", "two words"), "--queue 'two words'"),
        (("train", "adapter.rang=8"), "Did you mean 'adapter.rank'"),
        (("train", "--working-dir", "/nowhere"), "no such folder"),
        (("trian",), "Did you mean 'train'"),
        ((), "name what to do: prepare, base"),
        (("train", "train"), "'train' is given twice"),
        (("train", "pipeline"), "pipeline cannot be joined"),
        (("train", "translate"), "translate cannot be joined"),
        (("data.path=[x", "train"), "data.path"),
    ],
)
def test_bad_input_is_refused_with_2_and_creates_nothing(nmt_k8s, cluster, capsys, words, message):
    assert nmt_k8s("submit", *words) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "HUSH" not in told
    assert cluster.names(RAY_JOB) == []
    assert cluster.names(POD) == []


def test_a_job_can_be_sent_to_a_running_cluster(nmt_k8s, cluster):
    cluster.add(RAY_CLUSTER, "shared")
    assert nmt_k8s("submit", "train", *NAME, "--to", "shared", "--detach") == 0
    spec = cluster.objects["RayJob", "job"]["spec"]
    assert spec["clusterSelector"] == {"ray.io/cluster": "shared"}


@pytest.mark.parametrize(("most", "code"), [(1, 2), (2, 0)], ids=["too-small", "enough"])
def test_a_job_that_the_releases_cluster_can_never_hold_is_refused(
    nmt_k8s, cluster, capsys, most, code
):
    install(cluster, cluster="demo-cluster")
    groups = [worker_group("cpu", 4) | {"maxReplicas": most}]
    cluster.add(RAY_CLUSTER, "demo-cluster", spec={"workerGroupSpecs": groups})
    words = ("strategy.type=ddp", "scaling.workers=6", "--to", "demo-cluster", "--detach")
    assert nmt_k8s("submit", "train", *NAME, *words) == code
    assert ("scaling.workers=6" in capsys.readouterr().err) is (code == 2)


def test_several_steps_are_one_job_in_the_order_of_a_run(nmt_k8s, cluster, capsys):
    assert nmt_k8s("submit", "base", "prepare", *NAME, "run=a", "--detach") == 0
    job = cluster.objects["RayJob", "job"]
    assert "prepare,base" in job["spec"]["entrypoint"].split()
    assert "prepare base of run 'a'" in capsys.readouterr().err


def test_the_workers_of_several_steps_are_those_of_the_largest(nmt_k8s, cluster):
    words = ("strategy.type=ddp", "scaling.workers=6", "--detach")
    assert nmt_k8s("submit", "export", "prepare", "train", *NAME, *words) == 0
    [group] = cluster.objects["RayJob", "job"]["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert group["replicas"] == 2


def test_a_job_that_its_deadline_ended_says_so_and_gives_1(nmt_k8s, script, capsys):
    script((4, RUNNING), (30, failed(124)))
    assert nmt_k8s("submit", "train", *NAME) == 1
    assert "longer than --deadline allows" in capsys.readouterr().err


def test_a_lost_head_is_told_as_such(nmt_k8s, script, capsys):
    again = {"jobDeploymentStatus": "Running", "jobStatus": "PENDING"}
    script((2, STARTING), (10, RUNNING), (20, again), (40, RUNNING), (60, SUCCEEDED))
    assert nmt_k8s("submit", "train", *NAME) == 0
    told = capsys.readouterr().err
    assert "the head Pod was lost" in told
    assert "being submitted" not in told
