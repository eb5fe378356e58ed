"""The objects of a release for programs that know only Kubernetes: templates become Pods."""

import re

from k8s.api.cluster import JsonObject
from tests.support.chart.rendering import NAMESPACE, PodTemplate, pods


def plain_objects(manifests: list[JsonObject]) -> list[JsonObject]:
    """Return the objects of a release, and a Pod for every template of one.

    A Pod of several releases is named alike, so that what is found in it is counted once.
    """
    return [*(m for m in manifests if m["kind"] != "Pod"), *map(_pod, pods(manifests))]


def pod_name(pod: PodTemplate) -> str:
    """Name a Pod for what it is: `serving-head`, `job-worker`, `submitter`."""
    node = _node(pod)
    return f"{pod.component}-{node}" if node else pod.component


def _node(pod: PodTemplate) -> str:
    """Tell whether a Pod is a head or a worker of Ray; for another Pod, return an empty text."""
    found = re.search(r": (head|workers)", pod.where)
    return found[1].removesuffix("s") if found else ""


def _pod(pod: PodTemplate) -> JsonObject:
    """Write the Pod that KubeRay or Kubernetes makes of a template."""
    metadata = {
        **pod.metadata,
        "name": pod_name(pod),
        "namespace": NAMESPACE,
        "labels": {**_added_labels(pod), **pod.metadata["labels"]},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod.spec}


def _added_labels(pod: PodTemplate) -> JsonObject:
    """Return the labels that KubeRay adds to a Pod of Ray, and policies select by."""
    node = _node(pod)
    if not node:
        return {}
    return {"ray.io/is-ray-node": "yes", "ray.io/node-type": node, "ray.io/cluster": "ray"}
