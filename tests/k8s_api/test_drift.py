"""A release at rest: whoever applies its objects again, as GitOps tools do, changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import dynamic

from tests.support.chart.rendering import EVERYTHING, IMAGES, RELEASES, JsonObject, render
from tests.support.k8s.applied_release import RELEASE, Applied

ROUNDS = 3
KEPT = ("metadata", "spec", "data", "rules", "subjects", "roleRef", "value")
"""Parts of an object that say what is wanted."""
VALUES: JsonObject = {
    **RELEASES["laptop"],
    **IMAGES,
    "cluster": {**RELEASES["laptop"]["cluster"], "enabled": True},
    "podTemplate": EVERYTHING["podTemplate"],
    "rbac": EVERYTHING["rbac"],
}
COMPONENT = "app.kubernetes.io/component=serving"


@pytest.fixture(scope="module")
def release(install: Callable[[JsonObject], Applied]) -> Applied:
    found = install(VALUES)
    settle(found)
    return found


def settle(release: Applied) -> None:
    """Wait until KubeRay has made the Pods of both Ray clusters."""
    for component in ("serving", "cluster"):
        select = f"ray.io/node-type=head,app.kubernetes.io/component={component}"
        release.wait_for(lambda select=select: release.pods(select), "no head Pod was made")


def objects(release: Applied) -> list[JsonObject]:
    """All but hooks, which Helm alone runs."""
    made = render(release.values, name=RELEASE, namespace=release.namespace)
    return [body for body in made if "helm.sh/hook" not in str(body["metadata"])]


def wanted(release: Applied) -> dict[str, JsonObject]:
    """What each object wants, as the API server holds it, without those who wrote it."""
    resources = dynamic.DynamicClient(release.api).resources
    found = {}
    for body in objects(release):
        resource = resources.get(api_version=body["apiVersion"], kind=body["kind"])
        place = {"namespace": release.namespace} if resource.namespaced else {}
        live: Any = resource.get(name=body["metadata"]["name"], **place).to_dict()
        kept = {part: live[part] for part in KEPT if part in live}
        for written in ("managedFields", "resourceVersion"):
            kept["metadata"].pop(written)
        found[f"{body['kind']} {body['metadata']['name']}"] = kept
    return found


def pods(release: Applied) -> set[str]:
    return {pod.metadata.uid for pod in release.pods(COMPONENT)}


@pytest.mark.parametrize("manager", ["test", "argocd-controller", "kustomize-controller"])
def test_applying_a_release_again_changes_no_object_and_no_pod(
    release: Applied, manager: str
) -> None:
    before, running = wanted(release), pods(release)
    resources = dynamic.DynamicClient(release.api).resources
    for _ in range(ROUNDS):
        for body in objects(release):
            resource = resources.get(api_version=body["apiVersion"], kind=body["kind"])
            place = {"namespace": release.namespace} if resource.namespaced else {}
            resource.server_side_apply(body, field_manager=manager, **place)
    assert wanted(release) == before
    assert pods(release) == running
    assert not release.warnings()
