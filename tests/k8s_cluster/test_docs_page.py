"""The page that takes an empty cluster to a served translation, run as it stands."""

import os
import re
from pathlib import Path

import pytest

from tests.support.k8s.installed_release import shell
from tests.support.project import PROJECT

PAGE = PROJECT / "docs/kubernetes.md"
BLOCKS = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
EXPECTED = {
    "helm install": "release",
    "rayservice/nmt": "not ready: no engine has been promoted",
    "helm test nmt": "Succeeded",
    "nmt-k8s submit export": "export",
    "nmt-k8s promote run=quickstart": "serves engine",
    "curl": '"translations"',
    "nmt-k8s rollback": "back on engine",
    "helm uninstall": "nmt-storage",
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What the blocks export, from one to the next; the namespace goes at the end."""
    namespace = "nmt-page"
    kubeconfig = tmp_path_factory.mktemp("kube") / "config"
    kubeconfig.write_text(Path(os.environ["KUBECONFIG"]).read_text())  # the page sets a context
    kept = tmp_path_factory.mktemp("shell") / "exported"
    kept.write_text("")
    yield {"NAMESPACE": namespace, "KUBECONFIG": str(kubeconfig), "KEPT": str(kept)}
    shell(f"kubectl delete namespace {namespace} --timeout=180s", check=False)


def test_the_page_has_commands():
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_commands_of_the_page(environment, number, request):
    if getattr(request.module, "stopped_at", None) is not None:
        pytest.skip(f"block {request.module.stopped_at} before it has failed")
    request.module.stopped_at = number
    block = BLOCKS[number]
    said = shell(f'source "$KEPT"\n{block}\nexport -p > "$KEPT"', environ=environment)
    for command, answer in EXPECTED.items():
        if command in block:
            assert answer in said
    request.module.stopped_at = None
