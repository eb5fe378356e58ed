"""What KubeRay or the cluster would find wrong with a RayJob only after it was made. Pure.

KubeRay takes any RayJob and says `ValidationFailed` later. These are the rules of its
`controllers/ray/utils/validation.go` as far as they can be broken from here.
"""

from collections.abc import Iterator

from k8s.objects.manifests import Request
from k8s.objects.names import fault_of_job_name, is_label_value
from nmt.errors import InputError

_MOST_RETRIES = 100
_SECONDS_END = 2**31


def check(request: Request) -> None:
    """Refuse a job that would be refused later.

    Raises:
        InputError: names every fault.
    """
    faults = [*_names(request), *_limits(request)]
    if faults:
        raise InputError("KubeRay would refuse this job: " + "; ".join(faults))


def _names(request: Request) -> Iterator[str]:
    fault = fault_of_job_name(request.name)
    if fault:
        yield f"--name: {fault}"
    if not is_label_value(request.queue):
        yield f"--queue '{request.queue}': must be at most 63 letters, digits, -, _ and ."


def _limits(request: Request) -> Iterator[str]:
    for option, seconds in (
        ("--deadline", request.deadline_seconds),
        ("--pending-timeout", request.pending_seconds),
    ):
        if not 0 < seconds < _SECONDS_END:
            yield f"{option} {seconds}: must be above 0 and below {_SECONDS_END}"
    if not 0 <= request.retries <= _MOST_RETRIES:
        yield f"--retries {request.retries}: must be from 0 to {_MOST_RETRIES}"
