"""Tests of applying, updating, watching and paging, with an HTTP server in place of the API."""

import json
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("kubernetes", reason="needs the extra k8s")

from k8s.api import transport
from k8s.api.client import KubernetesCluster, connect
from k8s.api.cluster import CAMPAIGN, CONFIG_MAP, LEASE, JsonObject, kind_of
from k8s.api.errors import ConflictError, GoneError
from nmt.errors import ClusterError, InputError, UnreachableError
from tests.support.k8s.prepared_server import Api, kubeconfig_for, prepared_server, refusal

BODY = {
    "apiVersion": "nmt.internal/v1alpha1",
    "kind": "TranslationCampaign",
    "metadata": {"name": "a"},
}
PATH = "/apis/nmt.internal/v1alpha1/namespaces/mine/translationcampaigns"
LEASE_BODY = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "l", "resourceVersion": "7"},
}
CONFLICT = refusal(409, 'conflict with "kueue": .spec.suspend', reason="Conflict")


@pytest.fixture
def api() -> Iterator[Api]:
    with prepared_server() as server:
        yield server


@pytest.fixture
def cluster(api, tmp_path, monkeypatch) -> KubernetesCluster:
    monkeypatch.setattr(transport, "_PAUSES", (0.0, 0.0))
    path = tmp_path / "config"
    path.write_text(kubeconfig_for(api))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    return connect(None, None)


def asked(api: Api) -> tuple[str, str, dict[str, str]]:
    """Return method, path and query of the last request."""
    method, target, _ = api.asked[-1]
    parts = urlsplit(target)
    return method, parts.path, {key: value[0] for key, value in parse_qs(parts.query).items()}


def events(*values: object) -> tuple[int, bytes]:
    return 200, b"".join(json.dumps(value).encode() + b"\n" for value in values)


def test_a_campaign_and_a_lease_are_found_by_their_kind():
    assert kind_of(BODY) == CAMPAIGN
    assert kind_of(LEASE_BODY) == LEASE


@pytest.mark.parametrize("status", [200, 201])
def test_apply_returns_the_object_whether_it_is_new_or_not(cluster, api, status):
    api.answers = [(status, {**BODY, "spec": {}})]
    assert cluster.apply(BODY, "operator") == {**BODY, "spec": {}}
    query = {"fieldManager": "operator", "fieldValidation": "Strict"}
    assert asked(api) == ("PATCH", f"{PATH}/a", query)
    assert api.contents == ["application/apply-patch+yaml"]


def test_apply_takes_fields_of_others_only_by_force(cluster, api):
    api.answers = [CONFLICT, (200, BODY)]
    with pytest.raises(ConflictError, match="kueue"):
        cluster.apply(BODY, "operator")
    cluster.apply(BODY, "operator", force=True)
    assert asked(api)[2]["force"] == "true"


def test_an_unknown_field_is_bad_input_and_is_not_tried_again(cluster, api):
    api.answers = [refusal(500, ".spec.typo: field not declared in schema")]
    with pytest.raises(InputError, match=r"spec\.typo"):
        cluster.apply(BODY, "operator")
    assert len(api.asked) == 1


def test_another_object_of_the_same_name_is_a_conflict(cluster, api):
    causes = [{"field": "metadata.uid", "reason": "FieldValueInvalid"}]
    details = {"kind": "translationcampaigns", "causes": causes}
    api.answers = [refusal(422, "field is immutable", reason="Invalid", details=details)]
    with pytest.raises(ConflictError):
        cluster.apply(BODY, "operator")


def test_a_status_is_applied_to_the_subresource(cluster, api):
    api.answers = [(200, BODY)]
    assert cluster.apply_status(BODY, "operator") == BODY
    assert asked(api)[:2] == ("PATCH", f"{PATH}/a/status")


def test_the_status_of_a_missing_object_is_none(cluster, api):
    details = {"kind": "translationcampaigns", "name": "a"}
    api.answers = [refusal(404, "not found", details=details), (404, b"404 page not found")]
    assert cluster.apply_status(BODY, "operator") is None
    with pytest.raises(ClusterError, match="does not know translationcampaigns"):
        cluster.apply_status(BODY, "operator")


def test_an_update_carries_the_version_that_was_read(cluster, api):
    api.answers = [(200, LEASE_BODY)]
    assert cluster.update(LEASE_BODY) == LEASE_BODY
    path = "/apis/coordination.k8s.io/v1/namespaces/mine/leases/l"
    assert asked(api)[:2] == ("PUT", path)
    assert api.asked[0][2] == LEASE_BODY


@pytest.mark.parametrize(
    "answer",
    [
        refusal(409, "the object has been modified", reason="Conflict"),
        refusal(404, "not found", details={"kind": "leases", "name": "l"}),
    ],
)
def test_an_update_of_what_has_changed_or_gone_is_a_conflict(cluster, api, answer):
    api.answers = [answer]
    with pytest.raises(ConflictError):
        cluster.update(LEASE_BODY)


def test_a_name_that_is_taken_is_not_a_conflict_for_create(cluster, api):
    api.answers = [refusal(409, "exists", reason="AlreadyExists"), CONFLICT]
    assert cluster.create(BODY) is None
    with pytest.raises(ConflictError):
        cluster.create(BODY)


def test_an_object_is_deleted_only_with_its_uid_if_one_is_given(cluster, api):
    api.answers = [(200, {}), refusal(409, "the UID does not match", reason="Conflict")]
    assert cluster.delete(CONFIG_MAP, "a", uid="u")
    assert api.asked[0][2] == {"preconditions": {"uid": "u"}}
    with pytest.raises(ConflictError):
        cluster.delete(CONFIG_MAP, "a", uid="v")


def test_all_pages_of_a_list_have_one_version(cluster, api):
    first = {"metadata": {"resourceVersion": "9", "continue": "more"}, "items": [{"a": 1}]}
    last = {"metadata": {"resourceVersion": "9"}, "items": [{"b": 2}]}
    api.answers = [(200, first), (200, last)]
    page = cluster.page(CAMPAIGN, "a=b", limit=1)
    assert (page.items, page.resource_version, page.next_page) == ([{"a": 1}], "9", "more")
    assert asked(api)[2] == {"limit": "1", "labelSelector": "a=b"}
    page = cluster.page(CAMPAIGN, "a=b", limit=1, next_page=page.next_page)
    assert (page.items, page.next_page) == ([{"b": 2}], "")
    assert asked(api)[2]["continue"] == "more"


def test_a_page_of_a_list_that_is_too_old_says_so(cluster, api):
    api.answers = [refusal(410, "too old", reason="Expired")]
    with pytest.raises(GoneError):
        cluster.page(CAMPAIGN, next_page="old")


def test_a_watch_yields_what_happens_and_bookmarks(cluster, api):
    bookmark = {"kind": "TranslationCampaign", "metadata": {"resourceVersion": "12"}}
    api.answers = [
        events(
            {"type": "ADDED", "object": BODY},
            {"type": "DELETED", "object": BODY},
            {"type": "BOOKMARK", "object": bookmark},
        )
    ]
    seen = list(cluster.watch(CAMPAIGN, "a=b", resource_version="9", seconds=60))
    assert seen == [("ADDED", BODY), ("DELETED", BODY), ("BOOKMARK", bookmark)]
    assert asked(api)[2] == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "9",
        "timeoutSeconds": "60",
        "labelSelector": "a=b",
    }


def test_a_watch_ends_when_the_server_has_forgotten_the_version(cluster, api):
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    api.answers = [
        refusal(410, "too old", reason="Expired"),
        events({"type": "ADDED", "object": BODY}, {"type": "ERROR", "object": gone}),
    ]
    with pytest.raises(GoneError):
        next(cluster.watch(CAMPAIGN, resource_version="1"))
    watch = cluster.watch(CAMPAIGN, resource_version="1")
    assert next(watch)[0] == "ADDED"
    with pytest.raises(GoneError):
        next(watch)


def test_a_watch_that_breaks_says_that_the_cluster_does_not_answer(cluster, api):
    busy = {"kind": "Status", "code": 500, "message": "etcd is down"}
    api.answers = [events({"type": "ERROR", "object": busy}), (200, b'{"type": "ADDED", "obj')]
    for words in ("etcd is down", "ends in the middle"):
        with pytest.raises(UnreachableError, match=words):
            list(cluster.watch(CAMPAIGN, resource_version="1"))


def test_a_watch_of_a_kind_that_the_cluster_does_not_know_is_refused(cluster, api):
    api.answers = [(404, b"404 page not found\n")]
    with pytest.raises(ClusterError, match="does not know translationcampaigns"):
        list(cluster.watch(CAMPAIGN, resource_version="1"))


def too_deep(name: str) -> bytes:
    """Write an object that is nested deeper than Python can read."""
    levels = sys.getrecursionlimit()  # which some packages raise
    value = b'{"a": [' * levels + b"1" + b"]}" * levels
    text = json.dumps({"metadata": {"name": name}, "note": '\\"[{', "spec": None, "last": 1})
    return text.encode().replace(b"null", value)


def is_readable(body: JsonObject, name: str) -> bool:
    """Tell whether all of that object is there, but for what lies too deep."""
    spec = body.pop("spec")
    levels = 0
    while spec is not None:
        spec = spec["a"] if isinstance(spec, dict) else spec[0]
        levels += 1
    return body == {"metadata": {"name": name}, "note": '\\"[{', "last": 1} and levels > 50


def test_an_object_with_too_many_levels_is_read_without_the_deepest(cluster, api, caplog):
    api.answers = [(200, too_deep("b"))]
    body = cluster.get(CAMPAIGN, "b")
    assert body is not None
    assert is_readable(body, "b")
    assert "levels" in caplog.text


def test_an_object_with_too_many_levels_keeps_no_other_from_being_listed(cluster, api):
    page = {"metadata": {"resourceVersion": "9"}, "items": [BODY, None, BODY]}
    api.answers = [(200, json.dumps(page).encode().replace(b"null", too_deep("b")))]
    first, deep, last = cluster.page(CAMPAIGN).items
    assert (first, last) == (BODY, BODY)
    assert is_readable(deep, "b")


def test_an_object_with_too_many_levels_keeps_no_watch_from_going_on(cluster, api):
    lines = events({"type": "ADDED", "object": None}, {"type": "ADDED", "object": BODY})[1]
    api.answers = [(200, lines.replace(b"null", too_deep("b")))]
    (_, deep), (_, body) = cluster.watch(CAMPAIGN, resource_version="1")
    assert is_readable(deep, "b")
    assert body == BODY


def test_a_watch_that_breaks_within_too_many_levels_is_taken_up_again(cluster, api):
    api.answers = [
        (200, b'{"type": "ADDED", "object": ' + too_deep("b")[: 9 * sys.getrecursionlimit()])
    ]
    with pytest.raises(UnreachableError, match="ends in the middle"):
        list(cluster.watch(CAMPAIGN, resource_version="1"))
