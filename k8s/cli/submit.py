"""The command `submit`: from options to a RayJob on the cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from k8s.api.cluster import RAY_JOB, JsonObject
from k8s.cli.output import Clock, Output
from k8s.cli.wait import JobWaiter
from k8s.objects.code_archive import pack
from k8s.objects.manifests import (
    Submission,
    code_map,
    code_map_name,
    owned_by,
    ray_job,
    submittable_steps,
)
from k8s.objects.names import job_name
from k8s.objects.preflight import check_submission
from k8s.objects.release import Release
from k8s.objects.sizing import WorkerGroup, check_cluster
from k8s.objects.submission import JobRequest, build_submission
from k8s.observe.lookup import Target, find_ray_cluster
from nmt.cli.translation import TranslationOptions
from nmt.config import LoadedConfig
from nmt.errors import InputError, did_you_mean
from nmt.runs.steps import STEPS


@dataclass(frozen=True, slots=True)
class SubmitOptions:
    """The options of the command; None or empty for the release's default."""

    steps: tuple[str, ...]
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
    translation: TranslationOptions | None = None
    verbose: bool = False


def choose_steps(words: Sequence[str]) -> tuple[str, ...]:
    """Check the words that say what to do, and put the steps of a run into their order.

    Raises:
        InputError: a word is unknown, is there twice, or cannot be joined with others.
    """
    known = submittable_steps()
    for word in words:
        if word not in known:
            hint = did_you_mean(word, known)
            raise InputError(f"'{word}' is not a step: choose one of {', '.join(known)}{hint}")
        if words.count(word) > 1:
            raise InputError(f"submit: '{word}' is given twice: name each step once")
        if len(words) > 1 and word not in STEPS:
            raise InputError(
                f"submit: {word} cannot be joined with other steps: submit it alone, or name some "
                f"of {', '.join(STEPS)}"
            )
    return tuple(step for step in known if step in words)


def submit(
    target: Target,
    submission: Submission,
    output: Output,
    clock: Clock,
    *,
    dry_run: bool = False,
    detach: bool = False,
) -> int:
    """Create the job, wait for its end, and return its exit code.

    Raises:
        InputError: KubeRay or the cluster would refuse the job.
    """
    check_submission(submission)
    job = ray_job(target.release, submission)
    if submission.to:
        _check_cluster(target, submission)
    if dry_run:
        code = submission.code
        maps = [code_map(target.release, submission, code)] if code else []
        output.objects([*maps, job])
        return 0
    made = _create(target, submission, job)
    namespace = target.cluster.namespace
    output.note(
        f"job {submission.name} in namespace {namespace}: {submission.step} of run "
        f"'{submission.config.run}' on {_describe_place(submission)}"
    )
    if detach:
        answer = {"name": submission.name, "namespace": namespace}
        output.answer(answer, f"nmt-k8s logs {submission.name} --follow -n {namespace}")
        return 0
    return JobWaiter(target.cluster, made, output, clock, gives_up=True).wait()


def _describe_place(submission: Submission) -> str:
    if submission.to:
        return f"RayCluster {submission.to}"
    if not submission.pods:
        return "a head Pod alone"
    plural = "s" if submission.pods > 1 else ""
    return f"{submission.pods} worker Pod{plural} of group '{submission.group}'"


def plan_submission(
    release: Release, options: SubmitOptions, loaded: LoadedConfig, suffix: str, now: float
) -> Submission:
    """Build a submission from options, with the release's defaults for the rest.

    Args:
        release: the release that has the defaults.
        options: the options of the command line.
        loaded: the settings.
        suffix: makes the names of the job and of its ConfigMap unique.
        now: seconds since 1970.

    Raises:
        InputError: options exclude each other, or the Pods cannot hold the job.
    """
    code = pack(options.working_dir) if options.working_dir else None
    request = JobRequest(
        name=options.name or job_name(loaded.config.run, options.steps, suffix),
        steps=options.steps,
        workers=options.workers,
        pods=options.pods,
        retries=options.retries,
        deadline_seconds=options.deadline,
        pending_seconds=options.pending_timeout,
        restart=options.restart,
        queue=options.queue,
        image=options.image,
        to=options.to,
        code=code,
        code_map=code_map_name(code, suffix) if code else "",
        translation=options.translation,
        verbose=options.verbose,
    )
    return build_submission(release, request, loaded, now)


def _check_cluster(target: Target, submission: Submission) -> None:
    found = find_ray_cluster(target.cluster, submission.to)
    # Other clusters are not checked: nobody knows which resources Ray counts there.
    if submission.to == target.release.cluster:
        groups: list[WorkerGroup] = found["spec"].get("workerGroupSpecs", [])
        check_cluster(groups, submission.config, submission.steps, submission.to)


def _create(target: Target, submission: Submission, job: JsonObject) -> JsonObject:
    """Create the RayJob, and then the ConfigMap with its code, which it owns."""
    made = target.cluster.create(job)
    if made is None:
        name = submission.name
        raise InputError(
            f"--name {name}: a RayJob of that name exists; see `nmt-k8s status {name}`, or "
            f"`nmt-k8s cancel {name}` first"
        )
    if submission.code:
        # Only now, because an owner has to exist: a ConfigMap that is created with its owner needs
        # no right to change or delete one. The kubelet tries again until it finds the ConfigMap.
        _create_code(target, owned_by(code_map(target.release, submission, submission.code), made))
    return made


def _create_code(target: Target, code: JsonObject) -> None:
    """Create the ConfigMap with the code of a RayJob, or delete the RayJob, which cannot run."""
    created = None
    try:
        created = target.cluster.create(code)
    finally:
        if created is None:
            [owner] = code["metadata"]["ownerReferences"]
            target.cluster.delete(RAY_JOB, owner["name"])
    if created is None:
        raise InputError(f"a ConfigMap {code['metadata']['name']} exists already: submit again")
