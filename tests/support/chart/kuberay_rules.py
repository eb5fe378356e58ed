"""The rules of KubeRay's controller that no CRD holds, as far as they apply to this chart.

After `validation.go` of KubeRay 1.6.1; an object that breaks one is accepted and never runs.
"""

import re
from collections.abc import Iterator

from k8s.api.cluster import JsonObject

LONGEST = {"RayCluster": 53, "RayService": 47}
_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_RESOURCES = ("num-cpus", "num-gpus", "memory", "resources")
_REDIS = ("RAY_REDIS_ADDRESS", "REDIS_USERNAME")


def name_faults(kind: str, name: str) -> list[str]:
    """What is wrong with the name of an object."""
    found = []
    if len(name) > LONGEST[kind]:
        found.append(f"{kind} name should be no more than {LONGEST[kind]} characters: {name}")
    if not _DNS_1035.fullmatch(name):
        found.append(f"{kind} name should be a valid DNS1035 label: {name}")
    return found


def cluster_faults(spec: JsonObject) -> list[str]:
    """What is wrong with a RayClusterSpec."""
    return [*_group_faults(spec), *_version_faults(spec), *_environment_faults(spec)]


def _group_faults(spec: JsonObject) -> Iterator[str]:
    autoscaling = spec.get("enableInTreeAutoscaling", False)
    names = [group["groupName"] for group in spec["workerGroupSpecs"]]
    if len(names) != len(set(names)):
        yield f"two worker groups of one name: {names}"
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        name, start = group.get("groupName", "head"), group["rayStartParams"]
        if not group["template"]["spec"]["containers"]:
            yield f"group {name} should have at least one container"
        if group.get("resources") and set(start) & set(_RESOURCES):
            yield f"group {name}: resources both in rayStartParams and in resources"
        if "labels" in start:
            yield f"group {name}: rayStartParams['labels'] is not supported"
        if autoscaling and group["template"]["spec"].get("restartPolicy", "Never") != "Never":
            yield f"group {name}: restartPolicy should be Never or unset with the autoscaler"
    for group in spec["workerGroupSpecs"]:
        least, most = group.get("minReplicas"), group.get("maxReplicas")
        if not autoscaling and (least is None or most is None):
            yield f"group {group['groupName']} must set both minReplicas and maxReplicas"
        elif least is not None and most is not None and not 0 <= least <= most:
            yield f"group {group['groupName']}: minReplicas {least}, maxReplicas {most}"


def _version_faults(spec: JsonObject) -> Iterator[str]:
    if spec.get("authOptions", {}).get("mode") == "token":
        version = tuple(int(part) for part in spec.get("rayVersion", "0").split("."))
        if version < (2, 52, 0):
            yield f"authOptions.mode is 'token' and rayVersion {spec.get('rayVersion')}"


def _environment_faults(spec: JsonObject) -> Iterator[str]:
    container = spec["headGroupSpec"]["template"]["spec"]["containers"][0]
    for variable in container.get("env", []):
        if variable["name"] in _REDIS:
            yield f"{variable['name']} is set without gcsFaultToleranceOptions"
        if (
            variable["name"] == "RAY_enable_autoscaler_v2"
            and variable.get("value") in ("1", "true")
            and not spec.get("enableInTreeAutoscaling")
        ):
            yield "RAY_enable_autoscaler_v2 is set without the autoscaler"
