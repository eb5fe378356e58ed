"""How many worker Pods a step needs. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from k8s.objects.release import Plain, Release
from nmt.config import Config
from nmt.errors import InputError


@dataclass(frozen=True, slots=True)
class Demand:
    """Processes that run at the same time, and what each reserves."""

    count: int
    cpus: float
    gpus: float
    count_key: str
    """Setting that says how many."""
    section: str
    """Section with the reservations, `scaling` or `serving`."""

    @property
    def each(self) -> str:
        """One process's reservation by its settings."""
        unit = "worker" if self.section == "scaling" else "replica"
        return (
            f"{self.section}.cpus_per_{unit}={self.cpus:g}, "
            f"{self.section}.gpus_per_{unit}={self.gpus:g}"
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """What a Pod of a worker group has."""

    cpus: float
    gpus: float

    def fits(self, demand: Demand) -> int:
        """Processes of this demand that one Pod takes."""
        by_cpu = math.floor(self.cpus / demand.cpus)
        return min(by_cpu, math.floor(self.gpus / demand.gpus)) if demand.gpus else by_cpu


def demands(config: Config, step: str) -> list[Demand]:
    """What a step runs at the same time; a pipeline's steps follow each other."""
    if step == "prepare":
        return []
    return list(_demands(config, step))


def _demands(config: Config, step: str) -> Iterator[Demand]:
    scaling, serving = config.scaling, config.serving
    each = (scaling.cpus_per_worker, scaling.gpus_per_worker)
    if step in ("train", "pipeline"):
        yield Demand(scaling.workers, *each, "scaling.workers", "scaling")
    if step == "tune" or (step == "pipeline" and config.tune.trials):
        count = min(config.tune.max_concurrent, max(config.tune.trials, 1))
        yield Demand(count, *each, "tune.max_concurrent", "scaling")
    if step in ("base", "evaluate", "export"):
        yield Demand(1, *each, "scaling.workers", "scaling")
    if step == "pipeline":
        replica = (serving.cpus_per_replica, serving.gpus_per_replica)
        yield Demand(serving.min_replicas, *replica, "serving.min_replicas", "serving")


def offer_of(group: Plain) -> Offer:
    """CPUs and GPUs that Ray counts in a Pod of a worker group."""
    parameters = group.get("rayStartParams", {})
    return Offer(float(parameters.get("num-cpus", 0)), float(parameters.get("num-gpus", 0)))


def pods_for(release: Release, config: Config, step: str, group: str) -> int:
    """Worker Pods of a group that hold all processes of a step.

    Raises:
        InputError: the release has no such group, one Pod is too small for one process, or the
            group may not have so many Pods.
    """
    if group not in release.worker_groups:
        raise InputError(
            f"--workers {group}: release '{release.name}' has no such worker group; it has "
            f"{', '.join(sorted(release.worker_groups)) or 'none'}"
        )
    needs = [(_pods(release, need, group), need) for need in demands(config, step)]
    if not needs:
        return 0
    count, need = max(needs, key=lambda pair: pair[0])
    _check_room(release, group, count, f"{need.count_key}={need.count} with {need.each}")
    return count


def check_pods(release: Release, group: str, asked: int, needed: int) -> None:
    """Refuse a number of Pods that the user chose and that cannot work.

    Raises:
        InputError: the job would wait for ever, or the group may not have so many.
    """
    if asked < needed:
        raise InputError(f"--pods {asked}: the settings need {needed} Pods of group '{group}'")
    _check_room(release, group, asked, f"--pods {asked}")


def check_cluster(groups: Sequence[Plain], config: Config, step: str, name: str) -> None:
    """Refuse a step that a running cluster does not hold, even with all the Pods it may have.

    Raises:
        InputError: the job would wait for ever.
    """
    for need in demands(config, step):
        room = sum(offer_of(group).fits(need) * group.get("maxReplicas", 1) for group in groups)
        if room < need.count:
            raise InputError(
                f"--to {name}: {need.count_key}={need.count} with {need.each} does not fit its "
                f"workers, at most {_pods_of(groups)}: lower the setting, or leave out --to"
            )


def _pods_of(groups: Sequence[Plain]) -> str:
    offers = [(group, offer_of(group)) for group in groups]
    return "; ".join(
        f"{group.get('maxReplicas', 1)} of '{group['groupName']}' with {offer.cpus:g} CPUs and "
        f"{offer.gpus:g} GPUs each"
        for group, offer in offers
    )


def _pods(release: Release, need: Demand, group: str) -> int:
    offer = offer_of(release.worker_groups[group])
    per_pod = offer.fits(need)
    if per_pod:
        return math.ceil(need.count / per_pod)
    fitting = sorted(
        name for name, other in release.worker_groups.items() if offer_of(other).fits(need)
    )
    advice = f"choose --workers {' or '.join(fitting)}" if fitting else "no group of it is bigger"
    raise InputError(
        f"{need.each} does not fit a Pod of worker group '{group}', which has {offer.cpus:g} CPUs "
        f"and {offer.gpus:g} GPUs: {advice}, or lower the setting"
    )


def _check_room(release: Release, group: str, count: int, why: str) -> None:
    most = release.max_pods.get(group)
    if most is not None and count > most:
        raise InputError(
            f"{why} takes {count} Pods of worker group '{group}', which may have {most}: raise "
            f"workers.{group}.max in the release's values, or ask for less"
        )
