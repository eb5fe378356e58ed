"""A real cluster with a node: whatever KUBECONFIG names, with images that the node can pull."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.k8s.installed_release import Installed, shell
from tests.support.k8s.submitted_job import Submitted

NEEDED = {
    "KUBECONFIG": "names no cluster",
    "REGISTRY": "says not where the images nmt-ray and nmt-tools are",
    "TAG": "says not which tag the images have",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    lacking = [f"{name} {why}" for name, why in NEEDED.items() if not os.environ.get(name)]
    lacking += [
        f"{tool} is not installed" for tool in ("kubectl", "helm") if not shutil.which(tool)
    ]
    for item in items:
        if lacking and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="; ".join(lacking)))


def images() -> str:
    registry, tag = os.environ["REGISTRY"], os.environ["TAG"]
    return (
        f"--set image.repository={registry}/nmt-ray --set image.tag={tag} "
        f"--set toolsImage.repository={registry}/nmt-tools --set toolsImage.tag={tag} "
        "--set image.pullPolicy=Always --set toolsImage.pullPolicy=Always"
    )


@pytest.fixture(scope="module")
def install() -> Iterator[Callable[..., Installed]]:
    """Installs a release with the laptop's values and further options, and removes it after."""
    made: list[str] = []

    def make(namespace: str, *options: str) -> Installed:
        made.append(namespace)
        shell(f"kubectl create namespace {namespace}")
        shell(f"kubectl label namespace {namespace} pod-security.kubernetes.io/enforce=restricted")
        release = Installed(namespace)
        release.helm(
            f"install nmt helm/nmt -f helm/nmt/values/laptop.yaml {images()} {' '.join(options)}"
        )
        return release

    yield make
    for namespace in made:
        shell(f"helm -n {namespace} uninstall nmt --wait", check=False)
        shell(f"kubectl delete namespace {namespace} --timeout=120s", check=False)


@pytest.fixture
def submitted(release: Installed) -> Iterator[Callable[[str, str], Submitted]]:
    """Submits a job to the module's release; what is left of it goes with the test."""
    running: list[Submitted] = []

    def submit(words: str, name: str) -> Submitted:
        running.append(Submitted(release, words, name))
        return running[-1]

    yield submit
    for job in running:
        job.process.kill()
        release.kubectl(f"delete rayjob {job.name} --ignore-not-found", check=False)
