"""From a release and a request to the objects that run a job. Pure: no clock, no chance, no I/O."""

import base64
from copy import deepcopy
from dataclasses import dataclass
from urllib.parse import quote

from k8s.api.cluster import RAY_JOB, Plain
from k8s.objects.code_archive import Bundle
from k8s.objects.names import COMPONENT, LABEL_RUN, LABEL_STEP, QUEUE
from k8s.objects.pod_templates import CODE_FOLDER, with_code, with_image, with_labels, with_priority
from k8s.objects.release import Release
from nmt.config import Config

STEPS = ("prepare", "base", "tune", "train", "evaluate", "export", "pipeline")
_SAFE = "/:=,.+@-_"
_ENDING_SECONDS = 120
_STORAGE_JOB_SECONDS = 300
_STORAGE_JOB_KEPT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Request:
    """A job that is asked for, every default filled in."""

    name: str
    step: str
    config: Config
    group: str
    """Worker group."""
    pods: int
    retries: int
    deadline_seconds: int
    pending_seconds: int
    restart: bool = False
    queue: str = ""
    image: str = ""
    """Instead of the release's."""
    to: str = ""
    """Running RayCluster that takes the job; empty: one of its own."""
    code: Bundle | None = None


def entrypoint(request: Request) -> str:
    """The command that the head Pod runs.

    KubeRay pastes it into a shell and Ray quotes it once more, each in its own way, so no word
    may hold a character that means something to either: they are percent-encoded.
    """
    words = [quote(word, safe=_SAFE) for word in request.config.given_words()]
    options = ["--name", request.name, "--retries", str(request.retries)]
    # On a running cluster KubeRay's deadline ends the wait for the job, and not the job.
    options += ["--deadline", str(request.deadline_seconds)] if request.to else []
    options += ["--restart"] if request.restart else []
    return " ".join(["python", "-m", "ray_jobs.supervise", *options, request.step, *words])


def ray_job(release: Release, request: Request) -> Plain:
    """The RayJob."""
    spec = {
        "submissionMode": "K8sJobMode",
        "entrypoint": entrypoint(request),
        "activeDeadlineSeconds": _active_deadline(request),
        "preRunningDeadlineSeconds": request.pending_seconds,
        # The submitter ends well when the *job* failed, so these attempts are spent on a lost
        # head or submitter alone: the same cluster gets the job again, from its checkpoint on.
        "submitterConfig": {"backoffLimit": request.retries},
        "submitterPodTemplate": _submitter(release, request),
    }
    spec |= _on_running_cluster(request) if request.to else _with_cluster(release, request)
    queue = {QUEUE: request.queue} if request.queue else {}
    return {
        "apiVersion": RAY_JOB.api_version,
        "kind": RAY_JOB.name,
        "metadata": {
            "name": request.name,
            "namespace": release.namespace,
            "labels": release.labels | {COMPONENT: "job"} | _job_labels(request) | queue,
        },
        "spec": spec,
    }


def _active_deadline(request: Request) -> int:
    """KubeRay's deadline; where the job keeps its own, it must have ended by then."""
    if not request.to:
        return request.deadline_seconds
    return request.pending_seconds + request.deadline_seconds + _ENDING_SECONDS


def code_map(release: Release, code: Bundle) -> Plain:
    """The ConfigMap with the code; its name follows from its content, so that jobs share it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": code_map_name(code),
            "namespace": release.namespace,
            "labels": release.labels | {COMPONENT: "job"},
        },
        "immutable": True,
        "binaryData": {"code.zip": base64.b64encode(code.content).decode()},
    }


def code_map_name(code: Bundle) -> str:
    """Name of the ConfigMap with the code."""
    return f"nmt-code-{code.digest}"


def owned_by(config_map: Plain, job: Plain) -> Plain:
    """Patch that lets a RayJob own a ConfigMap: it is collected with the last of its owners."""
    owners = config_map["metadata"].get("ownerReferences", [])
    owner = {
        "apiVersion": RAY_JOB.api_version,
        "kind": RAY_JOB.name,
        "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"],
    }
    # The version makes the cluster refuse the patch when another job has joined meanwhile.
    version = config_map["metadata"]["resourceVersion"]
    return {"metadata": {"ownerReferences": [*owners, owner], "resourceVersion": version}}


def storage_job(release: Release, name: str, arguments: list[str]) -> Plain:
    """A Job that runs `nmt-k8s` beside the storage root."""
    template = deepcopy(release.storage_pod)
    template["spec"]["restartPolicy"] = "Never"
    template["spec"]["containers"][0]["args"] = arguments
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": release.namespace,
            "labels": release.labels | {COMPONENT: "storage"},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": _STORAGE_JOB_SECONDS,
            "ttlSecondsAfterFinished": _STORAGE_JOB_KEPT_SECONDS,
            "template": template,
        },
    }


def _job_labels(request: Request) -> dict[str, str]:
    return {LABEL_RUN: request.config.run, LABEL_STEP: request.step}


def _submitter(release: Release, request: Request) -> Plain:
    template = _fitted(release, request, release.submitter)
    if request.code and request.to:
        return with_code(template, code_map_name(request.code))
    return template


def _on_running_cluster(request: Request) -> Plain:
    spec: Plain = {"clusterSelector": {"ray.io/cluster": request.to}}
    if request.code:
        spec["runtimeEnvYAML"] = f"working_dir: {CODE_FOLDER}\n"
    return spec


def _with_cluster(release: Release, request: Request) -> Plain:
    cluster = deepcopy(release.ray_cluster)
    head = cluster["headGroupSpec"]
    head["template"] = _node(release, request, head["template"])
    cluster["workerGroupSpecs"] = [_workers(release, request)] if request.pods else []
    return {
        "rayClusterSpec": cluster,
        # KubeRay's own attempts would also repeat a job that ended on bad input.
        "backoffLimit": 0,
        "shutdownAfterJobFinishes": True,
        "ttlSecondsAfterFinished": release.jobs.keep_seconds,
    }


def _workers(release: Release, request: Request) -> Plain:
    group = deepcopy(release.worker_groups[request.group])
    group["template"] = _node(release, request, group["template"])
    return group | dict.fromkeys(("replicas", "minReplicas", "maxReplicas"), request.pods)


def _node(release: Release, request: Request, template: Plain) -> Plain:
    fitted = _fitted(release, request, template)
    return with_code(fitted, code_map_name(request.code)) if request.code else fitted


def _fitted(release: Release, request: Request, template: Plain) -> Plain:
    priority = release.priority_classes.get("tune" if request.step == "tune" else "train", "")
    labelled = with_labels(template, _job_labels(request))
    return with_image(with_priority(labelled, priority), release.images.ray, request.image)
