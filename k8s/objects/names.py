"""Names and labels that Kubernetes and KubeRay accept. Pure."""

import re
from collections.abc import Sequence

MAX_JOB_NAME_LENGTH = 47  # KubeRay's limit: it appends suffixes for the cluster and its Pods
LABEL_RUN = "nmt/run"
LABEL_STEP = "nmt/step"
COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"
LABEL_RAY_CLUSTER = "ray.io/cluster"
QUEUE = "kueue.x-k8s.io/queue-name"

_DNS_1035 = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
LABEL_VALUE_PATTERN = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
_LABEL_VALUE = re.compile(LABEL_VALUE_PATTERN)


def job_name(run: str, steps: Sequence[str], suffix: str) -> str:
    """Make the name `<run>-<step>-<suffix>`, with the run shortened to fit KubeRay's limit.

    Of several steps the name has the first and the last.
    """
    step = "-".join(dict.fromkeys((steps[0], steps[-1])))
    slug = re.sub(r"[^a-z0-9]+", "-", run.lower()).strip("-")
    # KubeRay names Services after the job, and their names must begin with a letter.
    if not slug[:1].isalpha():
        slug = f"run-{slug}"
    max_slug = MAX_JOB_NAME_LENGTH - len(step) - len(suffix) - 2
    return f"{slug[:max_slug].rstrip('-')}-{step}-{suffix}"


def job_name_problem(name: str) -> str | None:
    """Explain why KubeRay would refuse a RayJob's name; return None for a valid name."""
    if len(name) > MAX_JOB_NAME_LENGTH:
        return (
            f"name '{name}' has {len(name)} characters: KubeRay allows at most "
            f"{MAX_JOB_NAME_LENGTH}"
        )
    if not _DNS_1035.match(name):
        return (
            f"name '{name}' must begin with a lower-case letter and contain only lower-case "
            "letters, digits and hyphens"
        )
    return None


def step_label(steps: Sequence[str]) -> str:
    """Return the value of the label `nmt/step` of a job that does these steps."""
    return ".".join(steps)


def is_label_value(value: str) -> bool:
    """Tell whether Kubernetes accepts a label value."""
    return len(value) <= 63 and bool(_LABEL_VALUE.match(value))
