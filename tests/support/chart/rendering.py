"""The chart as Helm renders it, and the Pods that come of it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import helm_python
import pytest
import yaml

from k8s.api.cluster import JsonObject
from tests.support.project import PROJECT

CHART = PROJECT / "helm" / "nmt"
NAMESPACE = "team"

_VALUES_FILES = sorted((CHART / "values").glob("*.yaml"))
_RBAC = "rbac.authorization.k8s.io"
_SIDECAR: JsonObject = {
    "image": "registry.example/sidecar:1",
    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    "readinessProbe": {"exec": {"command": ["true"]}},
    "resources": {
        "requests": {"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "16Mi"},
        "limits": {"memory": "32Mi", "ephemeral-storage": "32Mi"},
    },
}
EVERYTHING: JsonObject = {
    "cluster": {"enabled": True},
    "serving": {
        "pods": {
            "min": 2,
            "podTemplate": {"spec": {"containers": [{**_SIDECAR, "name": "shipper"}]}},
        },
        "serviceType": "LoadBalancer",
    },
    "operator": {"enabled": True},
    "monitoring": {"podMonitors": True, "alerts": True, "dashboard": True},
    "imagePullSecrets": ["registry"],
    "envSecretName": "hub",
    "podLabels": {"team": "language"},
    "podAnnotations": {"note": "x"},
    "podTemplate": {
        "metadata": {"annotations": {"sidecar.istio.io/inject": "false"}},
        "spec": {
            "volumes": [{"name": "ca", "configMap": {"name": "ca"}}],
            "hostAliases": [{"ip": "10.0.0.5", "hostnames": ["hub.local"]}],
            "containers": [
                {
                    "name": "main",
                    "env": [{"name": "SSL_CERT_FILE", "value": "/etc/ca/ca.pem"}],
                    "volumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": True}],
                }
            ],
            "initContainers": [{**_SIDECAR, "name": "tunnel", "restartPolicy": "Always"}],
        },
    },
    "rbac": {"subjects": [{"kind": "Group", "name": "linguists", "apiGroup": _RBAC}]},
}
BUCKET: JsonObject = {
    "storage": {"type": "object", "object": {"url": "s3://bucket/nmt", "secretName": "keys"}},
    "cluster": {"enabled": True},
}


IMAGES: JsonObject = {
    key: {"repository": f"registry.example/{name}"}
    for key, name in {"image": "nmt-ray", "toolsImage": "nmt-tools"}.items()
}
"""What every release has to name, and tests may leave out."""


def _read(path: Path) -> JsonObject:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RELEASES: dict[str, JsonObject] = {
    "defaults": {},
    "everything": EVERYTHING,
    "bucket": BUCKET,
    **{path.stem: _read(path) for path in _VALUES_FILES},
}
"""Values that tests hold for all of: the ready ones, and what they leave out."""


@dataclass(frozen=True)
class PodTemplate:
    """A Pod, or the template of one, wherever it is written."""

    where: str
    metadata: JsonObject
    spec: JsonObject

    @property
    def component(self) -> str:
        """What it is for."""
        return self.metadata["labels"]["app.kubernetes.io/component"]

    @property
    def containers(self) -> list[JsonObject]:
        """All of them, the main one first."""
        return [*self.spec["containers"], *self.spec.get("initContainers", [])]


@cache
def _files(values: str, name: str, namespace: str) -> dict[str, str]:
    given = json.loads(values)
    images = {key: {**default, **given.get(key, {})} for key, default in IMAGES.items()}
    with helm_python.Chart.load(str(CHART)) as chart:
        return chart.render({**given, **images}, name=name, namespace=namespace)


def render_files(values: JsonObject, *, name: str = "demo") -> dict[str, str]:
    """Path -> text of a release, rendered anew."""
    return _files.__wrapped__(json.dumps(values), name, NAMESPACE)


def render_template(template: str, values: JsonObject, folder: Path) -> str:
    """Render a template of the test's own in a copy of the chart, which knows all its definitions.

    What Helm asks a cluster for is given to such a template as text.
    """
    copy = shutil.copytree(CHART, folder / "nmt", dirs_exist_ok=True)
    (copy / "templates" / "probe.yaml").write_text(template)
    with helm_python.Chart.load(str(copy)) as chart:
        rendered = chart.render({**IMAGES, **values}, name="demo", namespace=NAMESPACE)
    return rendered["nmt/templates/probe.yaml"]


def render(
    values: JsonObject | None = None, *, name: str = "demo", namespace: str = NAMESPACE
) -> list[JsonObject]:
    """Every object of a release, hooks included."""
    files = _files(json.dumps(values or {}), name, namespace)
    return [
        manifest
        for path, text in files.items()
        if path.endswith(".yaml")
        for manifest in yaml.load_all(text, Loader=yaml.CSafeLoader)
        if manifest
    ]


def refusal(values: JsonObject, *, name: str = "demo") -> str:
    """What Helm says of values that it must not render."""
    with pytest.raises(helm_python.HelmError) as caught:
        render(values, name=name)
    return str(caught.value)


def notes(values: JsonObject | None = None, *, name: str = "demo") -> str:
    """What Helm says after an installation."""
    return _files(json.dumps(values or {}), name, NAMESPACE)["nmt/templates/NOTES.txt"]


def kinds(manifests: list[JsonObject], kind: str) -> dict[str, JsonObject]:
    """Name -> object, of one kind."""
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] == kind}


def release_json(manifests: list[JsonObject]) -> JsonObject:
    """What the chart tells `nmt-k8s`."""
    maps = [m for n, m in kinds(manifests, "ConfigMap").items() if n.endswith("-release")]
    return json.loads(maps[0]["data"]["release.json"])


def cluster_specs(manifests: list[JsonObject]) -> dict[str, JsonObject]:
    """Every RayClusterSpec; that of a job with all its worker groups, of one Pod each."""
    job = release_json(manifests)
    groups = [{**g, "minReplicas": 1, "maxReplicas": 1} for g in job["workerGroups"].values()]
    specs = {"job": {**job["rayCluster"], "workerGroupSpecs": groups}}
    for name, manifest in kinds(manifests, "RayCluster").items():
        specs[f"RayCluster {name}"] = manifest["spec"]
    for name, manifest in kinds(manifests, "RayService").items():
        specs[f"RayService {name}"] = manifest["spec"]["rayClusterConfig"]
    return specs


def pods(manifests: list[JsonObject]) -> list[PodTemplate]:
    """Every Pod that comes of a release, those of its jobs included."""
    return list(_pods(manifests))


def _pods(manifests: list[JsonObject]) -> Iterator[PodTemplate]:
    for where, spec in cluster_specs(manifests).items():
        yield _pod(f"{where}: head", spec["headGroupSpec"]["template"])
        for group in spec["workerGroupSpecs"]:
            yield _pod(f"{where}: workers {group['groupName']}", group["template"])
    release = release_json(manifests)
    yield _pod("submitter", release["submitter"])
    yield _pod("storage", release["storagePod"])
    for name, manifest in kinds(manifests, "Deployment").items():
        yield _pod(f"Deployment {name}", manifest["spec"]["template"])
    for name, manifest in kinds(manifests, "Pod").items():
        yield _pod(f"Pod {name}", manifest)


def _pod(where: str, template: JsonObject) -> PodTemplate:
    return PodTemplate(where, template["metadata"], template["spec"])
