"""Changes to the Pod templates of a release. Pure: each function returns a new template."""

from collections.abc import Mapping
from copy import deepcopy

from k8s.api.cluster import JsonObject

CODE_FOLDER = "/code"
_ZIP_FOLDER = "/code-zip"
_ZIP_NAME = "code.zip"
_NODE_RESOURCES = ("cpu", "memory", "ephemeral-storage")
"""What every container takes of its node; unpacking needs none of a GPU or another device."""


def with_labels(template: JsonObject, labels: Mapping[str, str]) -> JsonObject:
    """Add labels to a Pod template."""
    changed = deepcopy(template)
    metadata = changed.setdefault("metadata", {})
    metadata["labels"] = {**metadata.get("labels", {}), **labels}
    return changed


def with_priority(template: JsonObject, priority_class: str) -> JsonObject:
    """Set the PriorityClass of a Pod template, unless it is empty."""
    changed = deepcopy(template)
    if priority_class:
        changed["spec"]["priorityClassName"] = priority_class
    return changed


def with_image(template: JsonObject, old: str, new: str) -> JsonObject:
    """Replace an image in a Pod template, unless the new one is empty."""
    changed = deepcopy(template)
    if new:
        spec = changed["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            if container.get("image") == old:
                container["image"] = new
    return changed


def with_command(template: JsonObject, command: list[str], arguments: list[str]) -> JsonObject:
    """Set the command of the first container of a Pod template."""
    changed = deepcopy(template)
    # Kubernetes would replace `$(NAME)` in them.
    escaped = [word.replace("$(", "$$(") for word in arguments]
    changed["spec"]["containers"][0] |= {"command": command, "args": escaped}
    return changed


def with_code(template: JsonObject, config_map: str) -> JsonObject:
    """Mount the code of a ConfigMap, where Python finds it before the packages of the image."""
    changed = deepcopy(template)
    spec = changed["spec"]
    main = spec["containers"][0]
    mount = {"name": "code", "mountPath": CODE_FOLDER}
    spec["initContainers"] = [*spec.get("initContainers", []), _unpack(main, mount)]
    spec["volumes"] = [
        *spec.get("volumes", []),
        # A ConfigMap mounts read-only and only as a zip, so an init container unpacks it.
        {"name": "code-zip", "configMap": {"name": config_map}},
        {"name": "code", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    main["volumeMounts"] = [*main.get("volumeMounts", []), mount]
    kept = [entry for entry in main.get("env", []) if entry["name"] != "PYTHONPATH"]
    main["env"] = [*kept, {"name": "PYTHONPATH", "value": CODE_FOLDER}]
    main["workingDir"] = CODE_FOLDER
    return changed


def _unpack(main: JsonObject, mount: JsonObject) -> JsonObject:
    container = {
        "name": "code",
        "image": main["image"],
        "command": ["python", "-m", "zipfile", "-e", f"{_ZIP_FOLDER}/{_ZIP_NAME}", CODE_FOLDER],
        "volumeMounts": [mount, {"name": "code-zip", "mountPath": _ZIP_FOLDER, "readOnly": True}],
        # A namespace with a quota refuses a container without resources. These add nothing to the
        # Pod, which needs the larger of its init containers and its containers.
        "resources": _node_resources(main.get("resources", {})),
    }
    for key in ("imagePullPolicy", "securityContext"):
        if key in main:
            container[key] = deepcopy(main[key])
    return container


def _node_resources(resources: JsonObject) -> JsonObject:
    return {
        kind: {name: amount for name, amount in amounts.items() if name in _NODE_RESOURCES}
        for kind, amounts in resources.items()
        if kind in ("requests", "limits")
    }
