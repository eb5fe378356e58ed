"""What users of the Role ask of the API server: objects of `nmt-k8s`, and changes of them."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from kubernetes import client, dynamic

from k8s.objects.code_archive import CodeArchive
from k8s.objects.manifests import Submission, code_map, ray_job, storage_job
from k8s.objects.release import Release
from nmt.config import load_with_user_set
from tests.support.chart.rendering import JsonObject
from tests.support.k8s.applied_release import RELEASE, Applied

RBAC = "rbac.authorization.k8s.io"
PEOPLE = [
    {"kind": "User", "name": "alice", "apiGroup": RBAC},
    {"kind": "Group", "name": "linguists", "apiGroup": RBAC},
]
BOUND: JsonObject = {
    "rbac": {"subjects": PEOPLE},
    "cluster": {"enabled": True},
    "serving": {"enabled": False},
    "envSecretName": "hub",
    "storage": {"type": "object", "object": {"url": "s3://bucket/nmt", "secretName": "keys"}},
}
Change = Callable[[JsonObject], object]
Ask = Callable[[JsonObject], str]
SECRET = {"secretKeyRef": {"name": "other-team", "key": "password"}}


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


def says(found: str, expected: str) -> bool:
    return "denied request" in found and any(part in found for part in expected.split("|"))
