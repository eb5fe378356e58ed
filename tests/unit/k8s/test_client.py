"""Tests of the client with an HTTP server that answers like an API server."""

from collections.abc import Iterator

import pytest

pytest.importorskip("kubernetes", reason="needs the extra k8s")

from k8s.api import transport
from k8s.api.client import KubernetesCluster, connect
from k8s.api.cluster import EVENT, NODE, POD, RAY_JOB
from nmt.errors import ClusterError, InputError, UnreachableError
from tests.support.k8s.prepared_server import Api, kubeconfig_for, prepared_server, refusal

POLICY = (
    "rayjobs.ray.io \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' "
    "denied request:"
)


@pytest.fixture
def api() -> Iterator[Api]:
    with prepared_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(transport, "_PAUSES", (0.0, 0.0))


@pytest.fixture
def kubeconfig(api, tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text(kubeconfig_for(api))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    return path


@pytest.fixture
def cluster(kubeconfig) -> KubernetesCluster:
    return connect(None, None)


def test_the_namespace_is_that_of_the_context(cluster):
    assert cluster.namespace == "mine"


def test_another_context_and_namespace_can_be_chosen(kubeconfig):
    assert connect("there", None).namespace == "default"
    assert connect("there", "team").namespace == "team"


def test_an_unknown_context_is_refused_with_the_known_names(kubeconfig):
    with pytest.raises(InputError, match="--context nowhere: the kubeconfig has here, there"):
        connect("nowhere", None)


def test_without_a_kubeconfig_the_message_says_where_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    path = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(path, str(tmp_path / "missing"))
    with pytest.raises(ClusterError, match="set KUBECONFIG"):
        connect(None, None)


def test_an_object_is_read_from_its_group_and_namespace(cluster, api):
    api.answers = [(200, {"metadata": {"name": "a"}})]
    assert cluster.get(RAY_JOB, "a") == {"metadata": {"name": "a"}}
    assert api.asked == [("GET", "/apis/ray.io/v1/namespaces/mine/rayjobs/a", None)]


def test_a_kind_of_the_whole_cluster_has_no_namespace(cluster, api):
    api.answers = [(200, {"items": []})]
    cluster.select(NODE)
    assert api.asked[0][1] == "/api/v1/nodes"


def test_get_returns_none_for_a_missing_object(cluster, api):
    api.answers = [refusal(404, "not found")]
    assert cluster.get(RAY_JOB, "a") is None


def test_objects_are_selected_by_label(cluster, api):
    api.answers = [(200, {"items": [{"metadata": {"name": "a"}}]})]
    assert len(cluster.select(POD, "a=b,c=d")) == 1
    assert api.asked[0][1] == "/api/v1/namespaces/mine/pods?labelSelector=a%3Db%2Cc%3Dd"


def test_objects_are_selected_by_field(cluster, api):
    api.answers = [(200, {"items": []})]
    cluster.select(EVENT, fields="type=Warning")
    assert api.asked[0][1] == "/api/v1/namespaces/mine/events?fieldSelector=type%3DWarning"


def test_a_missing_kuberay_is_reported_with_how_to_install_it(cluster, api):
    api.answers = [(404, b"404 page not found\n")]
    with pytest.raises(ClusterError, match="KubeRay is not installed"):
        cluster.select(RAY_JOB)


def test_create_asks_the_server_to_refuse_unknown_fields(cluster, api):
    body = {"kind": "ConfigMap", "metadata": {"name": "a"}}
    api.answers = [(201, {**body, "metadata": {"name": "a", "uid": "1"}})]
    made = cluster.create(body)
    assert made is not None
    assert made["metadata"]["uid"] == "1"
    path = "/api/v1/namespaces/mine/configmaps?fieldValidation=Strict"
    assert api.asked == [("POST", path, body)]


def test_create_returns_none_if_the_name_is_taken(cluster, api):
    api.answers = [refusal(409, "exists", reason="AlreadyExists")]
    assert cluster.create({"kind": "ConfigMap", "metadata": {"name": "a"}}) is None


def test_create_is_never_retried(cluster, api):
    api.answers = [refusal(503, "overloaded"), (201, {})]
    with pytest.raises(UnreachableError, match="overloaded"):
        cluster.create({"kind": "ConfigMap", "metadata": {"name": "a"}})
    assert len(api.asked) == 1


def test_a_missing_namespace_is_bad_input(cluster, api):
    details = {"kind": "namespaces", "name": "mine"}
    api.answers = [refusal(404, 'namespaces "mine" not found', details=details)]
    with pytest.raises(InputError, match="namespace 'mine' does not exist"):
        cluster.create({"kind": "RayJob", "metadata": {"name": "a"}})


def test_delete_returns_whether_the_object_existed(cluster, api):
    api.answers = [(200, {}), refusal(404, "not found")]
    assert cluster.delete(RAY_JOB, "a")
    assert not cluster.delete(RAY_JOB, "a")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_read_is_retried_when_the_server_is_busy(cluster, api, status):
    api.answers = [refusal(status, "busy"), (200, {"items": []})]
    assert cluster.select(POD) == []


def test_a_read_fails_when_the_server_stays_busy(cluster, api):
    api.answers = [refusal(503, "busy")] * 3
    with pytest.raises(UnreachableError, match="busy"):
        cluster.select(POD)
    assert api.answers == []


@pytest.mark.parametrize(
    ("status", "message", "error", "words"),
    [
        (401, "Unauthorized", ClusterError, "does not know you"),
        (403, "pods is forbidden: User x cannot list", ClusterError, "rbac.subjects"),
        (403, "exceeded quota: q", ClusterError, "exceeded quota: q"),
        (403, "violates PodSecurity", ClusterError, "violates PodSecurity"),
        (403, f"{POLICY} use the account nmt-jobs", ClusterError, "configmaps: use the account"),
        (422, f"{POLICY} use the account nmt-jobs", ClusterError, "configmaps: use the account"),
        (422, "spec.x: Invalid value", InputError, "spec.x: Invalid value"),
        (400, 'unknown field "spec.typo"', InputError, "spec.typo"),
        (500, "spec.typo: field not declared in schema", InputError, "spec.typo"),
    ],
)
def test_a_refusal_becomes_an_error_that_says_what_to_do(
    cluster, api, status, message, error, words
):
    api.answers = [refusal(status, message)]
    with pytest.raises(error, match=words):
        cluster.create({"kind": "ConfigMap", "metadata": {"name": "a"}})


def test_no_message_contains_the_token(cluster, api):
    api.answers = [refusal(401, "Unauthorized")]
    with pytest.raises(ClusterError) as caught:
        cluster.get(POD, "a")
    assert "secret-token" not in str(caught.value)


def test_a_server_that_does_not_listen_is_named(kubeconfig, api):
    cluster = connect(None, None)
    api.shutdown()
    api.server_close()
    with pytest.raises(UnreachableError, match=rf"context 'here', http://127.*{api.server_port}"):
        cluster.get(POD, "a")


def test_a_log_comes_line_by_line(cluster, api):
    api.answers = [(200, b"1Z one\n2Z two\n3Z three")]
    lines = list(cluster.log("p", "main", since="2026-01-01T00:00:00Z", tail=9))
    assert lines == ["1Z one", "2Z two", "3Z three"]
    query = api.asked[0][1]
    for part in ("container=main", "timestamps=true", "follow=true", "tailLines=9", "sinceTime="):
        assert part in query


def test_a_log_that_does_not_exist_yet_raises_an_error_that_allows_a_retry(cluster, api):
    api.answers = [refusal(400, "container is waiting to start")]
    with pytest.raises(UnreachableError, match="waiting to start"):
        list(cluster.log("p", "main"))


def test_a_right_on_a_subresource_is_checked(cluster, api):
    api.answers = [(201, {"status": {"allowed": True}})]
    assert cluster.allowed("get", POD, subresource="log")
    attributes = api.asked[0][2]["spec"]["resourceAttributes"]
    assert attributes == {"verb": "get", "group": "", "resource": "pods", "namespace": "mine",
                          "subresource": "log"}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kinds", "known"),
    [(200, ["rayclusters", "rayjobs"], True), (200, ["rayclusters"], False), (404, [], False)],
)
def test_a_kind_is_known_when_its_group_lists_it(cluster, api, status, kinds, known):
    api.answers = [(status, {"resources": [{"name": kind} for kind in kinds]})]
    assert cluster.serves(RAY_JOB) is known


def test_a_right_is_missing_only_if_the_server_says_so(cluster, api):
    api.answers = [(201, {"status": {"allowed": False}})]
    assert not cluster.allowed("get", POD)


def test_a_busy_server_is_asked_again_for_a_right(cluster, api):
    api.answers = [(503, {}), (201, {"status": {"allowed": True}})]
    assert cluster.allowed("get", POD)


def test_a_user_that_the_server_does_not_know_is_not_told_of_missing_rights(cluster, api):
    api.answers = [(401, {"message": "Unauthorized"})]
    with pytest.raises(ClusterError, match="does not know you"):
        cluster.allowed("get", POD)


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_server_keeps_nothing_of_a_dry_run(cluster, api, dry_run):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    api.answers = [(201, body)]
    cluster.create(body, dry_run=dry_run)
    assert ("dryRun=All" in api.asked[0][1]) is dry_run
