"""The number of worker Pods that a step needs. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict, cast

from k8s.objects.release import Release
from nmt.cli.translation import TRANSLATE
from nmt.config import Config
from nmt.errors import InputError
from nmt.runs.steps import CAMPAIGN, PIPELINE, steps_of


class WorkerGroup(TypedDict):
    """The fields of a worker group of a RayCluster that say how much its Pods can hold."""

    groupName: str
    rayStartParams: NotRequired[dict[str, str]]
    maxReplicas: NotRequired[int]


@dataclass(frozen=True, slots=True)
class Demand:
    """A set of processes that run at the same time, and what each of them reserves."""

    count: int
    cpus: float
    gpus: float
    count_key: str
    """Setting that `count` comes from."""
    cpus_key: str = "scaling.cpus_per_worker"
    """Setting that `cpus` comes from."""
    gpus_key: str = "scaling.gpus_per_worker"
    """Setting that `gpus` comes from."""

    @property
    def each(self) -> str:
        """Return the reservation of one process, as settings."""
        return f"{self.cpus_key}={self.cpus:g}, {self.gpus_key}={self.gpus:g}"


@dataclass(frozen=True, slots=True)
class PodCapacity:
    """The CPUs and GPUs of one Pod of a worker group."""

    cpus: float
    gpus: float

    def fits(self, demand: Demand) -> int:
        """Return how many processes of a demand fit one Pod."""
        by_cpu = math.floor(self.cpus / demand.cpus)
        if not demand.gpus:
            return by_cpu
        # Ray takes the share of a process from one GPU: two of 0.6 do not fit three halves.
        per_gpu = math.floor(1 / demand.gpus) if demand.gpus < 1 else 1 / demand.gpus
        return min(by_cpu, math.floor(self.gpus * per_gpu))


def demands(config: Config, steps: Sequence[str]) -> Iterator[Demand]:
    """Yield the processes that a job runs in worker Pods.

    The demands of its steps come one after the other, so its Pods must hold the largest.
    """
    scaling, serving = config.scaling, config.serving
    each = (scaling.cpus_per_worker, scaling.gpus_per_worker)
    processes = {each.processes for name in steps for each in steps_of(name, config)}
    if "workers" in processes or TRANSLATE in steps:
        yield Demand(scaling.workers, *each, "scaling.workers")
    if "trials" in processes:
        yield _trials(config)
    # A training needs at least one such worker, so Pods that hold it hold this one too.
    if "worker" in processes and "workers" not in processes:
        yield Demand(1, *each, "scaling.workers")
    if PIPELINE in steps or CAMPAIGN in steps:
        yield Demand(
            serving.min_replicas,
            serving.cpus_per_replica,
            serving.gpus_per_replica,
            "serving.min_replicas",
            "serving.cpus_per_replica",
            "serving.gpus_per_replica",
        )


def _trials(config: Config) -> Demand:
    """Return the workers of the trials that run at the same time."""
    tune, scaling = config.tune, config.scaling
    has_own = tune.gpus_per_trial is not None
    return Demand(
        min(tune.max_concurrent, max(tune.trials, 1)) * tune.workers_per_trial,
        scaling.cpus_per_worker,
        scaling.gpus_per_worker if tune.gpus_per_trial is None else tune.gpus_per_trial,
        "tune.max_concurrent"
        if tune.workers_per_trial == 1
        else "tune.max_concurrent * tune.workers_per_trial",
        gpus_key="tune.gpus_per_trial" if has_own else "scaling.gpus_per_worker",
    )


def worker_groups(release: Release) -> dict[str, WorkerGroup]:
    """Return the worker groups of a release by name."""
    # A cast, and not the type of the field: pydantic would drop the fields it does not name.
    return cast(dict[str, WorkerGroup], release.worker_groups)


def pod_capacity(group: WorkerGroup) -> PodCapacity:
    """Return the CPUs and GPUs that Ray counts in a Pod of a worker group."""
    # Ray counts what `ray start` was told, which is not always what the container requests.
    parameters = group.get("rayStartParams", {})
    return PodCapacity(float(parameters.get("num-cpus", 0)), float(parameters.get("num-gpus", 0)))


def pods_for(release: Release, config: Config, steps: Sequence[str], group: str) -> int:
    """Calculate how many worker Pods of a group hold all processes of a job.

    Raises:
        InputError: the release has no such group, a process does not fit into one Pod, or the
            group may not have so many Pods.
    """
    if group not in release.worker_groups:
        raise InputError(
            f"--workers {group}: release '{release.name}' has no such worker group; it has "
            f"{', '.join(sorted(release.worker_groups)) or 'none'}"
        )
    counts = [(_pods(release, demand, group), demand) for demand in demands(config, steps)]
    if not counts:
        return 0
    count, demand = max(counts, key=lambda pair: pair[0])
    _check_max(release, group, count, f"{demand.count_key}={demand.count} with {demand.each}")
    return count


def check_pods(release: Release, group: str, asked: int, needed: int) -> None:
    """Check the number of Pods that the user chose.

    Raises:
        InputError: the job would wait forever, or the group may not have so many Pods.
    """
    if asked < needed:
        raise InputError(f"--pods {asked}: the settings need {needed} Pods of group '{group}'")
    _check_max(release, group, asked, f"--pods {asked}")


def check_cluster(
    groups: Sequence[WorkerGroup], config: Config, steps: Sequence[str], name: str
) -> None:
    """Check that a running cluster can hold a job with the most Pods that it may have.

    Raises:
        InputError: the job would wait forever.
    """
    for demand in demands(config, steps):
        slots = sum(
            pod_capacity(group).fits(demand) * group.get("maxReplicas", 1) for group in groups
        )
        if slots < demand.count:
            raise InputError(
                f"--to {name}: {demand.count_key}={demand.count} with {demand.each} does not fit "
                f"its workers, at most {_describe(groups)}: lower the setting, or leave out --to"
            )


def _describe(groups: Sequence[WorkerGroup]) -> str:
    capacities = [(group, pod_capacity(group)) for group in groups]
    return "; ".join(
        f"{group.get('maxReplicas', 1)} of '{group['groupName']}' with {capacity.cpus:g} CPUs and "
        f"{capacity.gpus:g} GPUs each"
        for group, capacity in capacities
    )


def _pods(release: Release, demand: Demand, group: str) -> int:
    groups = worker_groups(release)
    capacity = pod_capacity(groups[group])
    per_pod = capacity.fits(demand)
    if per_pod:
        return math.ceil(demand.count / per_pod)
    fitting = sorted(name for name, other in groups.items() if pod_capacity(other).fits(demand))
    advice = f"choose --workers {' or '.join(fitting)}" if fitting else "no other group is bigger"
    raise InputError(
        f"{demand.each} does not fit a Pod of worker group '{group}', which has "
        f"{capacity.cpus:g} CPUs and {capacity.gpus:g} GPUs: {advice}, or lower the setting"
    )


def _check_max(release: Release, group: str, count: int, reason: str) -> None:
    max_pods = release.max_pods.get(group)
    if max_pods is not None and count > max_pods:
        raise InputError(
            f"{reason} needs {count} Pods of worker group '{group}', which may have {max_pods}: "
            f"raise workers.{group}.max in the release's values, or ask for less"
        )
