"""Who may write campaigns, and what the operator may make of them."""

import uuid
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from kubernetes import client, dynamic

from k8s.api.cluster import CAMPAIGN
from tests.k8s_api.test_rights import rights
from tests.support.chart.rendering import JsonObject, render
from tests.support.k8s.applied_release import RELEASE, Applied, as_account
from tests.support.k8s.real_operator import campaign
from tests.support.k8s.user_requests import (
    PEOPLE,
    RBAC,
    SECRET,
    Ask,
    as_person,
    asking,
    changed,
    env,
    job,
    labels,
    says,
    spec,
)

OPERATOR = f"{RELEASE}-operator"
USER = f"{RELEASE}-user"
COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"
ON: JsonObject = {
    "operator": {"enabled": True},
    "serving": {"enabled": False},
    "rbac": {"subjects": PEOPLE},
}


@pytest.fixture(scope="module")
def release(install: Callable[[JsonObject], Applied]) -> Applied:
    return install(ON)


@pytest.fixture(scope="module")
def operator(release: Applied) -> Ask:
    """What the API server says against an object of the operator, once it knows the policies."""
    ask = asking(as_account(release, OPERATOR), release.namespace)
    stolen = of_campaign(changed(job(release), env(**SECRET)))
    release.wait_for(lambda: "denied" in ask(stolen), "no policy is enforced", seconds=30)
    return ask


@pytest.fixture(scope="module")
def user(release: Applied, operator: Ask) -> Ask:
    return asking(as_account(release, USER), release.namespace)


def of_campaign(made: JsonObject) -> JsonObject:
    """Make a job belong to a campaign, as the operator does."""
    owned = deepcopy(made)
    owned["metadata"]["labels"] |= {"nmt.internal/campaign": "clinic", "nmt.internal/revision": "1"}
    owner = {"kind": CAMPAIGN.name, "name": "clinic", "uid": str(uuid.uuid4()), "controller": True}
    owner |= {"apiVersion": CAMPAIGN.api_version, "blockOwnerDeletion": True}
    owned["metadata"]["ownerReferences"] = [owner]
    return owned


def test_the_operator_may_do_what_it_needs_and_no_more(release: Applied) -> None:
    found = rights(as_account(release, OPERATOR), release.namespace)
    assert found == {
        "translationcampaigns": {"get", "list", "watch"},
        "translationcampaigns/status": {"patch"},
        "translationcampaigns/finalizers": {"update"},
        "rayjobs": {"get", "list", "watch", "create", "delete"},
        "leases": {"create"},
    }
    assert rights(as_account(release, OPERATOR), "kube-system") == {}


@pytest.mark.parametrize(
    ("group", "resource", "name", "verbs"),
    [
        ("", "configmaps", f"{RELEASE}-release", {"get"}),
        ("", "configmaps", "other-release", set[str]()),
        ("coordination.k8s.io", "leases", OPERATOR, {"get", "update", "create"}),
        ("coordination.k8s.io", "leases", "other-operator", {"create"}),
    ],
)
def test_the_operator_reads_its_release_and_its_lease_by_name(
    release: Applied, group: str, resource: str, name: str, verbs: set[str]
) -> None:
    reviews: Any = client.AuthorizationV1Api(as_account(release, OPERATOR))
    found = set[str]()
    for verb in ("get", "list", "update", "patch", "delete", "create"):
        asked = {"namespace": release.namespace, "group": group, "resource": resource}
        review = {"spec": {"resourceAttributes": {**asked, "name": name, "verb": verb}}}
        if reviews.create_self_subject_access_review(review).status.allowed:
            found.add(verb)
    assert found == verbs


def test_the_operator_is_refused_a_secret(release: Applied) -> None:
    core = client.CoreV1Api(as_account(release, OPERATOR))
    with pytest.raises(client.ApiException) as refused:
        core.list_namespaced_secret(release.namespace)
    assert refused.value.status == 403


def test_the_operator_makes_jobs_of_campaigns(release: Applied, operator: Ask) -> None:
    assert operator(of_campaign(job(release))) == ""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (env(**SECRET), "env 'MORE'"),
        (spec(serviceAccountName=OPERATOR), "serviceAccountName"),
        (labels(app_x="y"), "label 'app/x'"),
        (lambda made: made["metadata"].update(finalizers=["a/b"]), "metadata.finalizers"),
        (
            lambda made: made["metadata"]["labels"].update({"app.kubernetes.io/instance": "other"}),
            "objects of your jobs alone",
        ),
        (
            lambda made: made["metadata"]["ownerReferences"][0].update(kind="Deployment"),
            "metadata.ownerReferences",
        ),
    ],
    ids=["secret", "account", "label", "finalizer", "release", "owner"],
)
def test_the_operator_is_bound_like_the_users(
    release: Applied, operator: Ask, change: Callable[[JsonObject], object], expected: str
) -> None:
    assert says(operator(changed(of_campaign(job(release)), change)), expected)


def test_a_user_cannot_pass_a_job_off_as_that_of_a_campaign(release: Applied, user: Ask) -> None:
    made = of_campaign(job(release))
    assert says(user(made), "metadata.ownerReferences")
    made["metadata"].pop("ownerReferences")
    assert says(user(made), "label 'nmt.internal/")
    assert user(job(release)) == ""


def test_a_user_writes_campaigns_and_nothing_else_of_them(release: Applied) -> None:
    found = rights(as_account(release, USER), release.namespace)
    assert found["translationcampaigns"] == {
        *("get", "list", "watch", "create", "update", "patch", "delete")
    }
    assert not [name for name in found if name.startswith("translationcampaigns/")]
    assert not {"secrets", "pods/exec", "roles", "leases", "deployments"} & set(found)


def test_a_user_creates_and_deletes_a_campaign(release: Applied, user: Ask) -> None:
    resources = dynamic.DynamicClient(as_account(release, USER)).resources
    campaigns: Any = resources.get(api_version=CAMPAIGN.api_version, kind=CAMPAIGN.name)
    campaigns.create(campaign("mine"), namespace=release.namespace)
    campaigns.delete(name="mine", namespace=release.namespace)


def test_those_of_another_release_may_not_use_this_one(release: Applied, user: Ask) -> None:
    values = {"rbac": {"subjects": [PEOPLE[1]]}, "priorities": {"create": False}}
    for body in render(values, name="other", namespace=release.namespace):
        if body["kind"] in ("Role", "RoleBinding", "ServiceAccount"):
            release.apply(body)
    stranger = asking(as_account(release, "other-user"), release.namespace)
    release.wait_for(
        lambda: says(stranger(campaign("mine")), f"you may not use release {RELEASE}"),
        "no policy is enforced",
        seconds=30,
    )
    assert as_person(release, "alice")(campaign("mine")) == ""
    theirs = campaign("mine")
    theirs["spec"]["release"] = "other"
    assert stranger(theirs) == ""


def campaigns_as(release: Applied, person: str = "") -> Any:
    """The campaigns, as somebody whom an administrator impersonates sees them."""
    api = client.ApiClient(release.api.configuration)
    if person:
        api.set_default_header("Impersonate-User", person)
    resources = dynamic.DynamicClient(api).resources
    return resources.get(api_version=CAMPAIGN.api_version, kind=CAMPAIGN.name)


def merge(release: Applied, person: str, name: str, change: JsonObject) -> str:
    """What the API server says against a change of a campaign; empty when it takes it."""
    where = {"namespace": release.namespace, "content_type": "application/merge-patch+json"}
    try:
        campaigns_as(release, person).patch(body=change, name=name, **where)
    except client.ApiException as error:
        return str(error.body)
    return ""


@pytest.mark.parametrize("propagation", ["Foreground", "Orphan"])
def test_a_campaign_is_gone_when_the_garbage_collector_is_done(
    release: Applied, operator: Ask, propagation: str
) -> None:
    name = f"gone-{propagation.lower()}"
    release.apply(campaign(name, suspend=True))
    campaigns = campaigns_as(release)
    body = {"propagationPolicy": propagation}
    campaigns.delete(name=name, namespace=release.namespace, body=body)

    def is_gone() -> bool:
        found = campaigns.get(namespace=release.namespace).items
        return name not in [each.metadata.name for each in found]

    release.wait_for(is_gone, "the collector cannot take its finalizer off", seconds=30)


def test_the_garbage_collector_takes_owners_off_campaigns(release: Applied, operator: Ask) -> None:
    # The collector itself leaves an owner of an unknown kind alone.
    owner = {"apiVersion": "example.org/v1", "kind": "Team", "name": "a", "uid": str(uuid.uuid4())}
    owned = campaign("owned", suspend=True)
    owned["metadata"]["ownerReferences"] = [owner]
    release.apply(owned)
    change: JsonObject = {"metadata": {"ownerReferences": None}}
    assert merge(release, COLLECTOR, "owned", change) == ""


def test_a_stranger_changes_nothing_of_a_campaign_that_is_deleted_but_its_finalizers(
    release: Applied, operator: Ask
) -> None:
    role = {"apiGroups": [CAMPAIGN.group], "resources": [CAMPAIGN.plural], "verbs": ["*"]}
    metadata = {"name": "stranger", "namespace": release.namespace}
    release.apply(
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [role]}
    )
    release.apply(
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "stranger"},
            "subjects": [{"kind": "User", "name": "stranger", "apiGroup": RBAC}],
        }
    )
    made = campaign("going", suspend=True)
    made["metadata"]["finalizers"] = ["team/backup"]
    release.apply(made)
    labels: JsonObject = {"metadata": {"labels": {"a": "b"}}}
    assert says(merge(release, "stranger", "going", labels), f"you may not use release {RELEASE}")
    campaigns_as(release).delete(name="going", namespace=release.namespace)
    resumed: JsonObject = {"spec": {"suspend": False}}
    assert says(merge(release, "stranger", "going", resumed), f"you may not use release {RELEASE}")
    taken_off: JsonObject = {"metadata": {"finalizers": None}}
    assert merge(release, "stranger", "going", taken_off) == ""


def test_an_administrator_is_not_bound(release: Applied) -> None:
    assert asking(release.api, release.namespace)(campaign("mine")) == ""


@pytest.mark.parametrize(
    ("name", "fields", "says_so"),
    [
        ("a" * 31, {}, "metadata.name has at most 30 characters"),
        ("3rd", {}, "begins with a lower-case letter"),
        ("mine", {"config": {"data": {"path": "/etc/x"}}}, "is relative to the storage root"),
        ("mine", {"config": {"adapter": {"type": "ia3", "rank": 4}}}, "only with type lora, qlora"),
        ("mine", {"config": {"rollout": {"steps": [1, 50]}}}, "the last is 100"),
        ("mine", {"config": {"rollout": {"steps": [50, 1, 100]}}}, "the last is 100"),
        ("mine", {"schedule": {"cron": "0 2"}}, "has five fields"),
        ("mine", {"action": {"id": "", "do": "retry"}}, "at least 1 chars"),
        ("mine", {"keep": {"revisions": 0}}, "greater than or equal to 1"),
    ],
)
def test_the_definition_refuses_what_cannot_work(
    release: Applied, user: Ask, name: str, fields: JsonObject, says_so: str
) -> None:
    assert says_so in user(campaign(name, **fields))


def test_the_release_of_a_campaign_cannot_be_changed(release: Applied) -> None:
    release.apply(campaign("fixed", suspend=True))
    other = campaign("fixed")
    other["spec"]["release"] = "other"
    with pytest.raises(client.ApiException) as refused:
        release.apply(other)
    assert "cannot be changed" in str(refused.value.body)


def test_the_status_is_applied_field_by_field(release: Applied) -> None:
    """A status of the main resource is ignored, and one applied twice changes nothing."""
    release.apply({**campaign("told", suspend=True), "status": {"phase": "Served"}})
    resources = dynamic.DynamicClient(as_account(release, OPERATOR)).resources
    campaigns: Any = resources.get(api_version=CAMPAIGN.api_version, kind=CAMPAIGN.name)
    where = {"name": "told", "namespace": release.namespace}
    before = campaigns.get(**where).to_dict()
    assert "status" not in before
    condition = {"type": "Ready", "status": "True", "reason": "Served"}
    body = {
        "apiVersion": CAMPAIGN.api_version,
        "kind": CAMPAIGN.name,
        "metadata": {"name": "told"},
        "status": {
            "phase": "Served",
            "conditions": [{**condition, "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        },
    }
    apply = {"content_type": "application/apply-patch+yaml", "field_manager": "test"}
    one, two = (campaigns.status.patch(body=body, **where, **apply).to_dict() for _ in "12")
    assert one["status"]["conditions"][0]["type"] == "Ready"
    assert one["metadata"]["resourceVersion"] == two["metadata"]["resourceVersion"]
