"""Helm beside the operator: neither an upgrade nor the end of a release takes campaigns away."""

import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from k8s.api.cluster import CAMPAIGN
from tests.support.chart.rendering import CHART, IMAGES, JsonObject
from tests.support.k8s.applied_release import RELEASE, Applied
from tests.support.k8s.real_operator import Pods, campaign, running_operator
from tests.support.project import PROJECT

CRD = CHART / "files" / "crd-translationcampaigns.yaml"


def helm(namespace: str, *words: str, check: bool = True) -> str:
    done = subprocess.run(
        ["helm", "-n", namespace, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def namespace(api: client.ApiClient) -> Iterator[str]:
    if shutil.which("helm") is None:
        pytest.skip("helm is not installed")
    core: Any = client.CoreV1Api(api)
    name = f"nmt-helm-{uuid.uuid4().hex[:6]}"
    core.create_namespace({"metadata": {"name": name}})
    yield name
    helm(name, "uninstall", RELEASE, "--ignore-not-found")
    core.delete_namespace(name)


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nmt-api-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def values(root: Path) -> JsonObject:
    return {
        **IMAGES,
        "operator": {"enabled": True},
        "crds": {"install": False},
        "serving": {"enabled": False},
        "storage": {"mountPath": str(root), "claim": {"keep": False}},
    }


@pytest.fixture(scope="module")
def release(api: client.ApiClient, namespace: str, values: JsonObject, root: Path) -> Applied:
    found = Applied(api, namespace, values)
    # As an administrator installs it without a release.
    found.apply(yaml.safe_load(CRD.read_text("utf-8")))
    (root / "values.yaml").write_text(yaml.safe_dump(values))
    helm(namespace, "install", RELEASE, str(CHART), "-f", str(root / "values.yaml"))
    return found


def test_a_definition_without_a_release_is_left_to_the_administrator(
    release: Applied, root: Path
) -> None:
    words = ("upgrade", RELEASE, str(CHART), "-f", str(root / "values.yaml"))
    said = helm(release.namespace, *words, "--set", "crds.install=true", check=False)
    assert "was installed without a release: set crds.install=false" in " ".join(said.split())


def test_an_upgrade_beside_the_operator_changes_no_campaign_and_stops_none(
    release: Applied, root: Path, tmp_path: Path
) -> None:
    def read() -> JsonObject:
        return release.find(CAMPAIGN.api_version, CAMPAIGN.name, "clinic").to_dict()

    def is_served() -> bool:
        pods.finish_jobs()
        return read().get("status", {}).get("phase") == "Served"

    with running_operator(release, tmp_path) as process:
        pods = Pods(release, root)
        release.apply(campaign("clinic", config={"tune": {"trials": 2}}))
        release.wait_for(is_served, "the campaign is not served", seconds=120)
        before = read()
        words = ("upgrade", RELEASE, str(CHART), "-f", str(root / "values.yaml"))
        helm(release.namespace, *words, "--set", "operator.maxActive=7")
        assert read() == before
        release.apply(campaign("clinic", config={"tune": {"trials": 3}}))
        release.wait_for(lambda: read()["status"]["revision"]["number"] == 2, "no revision starts")
        assert process.poll() is None, (tmp_path / "operator.log").read_text()
    after = read()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert [past["run"] for past in after["status"]["history"]] == ["clinic-r1"]


def test_uninstalling_a_release_keeps_its_campaigns(release: Applied) -> None:
    helm(release.namespace, "uninstall", RELEASE)
    kept = release.find(CAMPAIGN.api_version, CAMPAIGN.name, "clinic")
    assert kept.to_dict()["status"]["serves"]


def documented(begin: str) -> str:
    """The block of the page on campaigns that begins with these words."""
    page = (PROJECT / "docs" / "campaigns-on-kubernetes.md").read_text("utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    [found] = [block for block in blocks if block.startswith(begin)]
    return found


def follow(block: str, namespace: str) -> None:
    done = subprocess.run(
        ["bash", "-ec", block],
        cwd=PROJECT,
        env={**os.environ, "NAMESPACE": namespace},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture
def owner_is_forgotten() -> Iterator[None]:
    """Leaves a definition without a release, as it was before."""
    yield
    keys = ("meta.helm.sh/release-name-", "meta.helm.sh/release-namespace-")
    subprocess.run(["kubectl", "annotate", "crd", CAMPAIGN.resource, *keys], check=True)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.usefixtures("owner_is_forgotten")
def test_the_definition_goes_to_a_release_and_back_by_the_documented_commands(
    release: Applied, root: Path
) -> None:
    words = (RELEASE, str(CHART), "-f", str(root / "values.yaml"), "--set")
    apply = documented("kubectl apply --server-side --force-conflicts -f helm")
    helm(release.namespace, "upgrade", "--install", *words, "crds.install=false")
    follow(apply, release.namespace)
    follow(documented("kubectl annotate --overwrite crd"), release.namespace)
    helm(release.namespace, "upgrade", *words, "crds.install=true", "--force-conflicts")
    helm(release.namespace, "upgrade", *words, "crds.install=false")
    follow(apply, release.namespace)
