"""The objects of the API that the operator reads."""

from typing import Protocol

from k8s.api.cluster import CAMPAIGN, RAY_JOB, Cluster, JsonObject
from k8s.objects.campaign.names import LABEL_CAMPAIGN


class Objects(Protocol):
    """Campaigns and their RayJobs, from the API server or from what a watch has brought."""

    def campaign(self, name: str) -> JsonObject | None:
        """Return a campaign; None if there is none of that name."""
        ...

    def jobs(self, name: str) -> list[JsonObject]:
        """List the RayJobs with the label of a campaign."""
        ...

    def campaigns(self) -> list[JsonObject]:
        """List all campaigns of the namespace."""
        ...


class ClusterObjects:
    """Reads each object from the API server."""

    def __init__(self, cluster: Cluster) -> None:
        """Read from a cluster."""
        self._cluster = cluster

    def campaign(self, name: str) -> JsonObject | None:
        """Return a campaign; None if there is none of that name."""
        return self._cluster.get(CAMPAIGN, name)

    def jobs(self, name: str) -> list[JsonObject]:
        """List the RayJobs with the label of a campaign."""
        return self._cluster.select(RAY_JOB, f"{LABEL_CAMPAIGN}={name}")

    def campaigns(self) -> list[JsonObject]:
        """List all campaigns of the namespace."""
        return self._cluster.select(CAMPAIGN)
