"""From what is asked for to a submission, with the release's defaults. Pure."""

import re
from dataclasses import dataclass
from pathlib import Path

from k8s.objects.code_archive import CodeArchive
from k8s.objects.manifests import Submission
from k8s.objects.release import Release
from k8s.objects.sizing import check_pods, pods_for
from k8s.objects.storage_location import refuse_keys, storage_root
from nmt.cli.translation import TranslationOptions
from nmt.config import Config, LoadedConfig
from nmt.errors import ConfigError, InputError

_IMAGE = re.compile(r"^[a-z0-9][\w.\-/:@]*$")


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job that is asked for; None or empty for the release's default."""

    name: str
    steps: tuple[str, ...]
    workers: str = ""
    pods: int | None = None
    retries: int | None = None
    deadline_seconds: int | None = None
    pending_seconds: int | None = None
    restart: bool = False
    queue: str = ""
    image: str = ""
    to: str = ""
    code: CodeArchive | None = None
    code_map: str = ""
    """Name of the ConfigMap for the code."""
    translation: TranslationOptions | None = None
    verbose: bool = False


def build_submission(
    release: Release, request: JobRequest, loaded: LoadedConfig, now: float
) -> Submission:
    """Build a submission from a request, with the release's defaults for the rest.

    Args:
        release: the release that has the defaults.
        request: what is asked for.
        loaded: the settings.
        now: seconds since 1970.

    Raises:
        InputError: parts of the request exclude each other, or the Pods cannot hold the job.
    """
    _check_to(request)
    config = loaded.config
    # A malformed name would end the job only after its Pods exist.
    if request.image and not _IMAGE.match(request.image):
        raise InputError(f"--image '{request.image}' is not an image name: write registry/name:tag")
    _check_storage(release, config)
    if request.translation:
        _check_translation(release, request.translation)
    group = request.workers or release.jobs.workers
    queue = "" if request.to else request.queue or release.jobs.queue
    return Submission(
        name=request.name,
        steps=request.steps,
        loaded=loaded,
        group=group,
        pods=0 if request.to else _pods(release, request, config, group),
        retries=_given(request.retries, release.jobs.retries),
        deadline_seconds=_given(request.deadline_seconds, release.jobs.deadline_seconds),
        pending_seconds=_given(request.pending_seconds, release.jobs.pending_seconds),
        restart=request.restart,
        queue=queue,
        image=request.image,
        to=request.to,
        code=request.code,
        code_map=request.code_map,
        translation=request.translation,
        submitted_at=None if queue else int(now),
        verbose=request.verbose,
    )


def _given(asked: int | None, default: int) -> int:
    return default if asked is None else asked


def _pods(release: Release, request: JobRequest, config: Config, group: str) -> int:
    needed = pods_for(release, config, request.steps, group)
    if request.pods is None:
        return needed
    check_pods(release, group, request.pods, needed)
    return request.pods


def _check_to(request: JobRequest) -> None:
    excluded = {
        "--queue": request.queue,
        "--workers": request.workers,
        "--pods": request.pods,
        "--image": request.image,
    }
    given = [option for option, value in excluded.items() if value not in ("", None)]
    # These describe Pods of a new cluster; ignoring them silently would mislead.
    if request.to and given:
        raise InputError(
            f"--to {request.to} uses a cluster as it is: leave out {' and '.join(given)}"
        )


def _check_storage(release: Release, config: Config) -> None:
    root = storage_root(release, config.storage)
    folder = "://" not in root
    outside = "://" in release.storage or not Path(root).is_relative_to(release.storage)
    # Any other folder is in the Pod itself, and is lost with it.
    if config.storage.startswith("~") or (folder and outside):
        raise ConfigError(
            f"storage={config.storage} would be lost with the Pod: give a relative folder, "
            f"which is under {release.storage}, or an s3:// or gs:// URL"
        )


def _check_translation(release: Release, options: TranslationOptions) -> None:
    if not options.input:
        raise InputError("translate: give --input and --output: a Pod has no standard input")
    for option, place in (("--input", options.input), ("--output", options.output)):
        refuse_keys(place)
        path = Path(place)
        below_root = "://" not in release.storage and path.is_relative_to(release.storage)
        # The files of this machine are not in the Pods.
        if "://" not in place and (
            place.startswith("~") or (path.is_absolute() and not below_root)
        ):
            raise ConfigError(
                f"{option} {place} is not in the Pods: give a relative path, which is below the "
                "storage root, or an s3:// or gs:// URL"
            )
