"""What users of the Role may create with their own token, beside what `nmt-k8s` makes for them."""

import uuid
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from kubernetes import client, dynamic

from k8s.api.client import KubernetesCluster
from k8s.api.cluster import BATCH_JOB, kind_of
from k8s.api.errors import check_answer
from k8s.cli.main import main
from k8s.objects.code_archive import CodeArchive
from k8s.objects.manifests import Submission, code_map, owned_by, ray_job, storage_job
from k8s.objects.release import Release
from nmt.config import load_with_user_set
from nmt.errors import ClusterError
from nmt.runs.steps import STEPS
from tests.k8s_api.conftest import RELEASE, Applied, as_account
from tests.support.chart.rendering import JsonObject, render

RBAC = "rbac.authorization.k8s.io"
PEOPLE = [
    {"kind": "User", "name": "alice", "apiGroup": RBAC},
    {"kind": "Group", "name": "linguists", "apiGroup": RBAC},
]
VALUES: JsonObject = {
    "rbac": {"subjects": PEOPLE},
    "cluster": {"enabled": True},
    "serving": {"enabled": False},
    "envSecretName": "hub",
    "storage": {"type": "object", "object": {"url": "s3://bucket/nmt", "secretName": "keys"}},
}
Change = Callable[[JsonObject], object]
Ask = Callable[[JsonObject], str]
SECRET = {"secretKeyRef": {"name": "other-team", "key": "password"}}


@pytest.fixture(scope="module")
def release(install: Callable[[JsonObject], Applied]) -> Applied:
    return install(VALUES)


@pytest.fixture(scope="module")
def refusal(release: Applied) -> Ask:
    """What the API server says against an object of the user; empty when it takes it."""
    ask = asking(as_account(release, f"{RELEASE}-user"), release.namespace)
    # The API server reads new policies a little later.
    unlabelled = changed(code(release), lambda made: made["metadata"].pop("labels"))
    stolen = changed(job(release), env(**SECRET))
    release.wait_for(lambda: ask(unlabelled) and ask(stolen), "no policy is enforced", seconds=30)
    return ask


def asking(api: client.ApiClient, namespace: str) -> Ask:
    user = dynamic.DynamicClient(api)

    def ask(body: JsonObject) -> str:
        resource = user.resources.get(api_version=body["apiVersion"], kind=body["kind"])
        try:
            resource.create(body, namespace=namespace, dry_run="All")
        except client.ApiException as error:
            return str(error.body)
        return ""

    return ask


def as_person(release: Applied, name: str, *groups: str) -> Ask:
    """Ask as a person whom an administrator impersonates."""
    api = client.ApiClient(release.api.configuration)
    api.set_default_header("Impersonate-User", name)
    for group in groups:
        api.set_default_header("Impersonate-Group", group)
    return asking(api, release.namespace)


def described(release: Applied, name: str = RELEASE) -> Release:
    found = release.find("v1", "ConfigMap", f"{name}-release")
    return Release.parse(found.data.to_dict(), "the ConfigMap")


def submission(**changes: object) -> Submission:
    fields: dict[str, Any] = {
        "name": "mine",
        "steps": ("train",),
        "loaded": load_with_user_set(),
        "group": "cpu",
        "pods": 1,
        "retries": 3,
        "deadline_seconds": 3600,
        "pending_seconds": 600,
    }
    return Submission(**{**fields, **changes})


def job(release: Applied, **changes: object) -> JsonObject:
    return ray_job(described(release), submission(**changes))


def command(release: Applied) -> JsonObject:
    return storage_job(described(release), f"{RELEASE}-storage-1", ["traffic"])


def code(release: Applied) -> JsonObject:
    made = submission(code_map="nmt-code-1")
    return code_map(described(release), made, CodeArchive(b"zip", "1"))


def changed(made: JsonObject, change: Change) -> JsonObject:
    made = deepcopy(made)
    change(made)
    return made


def template(made: JsonObject) -> JsonObject:
    """The Pod template of a Job, or that of a RayJob's head."""
    spec = made["spec"]
    return spec["template"] if "template" in spec else head(made)["template"]


def cluster(made: JsonObject) -> JsonObject:
    return made["spec"]["rayClusterSpec"]


def head(made: JsonObject) -> JsonObject:
    return cluster(made)["headGroupSpec"]


def pod(made: JsonObject) -> JsonObject:
    return template(made)["spec"]


def first(made: JsonObject) -> JsonObject:
    return pod(made)["containers"][0]


def volume(**source: object) -> Change:
    """Add a volume to the Pod."""
    return lambda made: pod(made).setdefault("volumes", []).append({"name": "more", **source})


def env(**source: object) -> Change:
    return lambda made: (
        first(made).setdefault("env", []).append({"name": "MORE", "valueFrom": source})
    )


def env_from(**source: object) -> Change:
    return lambda made: first(made).setdefault("envFrom", []).append(source)


def spec(**fields: object) -> Change:
    return lambda made: pod(made).update(fields)


def container(**fields: object) -> Change:
    return lambda made: first(made).update(fields)


def labels(**more: str) -> Change:
    return lambda made: template(made)["metadata"]["labels"].update(
        {key.replace("_", "/"): value for key, value in more.items()}
    )


TOKEN = {"serviceAccountToken": {"path": "token"}}
FIELD = {"fieldRef": {"fieldPath": "status.podIP"}}
COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"
IN_PODS: dict[str, tuple[Change, str]] = {
    "a foreign Secret by env": (env(**SECRET), "env 'MORE'"),
    "a ConfigMap by env": (env(configMapKeyRef={"name": "x", "key": "y"}), "env 'MORE'"),
    "a foreign Secret by envFrom": (env_from(secretRef={"name": "other-team"}), "envFrom of"),
    "a foreign Secret with a prefix": (
        env_from(secretRef={"name": "hub"}, prefix="A"),
        "envFrom of",
    ),
    "a foreign ConfigMap by envFrom": (env_from(configMapRef={"name": "x"}), "envFrom of"),
    "a foreign Secret by volume": (volume(secret={"secretName": "other-team"}), "volume 'more'"),
    "a named Secret by volume": (volume(secret={"secretName": "hub"}), "volume 'more'"),
    "a foreign ConfigMap": (volume(configMap={"name": "other-team"}), "volume 'more'"),
    "a foreign claim": (volume(persistentVolumeClaim={"claimName": "other"}), "volume 'more'"),
    "a new claim": (volume(ephemeral={"volumeClaimTemplate": {"spec": {}}}), "volume 'more'"),
    "a token by volume": (volume(projected={"sources": [TOKEN]}), "volume 'more'"),
    "a folder of the node": (volume(hostPath={"path": "/"}), "volume 'more'"),
    "files of a server": (volume(nfs={"server": "a", "path": "/"}), "volume 'more'"),
    "a driver's volume": (volume(csi={"driver": "secrets-store.csi.k8s.io"}), "volume 'more'"),
    "two sources of a volume": (
        volume(emptyDir={}, hostPath={"path": "/"}),
        "volume 'more'",
    ),
    "another account": (spec(serviceAccountName=f"{RELEASE}-autoscaler"), "serviceAccountName"),
    "the serving account": (spec(serviceAccountName=f"{RELEASE}-serving"), "serviceAccountName"),
    "the default account": (lambda made: pod(made).pop("serviceAccountName"), "template"),
    "a mounted token": (spec(automountServiceAccountToken=True), "automountServiceAccountToken"),
    "a token by default": (lambda made: pod(made).pop("automountServiceAccountToken"), "template"),
    "the node's network": (spec(hostNetwork=True), "hostNetwork"),
    "the node's processes": (spec(hostPID=True), "hostPID"),
    "the node's memory": (spec(hostIPC=True), "hostIPC"),
    "a chosen node": (spec(nodeName="control-plane"), "nodeName"),
    "a foreign toleration": (spec(tolerations=[{"operator": "Exists"}]), "tolerations"),
    "a foreign pull secret": (spec(imagePullSecrets=[{"name": "other-team"}]), "imagePullSecrets"),
    "host names of its own": (
        spec(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["a"]}]),
        "hostAliases",
    ),
    "another runtime": (spec(runtimeClassName="unsafe"), "runtimeClassName"),
    "a device": (spec(resourceClaims=[{"name": "a", "resourceClaimName": "b"}]), "resourceClaims"),
    "root": (spec(securityContext={"runAsUser": 0}), "securityContext"),
    "the image's user": (lambda made: pod(made).pop("securityContext"), "template|securityContext"),
    "a higher priority": (spec(priorityClassName="system-node-critical"), "priorityClassName"),
    "a privileged container": (container(securityContext={"privileged": True}), "securityContext"),
    "a container without limits": (
        lambda made: first(made).pop("securityContext"),
        "securityContext",
    ),
    "a port of the node": (container(ports=[{"containerPort": 1, "hostPort": 1}]), "ports may not"),
    "a device as block": (
        container(volumeDevices=[{"name": "a", "devicePath": "/a"}]),
        "volumeDevices",
    ),
    "a probe of another host": (
        container(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}),
        "no host",
    ),
    "a hook to another host": (
        container(lifecycle={"postStart": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}),
        "no host",
    ),
    "requests of clients": (
        lambda made: template(made)["metadata"]["labels"].update({COMPONENT: "serving"}),
        "label 'app.kubernetes.io/component'",
    ),
    "another release's network": (
        lambda made: template(made)["metadata"]["labels"].update({INSTANCE: "other"}),
        "label 'app.kubernetes.io/instance'",
    ),
    "a node type of Ray": (
        lambda made: template(made)["metadata"]["labels"].update({"ray.io/node-type": "worker"}),
        "label 'ray.io/node-type'",
    ),
    "no labels": (lambda made: template(made)["metadata"].pop("labels"), "template"),
    "annotations": (
        lambda made: template(made)["metadata"].setdefault("annotations", {}).update({"a": "b"}),
        "annotations",
    ),
    "a finalizer of Pods": (
        lambda made: template(made)["metadata"].update(finalizers=["a/b"]),
        "metadata.finalizers",
    ),
}
IN_RAY_JOBS: dict[str, tuple[Change, str]] = {
    "another account by its old name": (spec(serviceAccount="default"), "serviceAccount"),
    "an image as volume": (volume(image={"reference": "a"}), "volume 'more'"),
    "an account that scales": (
        lambda made: cluster(made).update(enableInTreeAutoscaling=True),
        "enableInTreeAutoscaling",
    ),
    "an autoscaler's Secret": (
        lambda made: cluster(made).update(
            autoscalerOptions={"envFrom": [{"secretRef": {"name": "other-team"}}]}
        ),
        "autoscalerOptions",
    ),
    "a Redis password": (
        lambda made: cluster(made).update(
            gcsFaultToleranceOptions={"redisAddress": "a:1", "redisPassword": {"valueFrom": SECRET}}
        ),
        "gcsFaultToleranceOptions",
    ),
    "another token's Secret": (
        lambda made: cluster(made).update(
            authOptions={"mode": "token", "secretName": "other-team"}
        ),
        "authOptions",
    ),
    "no token": (lambda made: cluster(made).pop("authOptions"), "authOptions"),
    "a Service of any kind": (
        lambda made: head(made).update(headService={"spec": {"type": "LoadBalancer"}}),
        "headGroupSpec.headService",
    ),
    "a type of Service": (
        lambda made: head(made).update(serviceType="NodePort"),
        "headGroupSpec.serviceType",
    ),
    "an Ingress": (
        lambda made: head(made).update(enableIngress=True),
        "headGroupSpec.enableIngress",
    ),
    "annotations of a Service": (
        lambda made: cluster(made).update(headServiceAnnotations={"a": "b"}),
        "headServiceAnnotations",
    ),
    "another controller": (
        lambda made: made["spec"].update(managedBy="kueue.x-k8s.io/multikueue"),
        "spec.managedBy",
    ),
    "rules of deletion": (
        lambda made: made["spec"].update(
            deletionStrategy={
                "onSuccess": {"policy": "DeleteNone"},
                "onFailure": {"policy": "DeleteNone"},
            }
        ),
        "spec.deletionStrategy",
    ),
    "a worker group's suspension": (
        lambda made: cluster(made)["workerGroupSpecs"][0].update(suspend=True),
        "workerGroupSpecs.suspend",
    ),
    "a Secret in workers": (
        lambda made: cluster(made)["workerGroupSpecs"][0]["template"]["spec"]["volumes"].append(
            {"name": "more", "secret": {"secretName": "other-team"}}
        ),
        "volume 'more'",
    ),
    "a Secret in an init container": (
        lambda made: pod(made).update(
            initContainers=[
                {**first(made), "name": "a", "env": [{"name": "B", "valueFrom": SECRET}]}
            ]
        ),
        "env 'B'",
    ),
    "another account of the submitter": (
        lambda made: made["spec"]["submitterPodTemplate"]["spec"].update(
            serviceAccountName=f"{RELEASE}-autoscaler"
        ),
        "serviceAccountName",
    ),
    "no submitter": (lambda made: made["spec"].pop("submitterPodTemplate"), "submitterPodTemplate"),
    "the endpoint's cluster": (
        lambda made: made.update(
            spec={**job_on(made), "clusterSelector": {"ray.io/cluster": f"{RELEASE}-abcde"}}
        ),
        "clusterSelector",
    ),
    "any cluster of a label": (
        lambda made: made.update(
            spec={**job_on(made), "clusterSelector": {"ray.io/serve": "true"}}
        ),
        "clusterSelector",
    ),
}
AROUND: dict[str, tuple[Change, str]] = {
    "an owner": (
        lambda made: made["metadata"].update(
            ownerReferences=[{"apiVersion": "v1", "kind": "Secret", "name": "a", "uid": "b"}]
        ),
        "metadata.ownerReferences",
    ),
    "a finalizer": (
        lambda made: made["metadata"].update(finalizers=["a.b/c"]),
        "metadata.finalizers",
    ),
    "no labels": (
        lambda made: made["metadata"].pop("labels"),
        f"{INSTANCE}|label",
    ),
    "another release": (lambda made: made["metadata"]["labels"].update({INSTANCE: "a"}), INSTANCE),
    "another component": (
        lambda made: made["metadata"]["labels"].update({COMPONENT: "release"}),
        COMPONENT,
    ),
    "a label of others": (
        lambda made: made["metadata"]["labels"].update({"grafana_dashboard": "1"}),
        "label 'grafana_dashboard'",
    ),
    "an annotation of KubeRay": (
        lambda made: made["metadata"].update(annotations={"ray.io/ft-enabled": "true"}),
        "annotation 'ray.io/ft-enabled'",
    ),
}


def job_on(made: JsonObject) -> JsonObject:
    """The spec of a RayJob on a running cluster."""
    left_out = {
        "rayClusterSpec",
        "backoffLimit",
        "shutdownAfterJobFinishes",
        "ttlSecondsAfterFinished",
    }
    return {key: value for key, value in made["spec"].items() if key not in left_out}


def says(found: str, expected: str) -> bool:
    return "denied request" in found and any(part in found for part in expected.split("|"))


@pytest.mark.parametrize("make", [job, command], ids=["RayJob", "Job"])
@pytest.mark.parametrize("theft", sorted(IN_PODS))
def test_a_pod_of_a_user_has_only_what_the_release_gives(
    release: Applied, refusal: Ask, theft: str, make: Callable[[Applied], JsonObject]
) -> None:
    change, expected = IN_PODS[theft]
    found = refusal(changed(make(release), change))
    # Of a Job, the API server itself checks the Pod first.
    assert says(found, expected) or "is invalid: " in found, found


@pytest.mark.parametrize("theft", sorted(IN_RAY_JOBS))
def test_kuberay_makes_only_jobs_for_a_user(release: Applied, refusal: Ask, theft: str) -> None:
    change, expected = IN_RAY_JOBS[theft]
    found = refusal(changed(job(release), change))
    assert says(found, expected), found


@pytest.mark.parametrize("make", [job, command, code], ids=["RayJob", "Job", "ConfigMap"])
@pytest.mark.parametrize("theft", sorted(AROUND))
def test_an_object_of_a_user_is_one_of_its_own_jobs(
    release: Applied, refusal: Ask, theft: str, make: Callable[[Applied], JsonObject]
) -> None:
    change, expected = AROUND[theft]
    found = refusal(changed(make(release), change))
    assert says(found, expected), found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"steps": ("tune",)},
        {"pods": 0},
        {"image": "registry.example/mine:2"},
        {"queue": "nights"},
        {"code": CodeArchive(b"zip", "1"), "code_map": "nmt-code-1"},
        {"to": f"{RELEASE}-cluster", "pods": 0},
        {
            "to": f"{RELEASE}-cluster",
            "pods": 0,
            "code": CodeArchive(b"zip", "1"),
            "code_map": "nmt-code-1",
        },
    ],
    ids=["default", "search", "no workers", "image", "queue", "code", "to", "code to"],
)
def test_what_nmt_k8s_submits_is_allowed(
    release: Applied, refusal: Ask, changes: dict[str, Any]
) -> None:
    assert refusal(job(release, **changes)) == ""


def test_the_commands_on_the_storage_are_allowed(release: Applied, refusal: Ask) -> None:
    assert refusal(command(release)) == ""


def test_code_with_its_owner_is_allowed(release: Applied, refusal: Ask) -> None:
    owned = owned_by(code(release), {"metadata": {"name": "mine", "uid": "b"}})
    assert refusal(owned) == ""


def test_a_pod_may_read_its_own_fields(release: Applied, refusal: Ask) -> None:
    assert refusal(changed(job(release), env(**FIELD))) == ""


def test_an_administrator_is_not_bound(release: Applied) -> None:
    made = changed(job(release), env(**SECRET))
    resources = dynamic.DynamicClient(release.api).resources
    resource = resources.get(api_version="ray.io/v1", kind="RayJob")
    assert resource.create(made, namespace=release.namespace, dry_run="All")


def test_the_code_of_no_release_is_named_like_a_release(release: Applied, refusal: Ask) -> None:
    found = refusal(
        changed(code(release), lambda made: made["metadata"].update(name="x-release")),
    )
    assert "nmt-code-" in found


def test_an_older_version_of_the_kind_is_checked_too(release: Applied, refusal: Ask) -> None:
    old = changed(job(release), lambda made: made.update(apiVersion="ray.io/v1alpha1"))
    assert says(refusal(changed(old, env(**SECRET))), "spec.|env 'MORE'|authOptions")


def test_a_job_takes_no_pods_of_others(release: Applied, refusal: Ask) -> None:
    chosen = {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}}
    found = refusal(changed(command(release), lambda made: made["spec"].update(chosen)))
    assert says(found, "spec.manualSelector") or "is invalid" in found, found


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


class Trying(KubernetesCluster):
    """A cluster on which objects are tried instead of created."""

    took_command = False

    def create(self, body: JsonObject, *, dry_run: bool = True) -> JsonObject | None:
        query = [("fieldValidation", "Strict"), ("dryRun", "All")]
        kind = kind_of(body)
        status, answer = self._call("POST", self._path(kind), query, body)
        check_answer(self, status, answer, "create", kind)
        if kind == BATCH_JOB:
            self.took_command = True
            raise ClusterError("no Pod will run")
        return answer


STEPS_TRIED = [*STEPS, "pipeline"]
TRANSLATED = ["submit", "translate", "--input", "a.txt", "--output", "b.txt"]


@pytest.mark.parametrize(
    "words",
    [
        *(["submit", step, "run=a", "--detach"] for step in STEPS_TRIED),
        ["submit", "train", "run=a", "--detach", "--working-dir", "docker"],
        ["submit", "train", "run=a", "--detach", "--image", "registry.example/mine:2"],
        ["submit", "train", "run=a", "--detach", "--queue", "nights", "--pods", "2"],
        ["submit", "train", "run=a", "--detach", "--to", f"{RELEASE}-cluster"],
        [*TRANSLATED, "--detach"],
        ["promote", "run=a"],
        ["rollback"],
        ["traffic"],
        ["status", "run=a"],
        ["status"],
        ["list"],
        ["logs", "gone"],
        ["keys", "list"],
        ["keys", "create", "laptop"],
    ],
    ids=" ".join,
)
def test_every_command_of_nmt_k8s_is_allowed(release: Applied, words: list[str]) -> None:
    cluster = Trying(as_account(release, f"{RELEASE}-user"), release.namespace, "the user")
    code = main(words, connect=lambda context, namespace: cluster)
    assert cluster.took_command or code == 0


def test_doctor_finds_all_rights_and_the_policy(
    release: Applied, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Trying(as_account(release, f"{RELEASE}-user"), release.namespace, "the user")
    main(["doctor"], connect=lambda context, namespace: cluster)
    said = capsys.readouterr().out
    assert "that are needed" in said
    assert "a Job with the rights of another account is refused" in said


def test_a_refusal_says_what_to_do(release: Applied) -> None:
    cluster = Trying(as_account(release, f"{RELEASE}-user"), release.namespace, "the user")
    with pytest.raises(
        ClusterError, match=r"a policy .* refuses to create rayjobs.*env 'MORE'.*nmt-release"
    ):
        cluster.create(changed(job(release), env(**SECRET)))


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


@pytest.mark.parametrize("person", [("alice",), ("bob", "linguists")], ids=["user", "group"])
def test_people_and_groups_are_bound_like_the_account(
    release: Applied, refusal: Ask, person: tuple[str, ...]
) -> None:
    ask = as_person(release, *person)
    assert ask(job(release)) == ""
    assert says(ask(changed(job(release), env(**SECRET))), "env 'MORE'")


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
