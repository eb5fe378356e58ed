"""Prepare the folder in which the head of an endpoint keeps its state, before Ray starts.

    python -m ray_jobs.serving.head_state FOLDER NAMESPACE CLUSTER

FOLDER has one folder for each Ray cluster, `NAMESPACE.CLUSTER`, in which Ray's GCS keeps a RocksDB.
Ray deletes none of them, so those of clusters that are gone are removed here. Runs in an init
container of the head Pod, and imports nothing but the standard library.
"""

import fcntl
import http.client
import json
import logging
import os
import shutil
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SILENT_SECONDS = 3600.0
"""Time without a write after which a folder may be removed; Ray writes every few seconds."""
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_API_TIMEOUT_SECONDS = 3.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The state of one Ray cluster."""

    name: str
    """`NAMESPACE.CLUSTER`."""
    written: float
    """When anything in it was last written, in seconds since the epoch."""


def main(words: list[str] | None = None) -> int:
    """Make the folder of a cluster and remove those of clusters that are gone."""
    place, namespace, cluster = sys.argv[1:] if words is None else words
    folder = Path(place)
    own = folder / f"{namespace}.{cluster}"
    try:
        own.mkdir(exist_ok=True)
        try_out(own)
    except OSError as error:
        log.error(
            "the storage of the head's state cannot hold a database: %s\n"
            "Name another volume in serving.headClaim, or set serving.headState=none or redis.",
            error,
        )
        return 1
    for name in leftovers(read_folders(folder), own.name, time.time()):
        if cluster_is_gone(namespace, name.partition(".")[2]):
            log.info("removing %s: this Ray cluster is gone", name)
            shutil.rmtree(folder / name, ignore_errors=True)
    return 0


def try_out(folder: Path) -> None:
    """Do what RocksDB does with its files, which file systems on top of a bucket cannot.

    Raises:
        OSError: appending, flushing, locking or renaming is not possible here.
    """
    draft, final = folder / "tried.new", folder / "tried"
    draft.unlink(missing_ok=True)
    for text in ("appended ", "twice"):
        with draft.open("a") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    draft.replace(final)
    if final.read_text() != "appended twice":
        raise OSError(f"{final} does not hold what was written to it")
    final.unlink()


def read_folders(folder: Path) -> list[StateFolder]:
    """List the folders of clusters, with the time of the last write in each."""
    found = []
    for each in folder.iterdir():
        if each.is_dir():
            files = [each, *each.rglob("*")]
            found.append(StateFolder(each.name, max(_written(file) for file in files)))
    return found


def _written(file: Path) -> float:
    """Read when a file was written; 0 if it was removed meanwhile."""
    with suppress(FileNotFoundError):
        return file.stat().st_mtime
    return 0.0


def leftovers(folders: Iterable[StateFolder], own: str, now: float) -> list[str]:
    """Choose the folders that may belong to a cluster that is gone.

    A folder of another namespace is none of them: its cluster cannot be asked for. Nor is one that
    was written lately: a Kubernetes cluster that shares this storage may have a Ray cluster that
    nobody knows here.
    """
    prefix = own.partition(".")[0] + "."
    return sorted(
        each.name
        for each in folders
        if each.name != own and each.name.startswith(prefix) and now - each.written > SILENT_SECONDS
    )


Get = Callable[[str], tuple[int, bytes]]


def cluster_is_gone(namespace: str, cluster: str, get: Get | None = None) -> bool:
    """Ask the API server for a RayCluster; True only if it says that there is none.

    Without an answer, or without the right to ask, the cluster may live, and its state stays.
    """
    path = f"/apis/ray.io/v1/namespaces/{namespace}/rayclusters/{cluster}"
    try:
        status, body = (get or _get)(path)
        said: object = json.loads(body)
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        log.info("not known whether %s is gone: %s: %s", cluster, type(error).__name__, error)
        return False
    # An API server that does not know the kind answers 404 too, but names no object.
    return status == 404 and isinstance(said, dict) and _names(said, cluster)


def _names(said: Mapping[str, object], cluster: str) -> bool:
    """Check that a refusal is about this cluster."""
    details = said.get("details")
    return isinstance(details, dict) and details.get("name") == cluster


def _get(path: str) -> tuple[int, bytes]:
    """Send a request to the API server with the account of the Pod."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    token = (ACCOUNT / "token").read_text()
    connection = http.client.HTTPSConnection(
        host, int(port), timeout=_API_TIMEOUT_SECONDS, context=context
    )
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
