"""The operator as a process beside a real API server, and Pods that do what they are told."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from kubernetes import dynamic
from kubernetes.dynamic.exceptions import NotFoundError

from k8s.api.cluster import CAMPAIGN, RAY_JOB
from k8s.objects.campaign.names import LABEL_CAMPAIGN
from tests.support.chart.rendering import JsonObject
from tests.support.k8s.applied_release import RELEASE, Applied, as_account
from tests.support.k8s.campaign_world import World
from tests.support.project import PROJECT

ENDED = ("Complete", "Failed")


def campaign(name: str, **spec: Any) -> JsonObject:
    """Return a campaign of the release under test."""
    return {
        "apiVersion": CAMPAIGN.api_version,
        "kind": CAMPAIGN.name,
        "metadata": {"name": name},
        "spec": {"release": RELEASE} | spec,
    }


def write_kubeconfig(release: Applied, account: str, path: Path) -> Path:
    """Write a kubeconfig with the own token of an account."""
    known = as_account(release, account).configuration
    token = known.api_key["authorization"].removeprefix("Bearer ")
    cluster = {"server": known.host, "certificate-authority": known.ssl_ca_cert}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


@contextmanager
def running_operator(release: Applied, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the operator with the token of its account, until the end of the block."""
    kubeconfig = write_kubeconfig(release, f"{RELEASE}-operator", folder / "kubeconfig")
    command = [sys.executable, "-m", "k8s.operator", "--release", RELEASE, "--port", "0"]
    with (folder / "operator.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "-n", release.namespace],
            cwd=PROJECT,
            env=os.environ | {"KUBECONFIG": str(kubeconfig)},
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


class Pods:
    """What KubeRay and the Pods of jobs do: each job is done as soon as it is seen."""

    def __init__(self, release: Applied, root: Path) -> None:
        self._world = World(root, {})
        self._jobs = dynamic.DynamicClient(release.api).resources.get(
            api_version=RAY_JOB.api_version, kind=RAY_JOB.name
        )
        self._namespace = release.namespace
        self.done: list[str] = []

    def finish_jobs(self) -> None:
        """Leave the records of all waiting jobs, and report that they have succeeded."""
        found: Any = self._jobs.get(namespace=self._namespace, label_selector=LABEL_CAMPAIGN)
        for job in (each.to_dict() for each in found.items):
            if job.get("status", {}).get("jobDeploymentStatus") not in ENDED:
                self._finish(job)

    def _finish(self, job: JsonObject) -> None:
        labels = job["metadata"]["labels"]
        for step in labels["nmt/step"].split("."):
            self._world.leave(labels["nmt/run"], step)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = {
            "jobDeploymentStatus": "Complete",
            "jobStatus": "SUCCEEDED",
            "startTime": now,
            "endTime": now,
        }
        name = job["metadata"]["name"]
        try:
            self._jobs.status.patch(  # pyright: ignore[reportAttributeAccessIssue]
                body={"status": status},
                name=name,
                namespace=self._namespace,
                content_type="application/merge-patch+json",
            )
        # The operator deletes the jobs of a revision that was replaced.
        except NotFoundError:
            return
        self.done.append(name)
