"""The part of `doctor` that only a Pod with the storage can tell."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from k8s.cli.output import Clock
from k8s.cli.storage_access import open_if_reachable, run_storage_job
from k8s.objects.manifests import storage_job
from k8s.observe.lookup import Target
from nmt.cli.diagnostics import Finding
from nmt.cli.storage_health import check_storage_root
from nmt.errors import ClusterError
from nmt.runs import layout

# Enough for a Pod whose image is on its node: `doctor` must not wait for what it reports.
_START_SECONDS = 30.0


def check_root(root: str) -> Iterator[Finding]:
    """Yield the findings of a storage root that this process can reach."""
    yield from check_storage_root(root, layout.WRITE_PROBE)


def probe_storage(target: Target, root: str, clock: Clock, suffix: str) -> Iterator[Finding]:
    """Yield the findings of the storage root of a release, from a short Pod if it takes one.

    Args:
        target: the release.
        root: of its storage, as Pods see it.
        clock: time.
        suffix: makes the name of the Job unique.

    Raises:
        ClusterError: the Pod cannot run, or does not start in time.
    """
    if open_if_reachable(target.release.storage, root) is not None:
        yield from map(_named, check_root(root))
        return
    arguments = ["doctor", "--output", "json", "--storage", root]
    job = storage_job(target.release, f"{target.release.name[:40]}-storage-{suffix}", arguments)
    _, lines = run_storage_job(target.cluster, job, clock, _START_SECONDS)
    yield from _read("\n".join(lines))


def _read(answer: str) -> Iterator[Finding]:
    """Read the findings of another `doctor`.

    Raises:
        ClusterError: it is of another version, or has failed.
    """
    try:
        found = cast(list[dict[str, str]], json.loads(answer))
        findings = [Finding(**entry) for entry in found]
    except (ValueError, TypeError):
        raise ClusterError(f"the Pod that looks at the storage says: {answer[:400]}") from None
    known = [finding for finding in findings if finding.name in ("storage", "disk")]
    if not known:
        raise ClusterError("the toolsImage of the release is older than this nmt-k8s")
    yield from map(_named, known)


def _named(finding: Finding) -> Finding:
    # `storage` is the line about the claim or bucket itself.
    return replace(finding, name="storageRoot") if finding.name == "storage" else finding
