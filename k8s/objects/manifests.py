"""Manifests of the objects that run a job, built from a release and a submission.

Pure: no clock, no random numbers, no I/O.
"""

import base64
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from urllib.parse import quote

from k8s.api.cluster import BATCH_JOB, CONFIG_MAP, RAY_JOB, JsonObject
from k8s.objects.code_archive import CodeArchive
from k8s.objects.names import COMPONENT, LABEL_RAY_CLUSTER, LABEL_RUN, LABEL_STEP, QUEUE, step_label
from k8s.objects.pod_templates import (
    CODE_FOLDER,
    with_code,
    with_command,
    with_image,
    with_labels,
    with_priority,
)
from k8s.objects.release import Release
from nmt.cli.translation import TRANSLATE, TranslationOptions
from nmt.config import Config, LoadedConfig
from nmt.runs.steps import CAMPAIGN, PIPELINE, STEPS, TRAIN

_SAFE = "/:=,.+@-_"
# The job keeps its own deadline within 10 seconds; KubeRay's ends what that cannot reach.
_ENDING_SECONDS = 60
_WAIT_MARGIN_SECONDS = 60
_STORAGE_JOB_SECONDS = 300
_STORAGE_JOB_TTL_SECONDS = 120


def submittable_steps() -> tuple[str, ...]:
    """Return what a job can be submitted for: each step, a translation, or all steps."""
    return (*STEPS, TRANSLATE, PIPELINE, CAMPAIGN)


@dataclass(frozen=True, slots=True)
class Submission:
    """A job to submit, with every default filled in."""

    name: str
    steps: tuple[str, ...]
    """What it does, in this order: steps of a run, or one other command."""
    loaded: LoadedConfig
    """The settings, and those of them that the job is given as words."""
    group: str
    """Worker group of the release."""
    pods: int
    """Worker Pods."""
    retries: int
    deadline_seconds: int
    pending_seconds: int
    restart: bool = False
    queue: str = ""
    image: str = ""
    """Image of the Ray Pods; empty: the release's."""
    to: str = ""
    """Running RayCluster that runs the job; empty: the job gets its own cluster."""
    code: CodeArchive | None = None
    code_map: str = ""
    """Name of the ConfigMap that holds the code of this job alone."""
    translation: TranslationOptions | None = None
    """What to translate; None for a step."""
    submitted_at: int | None = None
    """Seconds since 1970, from which its deadline counts; None: from its own start, as a queue may
    hold it back for any time."""
    verbose: bool = False
    """Whether its log keeps what Ray says about itself."""

    @property
    def config(self) -> Config:
        """Return the settings of the job."""
        return self.loaded.config

    @property
    def step(self) -> str:
        """Return what it does, in words."""
        return " ".join(self.steps)


def priority_class(release: Release, steps: Sequence[str]) -> str:
    """Return the PriorityClass of a job that does these steps; empty if the release has none."""
    kinds = {STEPS.get(step, TRAIN).priority for step in steps}
    return release.priority_classes.get("train" if "train" in kinds else "tune", "")


def entrypoint(submission: Submission) -> str:
    """Return the command that the head Pod runs."""
    # KubeRay pastes the command into a shell and Ray quotes it again, each in its own way.
    # Percent-encoding keeps every character that means something to either of them out.
    words = [quote(word, safe=_SAFE) for word in submission.loaded.words()]
    if submission.translation:
        # Dashes too, so that `supervise` does not take the options of the job for its own.
        own = [quote(word, safe=_SAFE) for word in submission.translation.words()]
        words = [*(word.replace("-", "%2D") for word in own), *words]
    options = ["--name", submission.name, "--retries", str(submission.retries)]
    # KubeRay's own deadline does not end the job: it deletes the cluster, and only after
    # `keepSeconds`, or never if the cluster is not the job's own.
    options += ["--deadline", str(submission.deadline_seconds)]
    if submission.submitted_at is not None:
        wait = submission.pending_seconds + _WAIT_MARGIN_SECONDS
        options += ["--submitted-at", str(submission.submitted_at), "--longest-wait", str(wait)]
    options += ["--restart"] if submission.restart else []
    options += ["--verbose"] if submission.verbose else []
    steps = ",".join(submission.steps)
    return " ".join(["python", "-m", "ray_jobs.supervise", *options, steps, *words])


def ray_job(release: Release, submission: Submission) -> JsonObject:
    """Build the RayJob of a submission."""
    spec = {
        "submissionMode": "K8sJobMode",
        "entrypoint": entrypoint(submission),
        "activeDeadlineSeconds": _active_deadline(submission),
        "preRunningDeadlineSeconds": submission.pending_seconds,
        # The submitter succeeds even when the *job* failed, so these attempts are used only for a
        # lost head or submitter: the same cluster resumes the job from its last checkpoint.
        "submitterConfig": {"backoffLimit": submission.retries},
        "submitterPodTemplate": _submitter_template(release, submission),
    }
    spec |= _on_running_cluster(submission) if submission.to else _with_cluster(release, submission)
    queue = {QUEUE: submission.queue} if submission.queue else {}
    return {
        "apiVersion": RAY_JOB.api_version,
        "kind": RAY_JOB.name,
        "metadata": {
            "name": submission.name,
            "namespace": release.namespace,
            "labels": release.labels | {COMPONENT: "job"} | _job_labels(submission) | queue,
        },
        "spec": spec,
    }


def _active_deadline(submission: Submission) -> int:
    """Return the deadline of KubeRay, which must be later than the job's own."""
    # Where the job counts from its own start, KubeRay's count is ahead by the wait for its Pods.
    wait = submission.pending_seconds if submission.submitted_at is None else 0
    return wait + submission.deadline_seconds + _ENDING_SECONDS


def code_map(release: Release, submission: Submission, code: CodeArchive) -> JsonObject:
    """Build the ConfigMap that holds the code of a job."""
    return {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.name,
        "metadata": {
            "name": submission.code_map,
            "namespace": release.namespace,
            "labels": release.labels | {COMPONENT: "job"},
        },
        "immutable": True,
        "binaryData": {"code.zip": base64.b64encode(code.content).decode()},
    }


def code_map_name(code: CodeArchive, suffix: str) -> str:
    """Return the name of a job's ConfigMap with code; the admission policy knows its prefix."""
    # A name by the content alone would be shared by jobs: whoever creates it first, with whatever
    # content, would choose the code of all others, and nobody could tell when to delete it.
    return f"nmt-code-{code.digest}-{suffix}"


def owned_by(config_map: JsonObject, job: JsonObject) -> JsonObject:
    """Add the RayJob that owns an object, which the garbage collector deletes together with it."""
    owner = {
        "apiVersion": RAY_JOB.api_version,
        "kind": RAY_JOB.name,
        "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"],
    }
    return config_map | {"metadata": config_map["metadata"] | {"ownerReferences": [owner]}}


def storage_job(release: Release, name: str, arguments: list[str]) -> JsonObject:
    """Build the Job that runs `nmt-k8s` in a Pod with access to the storage root."""
    template = deepcopy(release.storage_pod)
    template["spec"]["restartPolicy"] = "Never"
    template["spec"]["containers"][0]["args"] = arguments
    return {
        "apiVersion": BATCH_JOB.api_version,
        "kind": BATCH_JOB.name,
        "metadata": {
            "name": name,
            "namespace": release.namespace,
            "labels": release.labels | {COMPONENT: "storage"},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": _STORAGE_JOB_SECONDS,
            "ttlSecondsAfterFinished": _STORAGE_JOB_TTL_SECONDS,
            "template": template,
        },
    }


def _job_labels(submission: Submission) -> dict[str, str]:
    return {LABEL_RUN: submission.config.run, LABEL_STEP: step_label(submission.steps)}


def _submitter_template(release: Release, submission: Submission) -> JsonObject:
    template = _job_pod_template(release, submission, release.submitter)
    if submission.code and submission.to:
        # Only Ray's own command sends the code to the cluster.
        return with_code(template, submission.code_map)
    # A new Pod may replace this one as long as KubeRay waits for the job.
    seconds = _active_deadline(submission) + _ENDING_SECONDS
    words = ["-m", "ray_jobs.submitter", "--give-up-after", str(seconds), entrypoint(submission)]
    return with_command(template, ["python"], words)


def _on_running_cluster(submission: Submission) -> JsonObject:
    spec: JsonObject = {"clusterSelector": {LABEL_RAY_CLUSTER: submission.to}}
    if submission.code:
        spec["runtimeEnvYAML"] = f"working_dir: {CODE_FOLDER}\n"
    return spec


def _with_cluster(release: Release, submission: Submission) -> JsonObject:
    cluster = deepcopy(release.ray_cluster)
    head = cluster["headGroupSpec"]
    head["template"] = _ray_pod_template(release, submission, head["template"])
    cluster["workerGroupSpecs"] = [_worker_group(release, submission)] if submission.pods else []
    return {
        "rayClusterSpec": cluster,
        # KubeRay would also retry a job that failed because of bad input.
        "backoffLimit": 0,
        "shutdownAfterJobFinishes": True,
        "ttlSecondsAfterFinished": release.jobs.keep_seconds,
    }


def _worker_group(release: Release, submission: Submission) -> JsonObject:
    group = deepcopy(release.worker_groups[submission.group])
    group["template"] = _ray_pod_template(release, submission, group["template"])
    return group | dict.fromkeys(("replicas", "minReplicas", "maxReplicas"), submission.pods)


def _ray_pod_template(release: Release, submission: Submission, template: JsonObject) -> JsonObject:
    fitted = _job_pod_template(release, submission, template)
    return with_code(fitted, submission.code_map) if submission.code else fitted


def _job_pod_template(release: Release, submission: Submission, template: JsonObject) -> JsonObject:
    priority = priority_class(release, submission.steps)
    labelled = with_labels(template, _job_labels(submission))
    return with_image(with_priority(labelled, priority), release.images.ray, submission.image)
