"""What the account of heads that scale their cluster may change with its own token."""

import pytest
from kubernetes import client, dynamic

from tests.support.chart.rendering import JsonObject
from tests.support.k8s.applied_release import RELEASE, Applied, as_account


@pytest.fixture(scope="module")
def head_of_cluster(release: Applied) -> tuple[client.ApiClient, str]:
    """The autoscaler's account, and the name of a Pod."""
    select = "ray.io/node-type=head"
    release.wait_for(lambda: release.pods(select), "no head Pod was made")
    api = as_account(release, f"{RELEASE}-autoscaler")
    name = release.pods(select)[0].metadata.name
    # KubeRay makes the rights after the Pod.
    release.wait_for(
        lambda: "cannot patch" not in patched(api, release, "Pod", name, {"metadata": {}}),
        "KubeRay gave the account no rights",
    )
    # The API server reads new policies a little later.
    labelled = replace("/metadata/labels", {"a": "b"})
    release.wait_for(
        lambda: patched(api, release, "RayCluster", f"{RELEASE}-cluster", labelled),
        "the policy of the autoscaler is not enforced",
    )
    return api, name


def patched(api: client.ApiClient, release: Applied, kind: str, name: str, body: object) -> str:
    version = "v1" if kind == "Pod" else "ray.io/v1"
    resource = dynamic.DynamicClient(api).resources.get(api_version=version, kind=kind)
    content = (
        "application/json-patch+json" if isinstance(body, list) else "application/merge-patch+json"
    )
    try:
        resource.patch(
            body=body, name=name, namespace=release.namespace, content_type=content, dry_run="All"
        )
    except client.ApiException as error:
        return str(error.body)
    return ""


def replace(path: str, value: object) -> list[JsonObject]:
    return [{"op": "replace", "path": path, "value": value}]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/workerGroupSpecs/0/template/spec/serviceAccountName", "other"),
        ("/spec/workerGroupSpecs/0/maxReplicas", 100),
        ("/spec/headGroupSpec/template/spec/containers/0/image", "a"),
        ("/spec/authOptions", {"mode": "token", "secretName": "other-team"}),
        ("/metadata/labels", {"a": "b"}),
    ],
)
def test_an_autoscaler_changes_nothing_but_numbers(
    release: Applied, head_of_cluster: tuple[client.ApiClient, str], path: str, value: object
) -> None:
    api, _ = head_of_cluster
    found = patched(api, release, "RayCluster", f"{RELEASE}-cluster", replace(path, value))
    assert "denied request: the autoscaler may" in found


def test_an_autoscaler_sets_no_number_that_kuberay_cannot_read(
    release: Applied, head_of_cluster: tuple[client.ApiClient, str]
) -> None:
    api, _ = head_of_cluster
    change = [{"op": "add", "path": "/spec/workerGroupSpecs/0/replicas", "value": 2**31}]
    found = patched(api, release, "RayCluster", f"{RELEASE}-cluster", change)
    assert "denied request: the autoscaler may set no more replicas than 2147483647" in found


def test_an_autoscaler_scales(
    release: Applied, head_of_cluster: tuple[client.ApiClient, str]
) -> None:
    api, _ = head_of_cluster
    for path, value in (("replicas", 1), ("scaleStrategy", {"workersToDelete": ["a"]})):
        change = [{"op": "add", "path": f"/spec/workerGroupSpecs/0/{path}", "value": value}]
        assert patched(api, release, "RayCluster", f"{RELEASE}-cluster", change) == ""


@pytest.mark.parametrize(
    ("path", "value"), [("/spec/containers/0/image", "a"), ("/metadata/labels", {"a": "b"})]
)
def test_an_autoscaler_does_not_change_pods(
    release: Applied, head_of_cluster: tuple[client.ApiClient, str], path: str, value: object
) -> None:
    api, name = head_of_cluster
    found = patched(api, release, "Pod", name, replace(path, value))
    assert "denied request: the autoscaler may" in found


def test_an_autoscaler_notes_in_a_pod_what_it_resizes(
    release: Applied, head_of_cluster: tuple[client.ApiClient, str]
) -> None:
    api, name = head_of_cluster
    noted = {"metadata": {"annotations": {"ray.io/ippr-status": "{}"}}}
    assert patched(api, release, "Pod", name, noted) == ""
