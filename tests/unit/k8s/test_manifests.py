import shlex
from subprocess import list2cmdline
from urllib.parse import unquote

import pytest

from k8s.objects.code_archive import CodeArchive
from k8s.objects.manifests import (
    Submission,
    code_map,
    code_map_name,
    entrypoint,
    owned_by,
    ray_job,
    storage_job,
)
from k8s.objects.names import job_name, job_name_problem
from nmt.config import load_with_user_set
from nmt.errors import ConfigError
from tests.support.k8s.release_fields import IMAGE
from tests.unit.k8s.conftest import make_release

CODE = CodeArchive(b"zip", "0123456789ab")


def submission(step: str = "train", *words: str, **changes: object) -> Submission:
    fields: dict = {
        "name": "demo-train-1",
        "steps": (step,),
        "loaded": load_with_user_set(overrides=words),
        "group": "cpu",
        "pods": 2,
        "retries": 3,
        "deadline_seconds": 3600,
        "pending_seconds": 600,
    }
    return Submission(**{**fields, **changes})


def templates(job: dict) -> list[dict]:
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"] for group in groups]


def test_a_job_has_the_labels_used_to_find_it(release):
    labels = ray_job(release, submission("tune", "run=night.1"))["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "demo"
    assert labels["app.kubernetes.io/component"] == "job"
    assert labels["nmt/run"] == "night.1"
    assert labels["nmt/step"] == "tune"


def test_the_workers_are_a_fixed_number_of_the_group(release):
    [group] = ray_job(release, submission())["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert group["groupName"] == "cpu"
    assert [group[key] for key in ("replicas", "minReplicas", "maxReplicas")] == [2, 2, 2]


def test_a_step_without_workers_has_no_worker_group(release):
    job = ray_job(release, submission("prepare", pods=0))
    assert job["spec"]["rayClusterSpec"]["workerGroupSpecs"] == []


def test_a_lost_head_is_retried_and_a_failed_job_is_not(release):
    spec = ray_job(release, submission(retries=2))["spec"]
    assert spec["submitterConfig"] == {"backoffLimit": 2}
    assert spec["backoffLimit"] == 0


def test_time_limits_are_those_asked_for(release):
    spec = ray_job(release, submission())["spec"]
    assert spec["preRunningDeadlineSeconds"] == 600
    assert "--deadline 3600" in spec["entrypoint"]


@pytest.mark.parametrize("to", ["", "shared"], ids=["own-cluster", "running-cluster"])
def test_a_job_ends_at_its_deadline_by_itself_before_kuberay_gives_it_up(release, to):
    spec = ray_job(release, submission(to=to, submitted_at=1_000_000))["spec"]
    assert "--deadline 3600 --submitted-at 1000000" in spec["entrypoint"]
    assert 10 < spec["activeDeadlineSeconds"] - 3600 <= 60


def test_a_queue_does_not_use_up_the_deadline(release):
    spec = ray_job(release, submission(queue="nights"))["spec"]
    assert "--submitted-at" not in spec["entrypoint"]
    # KubeRay counts from the admission: the wait for the Pods and the work come after it.
    assert spec["activeDeadlineSeconds"] > 600 + 3600


def test_the_submitter_is_our_own_and_outlasts_kuberays_deadline(release):
    spec = ray_job(release, submission("train", "run=a", submitted_at=1_000_000))["spec"]
    [container] = spec["submitterPodTemplate"]["spec"]["containers"]
    assert container["command"] == ["python"]
    *words, command = container["args"]
    assert words[:2] == ["-m", "ray_jobs.submitter"]
    assert command == spec["entrypoint"]
    assert float(words[-1]) > spec["activeDeadlineSeconds"]


def test_several_steps_are_one_job(release):
    joined = submission(steps=("prepare", "base"), name="demo-prepare-base-1")
    job = ray_job(release, joined)
    assert job["metadata"]["labels"]["nmt/step"] == "prepare.base"
    assert "prepare,base" in job["spec"]["entrypoint"].split()


def test_several_steps_have_the_priority_of_a_training_unless_all_are_searches(release):
    job = ray_job(release, submission(steps=("tune", "train")))
    assert templates(job)[0]["spec"]["priorityClassName"] == "team-train"


def test_the_name_of_a_job_of_several_steps_has_the_first_and_the_last():
    steps = ("prepare", "base", "tune", "train", "export", "evaluate")
    name = job_name("a-run-with-a-rather-long-name", steps, "abc123")
    assert name.endswith("-prepare-evaluate-abc123")
    assert job_name_problem(name) is None


def test_verbose_reaches_the_job():
    assert "--verbose" in entrypoint(submission(verbose=True)).split()
    assert "--verbose" not in entrypoint(submission()).split()


def test_the_cluster_is_deleted_when_the_job_has_ended(release):
    spec = ray_job(release, submission())["spec"]
    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["ttlSecondsAfterFinished"] == 60


def test_suspend_is_left_to_kueue(release):
    job = ray_job(release, submission(queue="nights"))
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "nights"
    assert "suspend" not in job["spec"]


def test_without_a_queue_there_is_no_queue_label(release):
    assert "kueue.x-k8s.io/queue-name" not in ray_job(release, submission())["metadata"]["labels"]


@pytest.mark.parametrize(
    ("step", "priority"), [("tune", "team-tune"), ("train", "team-train"), ("base", "team-train")]
)
def test_a_search_has_a_lower_priority_than_training(release, step, priority):
    job = ray_job(release, submission(step))
    every = [*templates(job), job["spec"]["submitterPodTemplate"]]
    assert {template["spec"]["priorityClassName"] for template in every} == {priority}


def test_without_priority_classes_a_job_names_none():
    job = ray_job(make_release(priorityClasses={}), submission())
    assert "priorityClassName" not in templates(job)[0]["spec"]


def test_an_image_replaces_the_releases_in_every_pod(release):
    job = ray_job(release, submission(image="registry.example/mine:2"))
    every = [*templates(job), job["spec"]["submitterPodTemplate"]]
    images = {template["spec"]["containers"][0]["image"] for template in every}
    assert images == {"registry.example/mine:2"}


def test_the_release_is_not_changed(release):
    before = release.model_copy(deep=True)
    ray_job(release, submission(image="registry.example/mine:2", code=CODE))
    assert release == before


def test_a_job_on_a_running_cluster_does_not_change_the_cluster(release):
    spec = ray_job(release, submission(to="shared", pods=0))["spec"]
    assert spec["clusterSelector"] == {"ray.io/cluster": "shared"}
    refused = {"rayClusterSpec", "backoffLimit", "shutdownAfterJobFinishes", "suspend"}
    assert not refused & spec.keys()
    assert "ttlSecondsAfterFinished" not in spec


def test_code_is_found_before_the_images_in_head_and_workers(release):
    for template in templates(ray_job(release, submission(code=CODE, code_map="nmt-code-1"))):
        spec = template["spec"]
        main, [unpack] = spec["containers"][0], spec["initContainers"]
        assert {"name": "PYTHONPATH", "value": "/code"} in main["env"]
        assert main["workingDir"] == "/code"
        assert unpack["image"] == IMAGE
        assert unpack["securityContext"] == main["securityContext"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert volumes["code-zip"]["configMap"]["name"] == "nmt-code-1"


def test_unpacking_code_takes_no_gpu(release):
    job = ray_job(release, submission(group="gpu", code=CODE))
    [unpack] = templates(job)[1]["spec"]["initContainers"]
    assert unpack["resources"]["limits"] == {"memory": "16Gi", "ephemeral-storage": "20Gi"}


def test_code_for_a_running_cluster_is_sent_by_the_submitter(release):
    spec = ray_job(release, submission(to="shared", pods=0, code=CODE))["spec"]
    assert spec["runtimeEnvYAML"] == "working_dir: /code\n"
    assert "command" not in spec["submitterPodTemplate"]["spec"]["containers"][0]
    assert spec["submitterPodTemplate"]["spec"]["initContainers"][0]["name"] == "code"


def test_code_is_deleted_with_its_job(release):
    code = code_map(release, submission(code=CODE, code_map="nmt-code-1"), CODE)
    job = {"metadata": {"name": "demo-train-1", "uid": "b"}}
    [owner] = owned_by(code, job)["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("RayJob", "demo-train-1", "b")


def test_jobs_do_not_share_their_code():
    assert code_map_name(CODE, "a1") != code_map_name(CODE, "b2")


def test_a_storage_job_runs_once_and_is_deleted_afterwards(release):
    job = storage_job(release, "demo-storage-1", ["traffic", "--storage", "/storage/runs"])
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["ttlSecondsAfterFinished"] == 120
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["traffic", "--storage", "/storage/runs"]


def test_a_name_of_run_step_and_suffix_fits_kuberay():
    assert job_name("night.1", ("train",), "ab12") == "night-1-train-ab12"


@pytest.mark.parametrize("run", ["x" * 63, "7-up", "a.b_c", "9", "en-ta-" + "long-" * 11 + "x"])
def test_every_run_gives_a_job_name_that_kuberay_accepts(run):
    assert job_name_problem(job_name(run, ("evaluate",), "abc123")) is None


HARD = (
    "data.path=my corpus $(date) `id`.csv",
    "model.name_or_path=quo\"te's\\back",
    "run=r1",
    "data.source_column=தமிழ்",
    'tune.space={"adapter.rank":{"type":"choice","values":[4,8]}}',
    "adapter.target_modules=[q_proj,v_proj]",
    "data.max_pairs=null",
)


def words_of(command: str) -> list[str]:
    """Return the settings that the supervisor gets after a shell has split the entry point."""
    words = shlex.split(command)
    return [unquote(word) for word in words[words.index("train") + 1 :]]


def test_the_entry_point_contains_the_settings_as_given():
    loaded = load_with_user_set(overrides=HARD)
    found = load_with_user_set(overrides=words_of(entrypoint(submission("train", *HARD))))
    assert found.config == loaded.config
    assert found.user_set == loaded.user_set


def test_the_entry_point_survives_bash_and_then_ray():
    command = entrypoint(submission("train", *HARD))
    assert list2cmdline(shlex.split(command)) == command


def test_restart_is_before_the_step():
    words = entrypoint(submission("train", "run=a", restart=True)).split()
    assert words[words.index("train") - 1] == "--restart"


def test_a_value_that_cannot_be_written_as_a_word_is_refused():
    loaded = load_with_user_set(base=("a file", {"data": {"path": "[draft].csv"}}))
    with pytest.raises(ConfigError, match=r"data.path: '\[draft\].csv' cannot be passed on"):
        entrypoint(submission(loaded=loaded))
