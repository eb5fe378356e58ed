"""What each service account may do, asked with its own token."""

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client

from tests.support.chart.rendering import JsonObject
from tests.support.k8s.applied_release import RELEASE, Applied, as_account

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
RESOURCES = (
    ("", "configmaps"),
    ("", "events"),
    ("", "persistentvolumeclaims"),
    ("", "pods"),
    ("", "pods/exec"),
    ("", "pods/log"),
    ("", "pods/portforward"),
    ("", "resourcequotas"),
    ("", "secrets"),
    ("", "serviceaccounts"),
    ("", "serviceaccounts/token"),
    ("", "services"),
    ("apps", "deployments"),
    ("batch", "jobs"),
    ("coordination.k8s.io", "leases"),
    ("networking.k8s.io", "networkpolicies"),
    ("nmt.internal", "translationcampaigns"),
    ("nmt.internal", "translationcampaigns/finalizers"),
    ("nmt.internal", "translationcampaigns/status"),
    ("ray.io", "rayclusters"),
    ("ray.io", "rayjobs"),
    ("ray.io", "rayservices"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
)
READ = {"get", "list"}
USER = {
    "configmaps": READ | {"create"},
    "events": {"list"},
    "persistentvolumeclaims": {"get"},
    "pods": READ,
    "pods/log": {"get"},
    "resourcequotas": {"list"},
    "jobs": {"create", "delete"},
    "rayclusters": READ,
    "rayjobs": READ | {"create", "delete"},
    "rayservices": READ,
    "translationcampaigns": READ | {"watch", "create", "update", "patch", "delete"},
}


@pytest.fixture(scope="module")
def release(install: Callable[[JsonObject], Applied]) -> Applied:
    return install({"cluster": {"enabled": True}})


def rights(api: client.ApiClient, namespace: str) -> dict[str, set[str]]:
    """Resource -> verbs that the API server allows."""
    reviews: Any = client.AuthorizationV1Api(api)
    found: dict[str, set[str]] = {}
    for group, resource in RESOURCES:
        plural, _, part = resource.partition("/")
        for verb in VERBS:
            asked = {
                "namespace": namespace,
                "group": group,
                "resource": plural,
                "subresource": part,
                "verb": verb,
            }
            review = {"spec": {"resourceAttributes": asked}}
            if reviews.create_self_subject_access_review(review).status.allowed:
                found.setdefault(resource, set()).add(verb)
    return found


@pytest.mark.parametrize("account", ["jobs", "serving", "storage"])
def test_pods_that_work_may_do_nothing(release: Applied, account: str) -> None:
    assert rights(as_account(release, f"{RELEASE}-{account}"), release.namespace) == {}


def test_those_who_run_jobs_may_do_just_that(release: Applied) -> None:
    assert rights(as_account(release, f"{RELEASE}-user"), release.namespace) == USER


def test_no_account_reaches_another_namespace(release: Applied) -> None:
    assert rights(as_account(release, f"{RELEASE}-user"), "kube-system") == {}


def test_a_token_that_may_not_is_refused(release: Applied) -> None:
    core = client.CoreV1Api(as_account(release, f"{RELEASE}-jobs"))
    with pytest.raises(client.ApiException) as refused:
        core.list_namespaced_secret(release.namespace)
    assert refused.value.status == 403


def test_the_autoscaler_reads_no_secrets_and_starts_no_jobs(release: Applied) -> None:
    """Its account is the chart's, its rights are KubeRay's."""
    account = f"{RELEASE}-autoscaler"
    release.wait_for(
        lambda: rights(as_account(release, account), release.namespace),
        "KubeRay gave the account no rights",
    )
    found = rights(as_account(release, account), release.namespace)
    assert set(found) <= {"pods", "rayclusters"}
    assert "create" not in found["rayclusters"]
