"""A release whose objects a real API server has, and the accounts of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client, dynamic
from kubernetes.dynamic.exceptions import ResourceNotFoundError

from tests.support.chart.rendering import JsonObject

RELEASE = "nmt"
SHARED = {"CustomResourceDefinition"}
"""Kinds of objects that all releases share, so that tests take them from each other."""
FOREIGN = {"PodMonitor", "PrometheusRule"}
"""Kinds of other projects, left out where the cluster does not know them."""
REFUSALS = ("FailedCreate", "FailedToCreate", "FailedToUpdate", "FailedUpdate", "Invalid")
"""How the reasons of events begin that say an object was not taken, by Kubernetes or KubeRay."""
HARMLESS = "already exists"
"""How a message ends of an operator that made an object before its cache showed it that one."""


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
        force = {"force_conflicts": True} if body["kind"] in SHARED else {}
        resource.server_side_apply(body, field_manager="test", **force, **place)

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
