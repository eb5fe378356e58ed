"""The description of a release, as the chart writes it into its ConfigMap."""

from typing import Any

from k8s.api.cluster import JsonObject
from nmt import __version__

IMAGE = "registry.example/nmt-ray:1"


def template(name: str, **container: object) -> JsonObject:
    """Build a small Pod template like those of the chart."""
    body = {"name": name, "image": IMAGE, "securityContext": {"readOnlyRootFilesystem": True}}
    return {
        "metadata": {"labels": {"app.kubernetes.io/component": "job"}},
        "spec": {"containers": [{**body, **container}]},
    }


def worker_group(name: str, cpus: int, gpus: int = 0) -> JsonObject:
    """Build a group of workers."""
    sizes = {"num-cpus": str(cpus)} | ({"num-gpus": str(gpus)} if gpus else {})
    limits = {"memory": "16Gi", "ephemeral-storage": "20Gi"} | (
        {"nvidia.com/gpu": str(gpus)} if gpus else {}
    )
    requests = {"cpu": str(cpus), "memory": "16Gi"}
    resources = {"requests": requests, "limits": limits}
    body = template("ray-worker", resources=resources)
    return {"groupName": name, "rayStartParams": sizes, "template": body}


def release_fields(**changes: object) -> dict[str, Any]:
    """Return all fields of a release, with some of them changed."""
    storage_pod = template("nmt-k8s", image="registry.example/nmt-tools:1")
    claim = {"name": "storage", "persistentVolumeClaim": {"claimName": "demo-storage"}}
    storage_pod["spec"]["volumes"] = [claim]
    fields: dict[str, Any] = {
        "name": "demo",
        "namespace": "team",
        "chartVersion": __version__,
        "labels": {"app.kubernetes.io/instance": "demo", "app.kubernetes.io/part-of": "nmt"},
        "images": {"ray": IMAGE, "tools": "registry.example/nmt-tools:1"},
        "storage": "/storage",
        "storageSecret": "",
        "config": {},
        "jobs": {
            "workers": "cpu",
            "retries": 3,
            "deadlineSeconds": 86400,
            "pendingSeconds": 600,
            "keepSeconds": 60,
            "queue": "",
        },
        "priorityClasses": {"serve": "team-serve", "train": "team-train", "tune": "team-tune"},
        "maxPods": {"cpu": 4, "gpu": 8},
        "rayCluster": {
            "rayVersion": "2.60.0",
            "authOptions": {"mode": "token"},
            "headGroupSpec": {
                "rayStartParams": {"num-cpus": "0"},
                "template": template("ray-head"),
            },
        },
        "workerGroups": {"cpu": worker_group("cpu", 4), "gpu": worker_group("gpu", 16, 2)},
        "submitter": template("ray-job-submitter"),
        "storagePod": storage_pod,
        "service": "demo",
        "endpoint": "demo-endpoint",
        "cluster": "",
    }
    return fields | changes
