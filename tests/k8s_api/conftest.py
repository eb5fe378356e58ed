"""A real API server with KubeRay: whatever KUBECONFIG names. No node is needed."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from tests.support.chart.rendering import JsonObject, render
from tests.support.k8s.applied_release import RELEASE, Applied, as_account
from tests.support.k8s.user_requests import BOUND, SECRET, Ask, asking, changed, code, env, job


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("KUBECONFIG"):
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="KUBECONFIG names no cluster"))


@pytest.fixture(scope="session")
def api() -> client.ApiClient:
    return config.new_client_from_config(os.environ["KUBECONFIG"])


@pytest.fixture(scope="module")
def install(api: client.ApiClient) -> Iterator[Callable[[JsonObject], Applied]]:
    """Applies all that Helm renders for some values, in a namespace that enforces "restricted"."""
    core: Any = client.CoreV1Api(api)
    made: list[str] = []

    def make(values: JsonObject) -> Applied:
        name = f"nmt-api-{uuid.uuid4().hex[:6]}"
        made.append(name)
        labels = {
            f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")
        }
        core.create_namespace({"metadata": {"name": name, "labels": labels}})
        release = Applied(api, name, values)
        if not values.get("serviceAccounts", {}).get("create", True):
            for account in ("autoscaler", "jobs", "operator", "serving", "storage"):
                core.create_namespaced_service_account(
                    name, {"metadata": {"name": f"{RELEASE}-{account}"}}
                )
        for body in render(values, name=RELEASE, namespace=name):
            release.apply(body)
        return release

    yield make
    for name in made:
        core.delete_namespace(name)
        remove_cluster_wide(api, name)


@pytest.fixture(scope="module")
def release(install: Callable[[JsonObject], Applied]) -> Applied:
    """Installs a release whose users are bound, for the tests that name no values of their own."""
    return install(BOUND)


@pytest.fixture(scope="module")
def refusal(release: Applied) -> Ask:
    """What the API server says against an object of the user; empty when it takes it."""
    ask = asking(as_account(release, f"{RELEASE}-user"), release.namespace)
    # The API server reads new policies a little later.
    unlabelled = changed(code(release), lambda made: made["metadata"].pop("labels"))
    stolen = changed(job(release), env(**SECRET))
    release.wait_for(lambda: ask(unlabelled) and ask(stolen), "no policy is enforced", seconds=30)
    return ask


def remove_cluster_wide(api: client.ApiClient, namespace: str) -> None:
    """Removes what a deleted namespace leaves behind, whose names begin with its own."""
    scheduling: Any = client.SchedulingV1Api(api)
    admission: Any = client.AdmissionregistrationV1Api(api)
    for found, delete in (
        (scheduling.list_priority_class, scheduling.delete_priority_class),
        (
            admission.list_validating_admission_policy_binding,
            admission.delete_validating_admission_policy_binding,
        ),
        (
            admission.list_validating_admission_policy,
            admission.delete_validating_admission_policy,
        ),
    ):
        for each in found().items:
            if each.metadata.name.startswith(f"{namespace}-"):
                delete(each.metadata.name)
