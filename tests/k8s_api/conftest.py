"""A real API server with KubeRay: whatever KUBECONFIG names. No node is needed."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, dynamic
from kubernetes.dynamic.exceptions import ResourceNotFoundError

from tests.support.chart.rendering import JsonObject, render

RELEASE = "nmt"
FOREIGN = {"PodMonitor", "PrometheusRule"}
"""Kinds of other projects, left out where the cluster does not know them."""
REFUSALS = ("FailedCreate", "FailedToCreate", "FailedToUpdate", "FailedUpdate", "Invalid")
"""How the reasons of events begin that say an object was not taken, by Kubernetes or KubeRay."""
HARMLESS = "already exists"
"""How a message ends of an operator that made an object before its cache showed it that one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("KUBECONFIG"):
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="KUBECONFIG names no cluster"))


@pytest.fixture(scope="session")
def api() -> client.ApiClient:
    return config.new_client_from_config(os.environ["KUBECONFIG"])


@dataclass
class Applied:
    """A release whose objects were all given to the API server."""

    api: client.ApiClient
    namespace: str
    values: JsonObject
    left_out: list[str] = field(default_factory=list)

    def apply(self, body: JsonObject) -> None:
        resources = dynamic.DynamicClient(self.api).resources
        try:
            resource = resources.get(api_version=body["apiVersion"], kind=body["kind"])
        except ResourceNotFoundError:
            assert body["kind"] in FOREIGN, body
            self.left_out.append(body["kind"])
            return
        place = {"namespace": self.namespace} if resource.namespaced else {}
        resource.server_side_apply(body, field_manager="test", **place)

    def find(self, api_version: str, kind: str, name: str) -> Any:
        resources = dynamic.DynamicClient(self.api).resources
        return resources.get(api_version=api_version, kind=kind).get(
            name=name, namespace=self.namespace
        )

    def pods(self, selector: str) -> list[Any]:
        return (
            client.CoreV1Api(self.api)
            .list_namespaced_pod(self.namespace, label_selector=selector)
            .items
        )

    def warnings(self) -> list[str]:
        """What was refused in the namespace; that no node runs a Pod is no fault here."""
        events = client.CoreV1Api(self.api).list_namespaced_event(self.namespace).items
        return [
            f"{event.involved_object.kind} {event.involved_object.name}: {event.reason}: "
            f"{event.message}"
            for event in events
            if (event.reason or "").startswith(REFUSALS)
            and not (event.message or "").endswith(HARMLESS)
        ]

    def wait_for(self, what: Callable[[], object], why: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, f"{why}; warnings: {self.warnings()}"
            time.sleep(0.5)


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
            for account in ("autoscaler", "jobs", "serving", "storage"):
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


def as_account(release: Applied, account: str) -> client.ApiClient:
    """A client with the own token of an account of the release."""
    core: Any = client.CoreV1Api(release.api)
    token = core.create_namespaced_service_account_token(
        account, release.namespace, {"spec": {"expirationSeconds": 600}}
    )
    known = release.api.configuration
    own = client.Configuration(host=known.host)
    own.ssl_ca_cert = known.ssl_ca_cert
    own.api_key = {"authorization": f"Bearer {token.status.token}"}
    return client.ApiClient(own)
