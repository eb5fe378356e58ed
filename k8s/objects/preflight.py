"""Checks of a submission before the RayJob is created. Pure.

KubeRay accepts any RayJob and reports `ValidationFailed` later. These are the rules of its
`controllers/ray/utils/validation.go` that options of the command line can break.
"""

from collections.abc import Iterator

from k8s.objects.limits import MAX_SECONDS
from k8s.objects.manifests import Submission
from k8s.objects.names import is_label_value, job_name_problem
from nmt.errors import InputError

_MAX_RETRIES = 100


def check_submission(submission: Submission) -> None:
    """Refuse a job that KubeRay or the cluster would refuse later.

    Raises:
        InputError: with a list of all problems.
    """
    problems = [*_name_problems(submission), *_limit_problems(submission)]
    if problems:
        raise InputError("KubeRay would refuse this job: " + "; ".join(problems))


def _name_problems(submission: Submission) -> Iterator[str]:
    problem = job_name_problem(submission.name)
    if problem:
        yield f"--name: {problem}"
    if not is_label_value(submission.queue):
        yield f"--queue '{submission.queue}': must be at most 63 letters, digits, -, _ and ."


def _limit_problems(submission: Submission) -> Iterator[str]:
    for option, seconds in (
        ("--deadline", submission.deadline_seconds),
        ("--pending-timeout", submission.pending_seconds),
    ):
        if not 0 < seconds <= MAX_SECONDS:
            yield f"{option} {seconds}: must be from 1 to {MAX_SECONDS} seconds"
    if not 0 <= submission.retries <= _MAX_RETRIES:
        yield f"--retries {submission.retries}: must be from 0 to {_MAX_RETRIES}"
