"""Lookup of releases, jobs and their Pods in a namespace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from k8s.api.cluster import (
    CLAIM,
    CONFIG_MAP,
    EVENT,
    POD,
    RAY_CLUSTER,
    RAY_JOB,
    Cluster,
    JsonObject,
)
from k8s.objects.names import COMPONENT, INSTANCE, LABEL_RAY_CLUSTER, LABEL_RUN, LABEL_STEP
from k8s.objects.release import Release
from k8s.observe.job_status import read_job_status
from nmt.errors import ClusterError, InputError, UnreachableError, did_you_mean

_SUBMITTER = "ray-job-submitter"
# KubeRay names the submitter's batch Job as the RayJob.
_SUBMITTER_OF = "batch.kubernetes.io/job-name"


@dataclass(frozen=True, slots=True)
class Target:
    """A release on a cluster."""

    cluster: Cluster
    release: Release


def find_release(cluster: Cluster, name: str | None) -> Release:
    """Find the release of a name, or the only one of the namespace.

    Raises:
        InputError: there is no such release, or several.
    """
    config_maps = cluster.select(CONFIG_MAP, f"{COMPONENT}=release")
    found = {entry["metadata"]["name"].removesuffix("-release"): entry for entry in config_maps}
    names = sorted(found)
    if not found:
        raise InputError(
            f"namespace '{cluster.namespace}' has no release of the chart: install one with "
            f"`helm install NAME helm/nmt -n {cluster.namespace}`, or name its namespace with -n"
        )
    if name is None and len(found) > 1:
        raise InputError(f"several releases: choose one with --release: {', '.join(names)}")
    # With `nameOverride` the objects have another name than the Helm release: accept both.
    chosen = [
        entry
        for key, entry in found.items()
        if name in (None, key, entry["metadata"]["labels"].get(INSTANCE))
    ]
    if not chosen:
        raise InputError(
            f"--release {name}: namespace '{cluster.namespace}' has {', '.join(names)}."
            + did_you_mean(str(name), names)
        )
    # Only the chosen one is parsed: another version of the chart may have written the others.
    return Release.parse(chosen[0].get("data"), f"ConfigMap {chosen[0]['metadata']['name']}")


def read_release(cluster: Cluster, name: str) -> Release:
    """Read the release of a name, without the right to list others.

    Raises:
        InputError: there is none, or another version of the chart wrote it.
    """
    config_map = f"{name}-release"
    found = cluster.get(CONFIG_MAP, config_map)
    if found is None:
        raise InputError(
            f"namespace '{cluster.namespace}' has no ConfigMap {config_map}: release '{name}' is "
            "not installed there"
        )
    return Release.parse(found.get("data"), f"ConfigMap {config_map}")


def jobs_of(target: Target) -> list[JsonObject]:
    """List the RayJobs of a release, latest first."""
    found = target.cluster.select(RAY_JOB, selector(target.release, "job"))
    return sorted(found, key=lambda job: job["metadata"]["creationTimestamp"], reverse=True)


def release_pods(cluster: Cluster, release: Release) -> list[JsonObject]:
    """List the Pods of a release, those of its jobs and of its endpoint alike."""
    return cluster.select(POD, f"{INSTANCE}={release.labels.get(INSTANCE, release.name)}")


def without_leftovers(target: Target, pods: Sequence[JsonObject]) -> list[JsonObject]:
    """Leave out the submitter Pods of jobs that have ended.

    Such a Pod may wait for the Secret of a cluster that is gone: it does no harm, and is deleted
    with its job.
    """
    jobs = unless_forbidden(lambda: jobs_of(target))
    ended = set(names_of([job for job in jobs if read_job_status(job).exit_code is not None]))
    return [pod for pod in pods if submitted_job(pod) not in ended]


def submitted_job(pod: JsonObject) -> str:
    """Return the name of the RayJob whose submitter a Pod is, or an empty text."""
    return pod["metadata"].get("labels", {}).get(_SUBMITTER_OF, "")


def selector(release: Release, component: str) -> str:
    """Build the label selector of a release's objects of one component."""
    instance = release.labels.get(INSTANCE)
    return f"{COMPONENT}={component}" + (f",{INSTANCE}={instance}" if instance else "")


def find_job(target: Target, name: str) -> JsonObject:
    """Find a RayJob by its name.

    Raises:
        InputError: there is no job of that name.
    """
    job = target.cluster.get(RAY_JOB, name)
    if job is None:
        names = names_of(jobs_of(target))
        raise InputError(
            f"there is no job '{name}' in namespace '{target.cluster.namespace}'."
            + did_you_mean(name, names)
            + (f" Jobs there: {', '.join(names[:8])}." if names else "")
        )
    return job


def find_ray_cluster(cluster: Cluster, name: str) -> JsonObject:
    """Find a running RayCluster by its name.

    Raises:
        InputError: there is no RayCluster of that name.
    """
    found = cluster.get(RAY_CLUSTER, name)
    if found is None:
        names = sorted(names_of(cluster.select(RAY_CLUSTER)))
        existing = f"it has {', '.join(names)}" if names else "set cluster.enabled=true for one"
        raise InputError(
            f"--to {name}: namespace '{cluster.namespace}' has no such RayCluster; {existing}"
        )
    return found


def run_of(job: JsonObject) -> str:
    """Return the name of the run that a job works on."""
    return job["metadata"].get("labels", {}).get(LABEL_RUN, "")


def step_of(job: JsonObject) -> str:
    """Return the step that a job runs, or its steps separated by spaces."""
    return job["metadata"].get("labels", {}).get(LABEL_STEP, "").replace(".", " ")


def cluster_of(job: JsonObject) -> str:
    """Return the name of the RayCluster that a job runs on, empty before it has one."""
    return job.get("status", {}).get("rayClusterName", "")


def pods_of(cluster: Cluster, job: JsonObject) -> list[JsonObject]:
    """List the submitter Pods of a job and, if the RayCluster is its own, the cluster's Pods."""
    pods = submitters(cluster, job["metadata"]["name"])
    # On a shared cluster, problems of its Pods may belong to other jobs.
    own = "clusterSelector" not in job["spec"]
    if own and cluster_of(job):
        pods += cluster.select(POD, f"{LABEL_RAY_CLUSTER}={cluster_of(job)}")
    return pods


def submitters(cluster: Cluster, name: str) -> list[JsonObject]:
    """List the submitter Pods of a RayJob, oldest first."""
    # Each lost head ends a submitter, and a new one follows.
    found = cluster.select(POD, f"{_SUBMITTER_OF}={name}")
    return sorted(found, key=lambda pod: pod["metadata"]["creationTimestamp"])


def warnings_of(cluster: Cluster, names: Sequence[str], ray_cluster: str = "") -> list[JsonObject]:
    """List the warnings about objects of these names, and about a RayCluster and its Pods.

    Returns an empty list if this user may not read events.
    """
    return [
        event
        for event in unless_forbidden(lambda: cluster.select(EVENT, fields="type=Warning"))
        if _concerns(event.get("involvedObject", {}).get("name", ""), names, ray_cluster)
    ]


def _concerns(about: str, names: Sequence[str], ray_cluster: str) -> bool:
    # A Pod that could not be created is known only by the prefix of its name.
    pod = bool(ray_cluster) and about.startswith(f"{ray_cluster}-")
    return about in names or pod or (bool(ray_cluster) and about == ray_cluster)


def unless_forbidden(read: Callable[[], list[JsonObject]]) -> list[JsonObject]:
    """Return the result of `read`, or an empty list if access is forbidden."""
    try:
        return read()
    # A subclass of ClusterError, but it says nothing about rights: the caller may try again.
    except UnreachableError:
        raise
    except ClusterError:
        return []


def claims_of(cluster: Cluster, pods: Sequence[JsonObject]) -> list[JsonObject]:
    """List the claims that Pods mount, or nothing if this user may not read claims."""
    names = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in pods
        for volume in pod.get("spec", {}).get("volumes", [])
        if "persistentVolumeClaim" in volume
    }

    def read() -> list[JsonObject]:
        found = [cluster.get(CLAIM, name) for name in sorted(names)]
        return [claim for claim in found if claim is not None]

    return unless_forbidden(read)


def names_of(objects: Sequence[JsonObject]) -> list[str]:
    """Return the names of objects."""
    return [entry["metadata"]["name"] for entry in objects]


def submitter_container(pod: JsonObject) -> str:
    """Return the name of the container whose log is the job's."""
    # KubeRay names the container, unless the template of the release gives it another name.
    containers = [container["name"] for container in pod["spec"]["containers"]]
    return _SUBMITTER if _SUBMITTER in containers else containers[0]
