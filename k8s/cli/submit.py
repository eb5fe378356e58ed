"""Makes a job: from a command line to a RayJob on the cluster."""

import re
from dataclasses import dataclass
from pathlib import Path

from k8s.api.cluster import CONFIG_MAP, RAY_JOB, Cluster, Plain
from k8s.cli.output import Clock, Screen
from k8s.cli.wait import Follow
from k8s.objects.code_archive import Bundle, pack
from k8s.objects.manifests import Request, code_map, code_map_name, owned_by, ray_job
from k8s.objects.names import job_name
from k8s.objects.preflight import check
from k8s.objects.release import Release
from k8s.objects.sizing import check_cluster, check_pods, pods_for
from k8s.objects.storage_location import root_of
from k8s.observe.lookup import Target, find_ray_cluster
from nmt.config import Config
from nmt.errors import ConfigError, InputError

_TRIES = 5
_IMAGE = re.compile(r"^[a-z0-9][\w.\-/:@]*$")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says; None and empty: the release decides."""

    step: str
    name: str = ""
    workers: str = ""
    pods: int | None = None
    retries: int | None = None
    deadline: int | None = None
    pending_timeout: int | None = None
    restart: bool = False
    queue: str = ""
    image: str = ""
    to: str = ""
    working_dir: Path | None = None


def submit(
    target: Target,
    request: Request,
    screen: Screen,
    clock: Clock,
    *,
    dry_run: bool = False,
    detach: bool = False,
) -> int:
    """Make the job and wait for its end.

    Raises:
        InputError: KubeRay or the cluster would refuse it.
    """
    check(request)
    job = ray_job(target.release, request)
    if request.to:
        _check_cluster(target, request)
    if dry_run:
        code = [code_map(target.release, request.code)] if request.code else []
        screen.objects([*code, job])
        return 0
    made = _create(target, job, request.code)
    namespace = target.cluster.namespace
    screen.note(
        f"job {request.name} in namespace {namespace}: {request.step} of run "
        f"'{request.config.run}' on {_place(request)}"
    )
    if detach:
        answer = {"name": request.name, "namespace": namespace}
        screen.answer(answer, f"nmt-k8s logs {request.name} --follow -n {namespace}")
        return 0
    return Follow(target.cluster, made, screen, clock, gives_up=True).to_the_end()


def _place(request: Request) -> str:
    if request.to:
        return f"RayCluster {request.to}"
    if not request.pods:
        return "a head Pod alone"
    plural = "s" if request.pods > 1 else ""
    return f"{request.pods} worker Pod{plural} of group '{request.group}'"


def plan(release: Release, asked: Asked, config: Config, suffix: str) -> Request:
    """Fill in what the command line leaves open.

    Args:
        release: where the defaults come from.
        asked: the command line.
        config: the settings.
        suffix: makes the job's name its own.

    Raises:
        InputError: options that exclude each other, or Pods that cannot hold the job.
    """
    _check_to(asked)
    _check_image(asked.image)
    _check_storage(release, config)
    group = asked.workers or release.jobs.workers
    return Request(
        name=asked.name or job_name(config.run, asked.step, suffix),
        step=asked.step,
        config=config,
        group=group,
        pods=0 if asked.to else _pods(release, asked, config, group),
        retries=_given(asked.retries, release.jobs.retries),
        deadline_seconds=_given(asked.deadline, release.jobs.deadline_seconds),
        pending_seconds=_given(asked.pending_timeout, release.jobs.pending_seconds),
        restart=asked.restart,
        queue="" if asked.to else asked.queue or release.jobs.queue,
        image=asked.image,
        to=asked.to,
        code=pack(asked.working_dir) if asked.working_dir else None,
    )


def _given(asked: int | None, default: int) -> int:
    return default if asked is None else asked


def _pods(release: Release, asked: Asked, config: Config, group: str) -> int:
    needed = pods_for(release, config, asked.step, group)
    if asked.pods is None:
        return needed
    check_pods(release, group, asked.pods, needed)
    return asked.pods


def _check_to(asked: Asked) -> None:
    excluded = {
        "--queue": asked.queue,
        "--workers": asked.workers,
        "--pods": asked.pods,
        "--image": asked.image,
    }
    given = [option for option, value in excluded.items() if value not in ("", None)]
    if asked.to and given:
        raise InputError(
            f"--to {asked.to} takes a cluster as it is: leave out {' and '.join(given)}"
        )


def _check_cluster(target: Target, request: Request) -> None:
    """Of another cluster than the release's own it is not known what Ray counts there."""
    found = find_ray_cluster(target.cluster, request.to)
    if request.to == target.release.cluster:
        groups = found["spec"].get("workerGroupSpecs", [])
        check_cluster(groups, request.config, request.step, request.to)


def _check_image(image: str) -> None:
    if image and not _IMAGE.match(image):
        raise InputError(f"--image '{image}' is no image: write registry/name:tag")


def _check_storage(release: Release, config: Config) -> None:
    """Refuse a folder of the Pod itself: it would go with the Pod, and the work with it."""
    place = root_of(release, config.storage)
    folder = "://" not in place
    outside = "://" in release.storage or not Path(place).is_relative_to(release.storage)
    if config.storage.startswith("~") or (folder and outside):
        raise ConfigError(
            f"storage={config.storage} is no place that outlives a Pod: give a relative folder, "
            f"which lies below {release.storage}, or an s3:// or gs:// URL"
        )


def _create(target: Target, job: Plain, code: Bundle | None) -> Plain:
    """The RayJob, after what it mounts; the code then goes when the last of its jobs goes."""
    code_made = code and target.cluster.create(code_map(target.release, code)) is not None
    made = None
    try:
        made = target.cluster.create(job)
    finally:
        if made is None and code and code_made:
            target.cluster.delete(CONFIG_MAP, code_map_name(code))
    if made is None:
        name = job["metadata"]["name"]
        raise InputError(
            f"--name {name}: a RayJob of that name exists; see `nmt-k8s status {name}`, or "
            f"`nmt-k8s cancel {name}` first"
        )
    if code:
        _hold(target.cluster, code_map(target.release, code), made)
    return made


def _hold(cluster: Cluster, code: Plain, job: Plain) -> None:
    """Let the job own its code; another job may join or the last one go at the same time."""
    name = code["metadata"]["name"]
    for _ in range(_TRIES):
        found = cluster.get(CONFIG_MAP, name) or cluster.create(code)
        try:
            if found and cluster.patch(CONFIG_MAP, name, owned_by(found, job)):
                return
        except InputError:
            continue  # changed meanwhile
    cluster.delete(RAY_JOB, job["metadata"]["name"])
    raise InputError(f"ConfigMap {name} with the code changes all the time: submit again")
