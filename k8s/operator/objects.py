"""The objects of the API that the operator reads."""

from collections.abc import Iterator
from typing import Protocol

from k8s.api.cluster import CAMPAIGN, RAY_JOB, Cluster, JsonObject
from k8s.objects.campaign.names import LABEL_CAMPAIGN

_PAGE = 100  # of a thousand campaigns only these are in memory at a time


class Objects(Protocol):
    """Campaigns and their RayJobs, from the API server or from what a watch has brought."""

    def campaign(self, name: str) -> JsonObject | None:
        """Return a campaign; None if there is none of that name."""
        ...

    def jobs(self, name: str) -> list[JsonObject]:
        """List the RayJobs with the label of a campaign."""
        ...

    def campaigns(self) -> Iterator[JsonObject]:
        """List all campaigns of the namespace, a page at a time."""
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

    def campaigns(self) -> Iterator[JsonObject]:
        """List all campaigns of the namespace, a page at a time."""
        next_page = ""
        while True:
            page = self._cluster.page(CAMPAIGN, limit=_PAGE, next_page=next_page)
            yield from page.items
            next_page = page.next_page
            if not next_page:
                return
