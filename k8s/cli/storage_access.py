"""Running of a command on the storage root of a release: in this process, or in a Pod."""

import os
from collections.abc import Mapping

from k8s.api.cluster import BATCH_JOB, POD, Cluster, JsonObject
from k8s.cli.output import Clock, Output
from k8s.cli.storage_commands import StorageCommand, run_on_storage
from k8s.objects.manifests import storage_job
from k8s.objects.storage_location import storage_root
from k8s.observe.diagnose import ProblemTimer, diagnose
from k8s.observe.lookup import Target, claims_of, names_of, warnings_of
from nmt.errors import ClusterError, UnavailableError
from nmt.storage import Storage

_POLL_SECONDS = 1.0
_DIAGNOSE_SECONDS = 6.0
START_SECONDS = 240.0  # below the Job's own deadline of 300 s, so that the reason is known here
_KEYS = {"s3": "AWS_ACCESS_KEY_ID", "gs": "GOOGLE_APPLICATION_CREDENTIALS"}


def run_for_release(
    target: Target,
    command: StorageCommand,
    storage: str,
    suffix: str,
    output: Output,
    clock: Clock,
    *,
    dry_run: bool = False,
) -> int:
    """Run a command on the storage root of a release and return its exit code.

    Args:
        target: the release.
        command: the command to run.
        storage: `storage` of the settings, usually relative to the release's root.
        suffix: makes the name of a Job unique.
        output: where its output goes.
        clock: time.
        dry_run: print the Job instead of creating it.

    Raises:
        ClusterError: the Pod cannot run.
        ConfigError: the storage holds credentials.
    """
    release = target.release
    root = storage_root(release, storage)
    reachable = None if dry_run else open_if_reachable(release.storage, root)
    if reachable is not None:
        run_on_storage(reachable, command, output)
        return 0
    arguments = command.arguments(root, output.form)
    job = storage_job(release, f"{release.name[:40]}-storage-{suffix}", arguments)
    if dry_run:
        output.objects([job])
        return 0
    code, lines = run_storage_job(target.cluster, job, clock)
    # A Pod has one log for both streams: it holds the answer, or the message of an error.
    write = output.note if code else output.raw_line
    for line in lines:
        write(line)
    return code


def open_if_reachable(
    release_root: str, root: str, environ: Mapping[str, str] = os.environ
) -> Storage | None:
    """Open the storage root if this process can reach it: a mounted folder, or a bucket."""
    scheme = root.partition("://")[0] if "://" in root else ""
    # Both variables: on a laptop NMT_STORAGE may name a folder with the same path.
    mounted = environ.get("NMT_STORAGE") == release_root and "KUBERNETES_SERVICE_HOST" in environ
    if not scheme:
        return Storage(root) if mounted else None
    if not mounted and not environ.get(_KEYS.get(scheme, "")):
        return None
    try:
        return Storage(root)
    except UnavailableError:  # some buckets can only be reached from Pods
        return None


def run_storage_job(
    cluster: Cluster, job: JsonObject, clock: Clock, start_seconds: float = START_SECONDS
) -> tuple[int, list[str]]:
    """Run a Job of one Pod, delete it, and return its exit code and its log.

    Args:
        cluster: where it runs.
        job: from `storage_job`.
        clock: time.
        start_seconds: how long to wait until its Pod runs.

    Raises:
        ClusterError: the Pod cannot run, or does not start in time.
    """
    name = job["metadata"]["name"]
    if cluster.create(job) is None:
        raise ClusterError(f"a Job '{name}' already exists: try again")
    try:
        pod = _wait_for_start(cluster, name, clock, start_seconds)
        container = pod["spec"]["containers"][0]["name"]
        log = cluster.log(pod["metadata"]["name"], container)
        # Read to its end first: only the exit code says which stream the lines belong to.
        lines = [line.partition(" ")[2] for line in log]
        return _exit_code(cluster, pod["metadata"]["name"], clock), lines
    finally:
        # Also after Ctrl-C, or the next command would find this Pod on the storage root.
        cluster.delete(BATCH_JOB, name)


def _wait_for_start(cluster: Cluster, name: str, clock: Clock, start_seconds: float) -> JsonObject:
    """Wait until the Job's container has started, and return its Pod.

    Raises:
        ClusterError: it cannot start, or takes too long.
    """
    begun, diagnosed_at, problem = clock.now(), -1e9, ProblemTimer()
    while True:
        pods = cluster.select(POD, f"batch.kubernetes.io/job-name={name}")
        running = [pod for pod in pods if pod.get("status", {}).get("phase") not in _NOT_YET]
        if running:
            return running[-1]
        if clock.now() - diagnosed_at >= _DIAGNOSE_SECONDS:
            diagnosed_at = clock.now()
            claims = claims_of(cluster, pods)
            warnings = warnings_of(cluster, [name, *names_of(claims)])
            problem.update(diagnose(pods, warnings, (), claims), diagnosed_at)
        if problem.expired(clock.now()) or clock.now() - begun >= start_seconds:
            reason = problem.problem or f"no Pod has started within {start_seconds:.0f} s"
            raise ClusterError(f"the storage root cannot be reached: {reason}")
        clock.sleep(_POLL_SECONDS)


_NOT_YET = (None, "", "Pending")


def _exit_code(cluster: Cluster, name: str, clock: Clock) -> int:
    """Return the exit code of a Pod's only container."""
    # The log has ended, but the kubelet reports the exit code a little later.
    for _ in range(30):
        pod = cluster.get(POD, name)
        states = (pod or {}).get("status", {}).get("containerStatuses", [])
        ended = states[0].get("state", {}).get("terminated") if states else None
        if ended:
            return int(ended["exitCode"])
        clock.sleep(_POLL_SECONDS)
    raise ClusterError(f"Pod {name} was deleted before it reported its end: run the command again")
