"""The owner of a route of an endpoint, read where the storage of a release can be reached."""

import json

from k8s.cli.output import Clock
from k8s.cli.storage_access import open_if_reachable, run_storage_job
from k8s.cli.storage_commands import StorageCommand
from k8s.objects.manifests import storage_job
from k8s.objects.storage_location import storage_root
from k8s.observe.lookup import Target
from nmt.errors import InputError
from nmt.traffic import Traffic, read_traffic


def find_route_owner(
    target: Target, storage: str, endpoint: str, route: str | None, suffix: str, clock: Clock
) -> str | None:
    """Return who alone may change a route; None: everybody, or there is no such route.

    Args:
        target: the release.
        storage: `storage` of the settings.
        endpoint: name of the endpoint.
        route: key of the route; None: the default one.
        suffix: makes the name of a Job unique.
        clock: time.

    Raises:
        ClusterError: the Pod that reads it cannot run.
    """
    root = storage_root(target.release, storage)
    reachable = open_if_reachable(target.release.storage, root)
    if reachable:
        traffic = read_traffic(reachable, endpoint)
    else:
        arguments = StorageCommand("traffic", endpoint=endpoint).arguments(root, "json")
        name = f"{target.release.name[:40]}-owner-{suffix}"
        job = storage_job(target.release, name, arguments)
        code, lines = run_storage_job(target.cluster, job, clock)
        # Before the first promotion there is no traffic, and whoever asks is told so later.
        traffic = None if code else Traffic.model_validate(json.loads("\n".join(lines)))
    try:
        return traffic.route(route).owner if traffic else None
    except InputError:
        return None
