"""Whom the policies bind, and what of others they keep from being deleted."""

import uuid

import pytest
from kubernetes import client, dynamic

from k8s.objects.manifests import ray_job
from k8s.objects.names import INSTANCE
from k8s.objects.release import Release
from tests.support.chart.rendering import JsonObject, render
from tests.support.k8s.applied_release import RELEASE, Applied, as_account
from tests.support.k8s.user_requests import (
    PEOPLE,
    SECRET,
    Ask,
    as_person,
    changed,
    command,
    described,
    env,
    job,
    says,
    spec,
    submission,
)


def test_an_administrator_is_not_bound(release: Applied) -> None:
    made = changed(job(release), env(**SECRET))
    resources = dynamic.DynamicClient(release.api).resources
    resource = resources.get(api_version="ray.io/v1", kind="RayJob")
    assert resource.create(made, namespace=release.namespace, dry_run="All")


@pytest.mark.parametrize("person", [("alice",), ("bob", "linguists")], ids=["user", "group"])
def test_people_and_groups_are_bound_like_the_account(
    release: Applied, refusal: Ask, person: tuple[str, ...]
) -> None:
    ask = as_person(release, *person)
    assert ask(job(release)) == ""
    assert says(ask(changed(job(release), env(**SECRET))), "env 'MORE'")


def delete(api: client.ApiClient, namespace: str, kind: str, name: str) -> str:
    version = {"ConfigMap": "v1", "Job": "batch/v1"}.get(kind, "ray.io/v1")
    resource = dynamic.DynamicClient(api).resources.get(api_version=version, kind=kind)
    try:
        resource.delete(name=name, namespace=namespace, body={"dryRun": ["All"]})
    except client.ApiException as error:
        return str(error.body)
    return ""


@pytest.mark.parametrize(
    ("instance", "owners", "kept"),
    [
        (RELEASE, [], False),
        ("other", [], True),
        ("other", [{"apiVersion": "ray.io/v1", "kind": "RayJob", "name": "a", "uid": "b"}], False),
    ],
    ids=["own", "of others", "submitter of a RayJob"],
)
def test_a_user_deletes_jobs_of_its_release_alone(
    release: Applied, instance: str, owners: list[JsonObject], kept: bool
) -> None:
    made = changed(
        command(release), lambda made: made["metadata"]["labels"].update({INSTANCE: instance})
    )
    made["metadata"] |= {"name": f"a-{uuid.uuid4().hex[:6]}", "ownerReferences": owners}
    made["spec"]["suspend"] = True
    release.apply(made)
    user = as_account(release, f"{RELEASE}-user")
    found = delete(user, release.namespace, "Job", made["metadata"]["name"])
    assert ("denied request" in found) == kept, found


@pytest.mark.parametrize("kind", ["ConfigMap"])
def test_a_user_does_not_delete_the_release(release: Applied, kind: str) -> None:
    user = as_account(release, f"{RELEASE}-user")
    assert "forbidden" in delete(user, release.namespace, kind, f"{RELEASE}-release")


@pytest.fixture(scope="module")
def neighbour(release: Applied) -> Release:
    """Another release of the same namespace, which alice may use, too."""
    alice = {"rbac": {"subjects": PEOPLE[:1]}, "priorities": {"create": False}}
    for body in render(alice, name="other", namespace=release.namespace):
        if body["kind"] not in ("RayService", "Pod", "PersistentVolumeClaim"):
            release.apply(body)
    return described(release, "other")


def test_those_of_two_releases_submit_to_both(
    release: Applied, refusal: Ask, neighbour: Release
) -> None:
    ask = as_person(release, "alice")
    theirs = ray_job(neighbour, submission())
    stolen = changed(theirs, env(**SECRET))
    # The API server reads new rights and policies a little later.
    release.wait_for(lambda: not ask(theirs), "the rights are missing", seconds=30)
    release.wait_for(lambda: ask(stolen), "no policy of the neighbour is enforced", seconds=30)
    assert ask(job(release)) == ""
    assert says(ask(stolen), "env 'MORE'")
    mixed = spec(serviceAccountName=f"{RELEASE}-jobs")
    assert says(ask(changed(theirs, mixed)), "serviceAccountName")


def test_those_of_one_release_do_not_submit_to_another(
    release: Applied, refusal: Ask, neighbour: Release
) -> None:
    assert says(refusal(ray_job(neighbour, submission())), INSTANCE)
