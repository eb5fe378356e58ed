"""What KubeRay or the cluster would find wrong with a RayJob only after it was made. Pure.

KubeRay takes any RayJob and says `ValidationFailed` later. These are the rules of its
`controllers/ray/utils/validation.go` as far as they can be broken from here.
"""

from collections.abc import Iterator

from k8s.objects.manifests import Submission
from k8s.objects.names import is_label_value, job_name_problem
from nmt.errors import InputError

_MOST_RETRIES = 100
_SECONDS_END = 2**31


def check(submission: Submission) -> None:
    """Refuse a job that would be refused later.

    Raises:
        InputError: names every fault.
    """
    faults = [*_names(submission), *_limits(submission)]
    if faults:
        raise InputError("KubeRay would refuse this job: " + "; ".join(faults))


def _names(submission: Submission) -> Iterator[str]:
    fault = job_name_problem(submission.name)
    if fault:
        yield f"--name: {fault}"
    if not is_label_value(submission.queue):
        yield f"--queue '{submission.queue}': must be at most 63 letters, digits, -, _ and ."


def _limits(submission: Submission) -> Iterator[str]:
    for option, seconds in (
        ("--deadline", submission.deadline_seconds),
        ("--pending-timeout", submission.pending_seconds),
    ):
        if not 0 < seconds < _SECONDS_END:
            yield f"{option} {seconds}: must be above 0 and below {_SECONDS_END}"
    if not 0 <= submission.retries <= _MOST_RETRIES:
        yield f"--retries {submission.retries}: must be from 0 to {_MOST_RETRIES}"
