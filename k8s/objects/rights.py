"""The rights that the commands need, which the Role `<release>-user` of the chart grants."""

from dataclasses import dataclass

from k8s.api.cluster import (
    BATCH_JOB,
    CAMPAIGN,
    CLAIM,
    CONFIG_MAP,
    EVENT,
    POD,
    QUOTA,
    RAY_CLUSTER,
    RAY_JOB,
    RAY_SERVICE,
    Kind,
)


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a kind, or on a part of it, like `log`."""

    verb: str
    kind: Kind
    part: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.kind.resource}" + (f"/{self.part}" if self.part else "")


def _on(kind: Kind, *verbs: str) -> tuple[Right, ...]:
    return tuple(Right(verb, kind) for verb in verbs)


# A test compares them with the Role that Helm renders: change both.
NEEDED_RIGHTS = (
    *_on(CAMPAIGN, "get", "list", "watch", "create", "update", "patch", "delete"),
    *_on(RAY_JOB, "get", "list", "create", "delete"),
    *_on(RAY_CLUSTER, "get", "list"),
    *_on(RAY_SERVICE, "get", "list"),
    *_on(CONFIG_MAP, "get", "list", "create"),
    *_on(BATCH_JOB, "create", "delete"),
    *_on(POD, "get", "list"),
    Right("get", POD, "log"),
    *_on(EVENT, "list"),
    *_on(QUOTA, "list"),
    *_on(CLAIM, "get"),
)
