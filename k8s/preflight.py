"""What KubeRay would find wrong with a RayJob only after it was made, found before. Pure.

KubeRay takes any RayJob and says `ValidationFailed` later. These are the rules of its
`controllers/ray/utils/validation.go` as far as they can be broken from here.
"""

from collections.abc import Callable, Iterator

from k8s.cluster import Plain
from k8s.names import fault_of_job_name, is_label_value
from nmt.errors import InputError

_SIZES = ("num-cpus", "num-gpus", "memory", "resources")
_MOST_GROUPS = 7  # Kueue's limit of Pod sets is 8, the head among them


def check(job: Plain) -> None:
    """Refuse a RayJob that KubeRay would refuse.

    Raises:
        InputError: names every fault.
    """
    faults = [fault for rule in _RULES for fault in rule(job)]
    if faults:
        raise InputError("KubeRay would refuse this job: " + "; ".join(faults))


def _name(job: Plain) -> Iterator[str]:
    fault = fault_of_job_name(job["metadata"]["name"])
    if fault:
        yield f"--name: {fault}"


def _labels(job: Plain) -> Iterator[str]:
    for key, value in job["metadata"].get("labels", {}).items():
        if not is_label_value(value):
            yield f"label {key}: '{value}' must be at most 63 letters, digits, -, _ and ."


def _limits(job: Plain) -> Iterator[str]:
    spec = job["spec"]
    for key, option in (
        ("activeDeadlineSeconds", "--deadline"),
        ("preRunningDeadlineSeconds", "--pending-timeout"),
    ):
        if not 0 < spec[key] < 2**31:
            yield f"{option} {spec[key]}: must be above 0 and below {2**31}"
    if not 0 <= spec["submitterConfig"]["backoffLimit"] <= 100:
        yield f"--retries {spec['submitterConfig']['backoffLimit']}: must be from 0 to 100"
    if spec.get("ttlSecondsAfterFinished", 0) < 0:
        yield f"jobs.keepSeconds {spec['ttlSecondsAfterFinished']}: must not be below 0"


def _cluster(job: Plain) -> Iterator[str]:
    spec = job["spec"]
    if ("clusterSelector" in spec) == ("rayClusterSpec" in spec):
        yield "one of clusterSelector and rayClusterSpec must be there"
    cluster = spec.get("rayClusterSpec", {})
    if cluster.get("authOptions", {}).get("mode") == "token" and not cluster.get("rayVersion"):
        yield "ray.token needs ray.version in the release's values"


def _groups(job: Plain) -> Iterator[str]:
    cluster = job["spec"].get("rayClusterSpec")
    if cluster is None:
        return
    workers = cluster["workerGroupSpecs"]
    if len(workers) > _MOST_GROUPS:
        yield f"{len(workers)} worker groups: at most {_MOST_GROUPS}"
    for group in (cluster["headGroupSpec"], *workers):
        yield from _group(group)


def _group(group: Plain) -> Iterator[str]:
    name = group.get("groupName", "head")
    parameters = group.get("rayStartParams", {})
    if not group["template"]["spec"].get("containers"):
        yield f"group '{name}' has no container"
    if group.get("resources") and any(parameters.get(key) for key in _SIZES):
        yield f"group '{name}' has its size in rayStartParams and in resources: keep one"
    if "labels" in parameters:
        yield f"group '{name}' has labels in rayStartParams: KubeRay takes them beside it alone"


_RULES: tuple[Callable[[Plain], Iterator[str]], ...] = (_name, _labels, _limits, _cluster, _groups)
