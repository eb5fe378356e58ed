"""Objects of KubeRay's kinds against its CustomResourceDefinitions: unknown fields, types, CEL.

Not covered: rules about a change (`oldSelf`), and Kubernetes' own CEL libraries but `isSorted`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import celpy
import jsonschema
import yaml
from celpy import celtypes

from k8s.api.cluster import JsonObject

_INTEGERS = ("int32", "int64")


def read_schemas(folder: Path) -> dict[str, JsonObject]:
    """Kind -> schema of its version v1, from a folder of CRDs."""
    schemas = {}
    for path in sorted(folder.glob("*.yaml")):
        for crd in yaml.load_all(path.read_text("utf-8"), Loader=yaml.CSafeLoader):
            versions = {v["name"]: v["schema"]["openAPIV3Schema"] for v in crd["spec"]["versions"]}
            if "v1" in versions:
                schemas[crd["spec"]["names"]["kind"]] = versions["v1"]
    return schemas


def faults(schema: JsonObject, manifest: JsonObject) -> list[str]:
    """What the API server would refuse."""
    filled = _fill(schema, _prune(manifest))
    validator = jsonschema.Draft7Validator(strict(schema))
    typed = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(filled)]
    return typed or list(_broken_rules(schema, filled, ""))


def strict(schema: JsonObject) -> JsonObject:
    """A schema of a CRD as JSON schema that refuses unknown fields."""
    result = {k: v for k, v in schema.items() if not (k == "format" and v in _INTEGERS)}
    if result.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        result["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if result.pop("nullable", False) and "type" in result:
        result["type"] = [result["type"], "null"]
    if "properties" in result:
        result["properties"] = {k: strict(v) for k, v in result["properties"].items()}
        # A root schema leaves the content of `metadata` to the API server.
        if not result.get("x-kubernetes-preserve-unknown-fields"):
            result.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = strict(result[key])
    return result


def _prune(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _prune(v) for k, v in node.items() if v is not None}
    return [_prune(item) for item in node] if isinstance(node, list) else node


def _fill(schema: JsonObject, node: Any) -> Any:
    """With the defaults that the API server fills in before it looks at the rules."""
    if isinstance(node, list):
        return [_fill(schema.get("items", {}), item) for item in node]
    if not isinstance(node, dict):
        return node
    properties = schema.get("properties", {})
    defaults = {k: s["default"] for k, s in properties.items() if "default" in s}
    return {k: _fill(properties.get(k, {}), v) for k, v in {**defaults, **node}.items()}


def _broken_rules(schema: JsonObject, node: Any, path: str) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", []):
        if "oldSelf" not in rule["rule"] and not _holds(rule["rule"], node):
            yield f"{path or '$'}: {rule.get('message', rule['rule'])}"
    if isinstance(node, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        for key, value in node.items():
            below = known.get(key, other)
            if isinstance(below, dict):
                yield from _broken_rules(below, value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _broken_rules(schema.get("items", {}), item, f"{path}[{index}]")


def _is_sorted(values: Any) -> celtypes.BoolType:
    return celtypes.BoolType(list(values) == sorted(values))


def _holds(rule: str, node: Any) -> bool:
    environment = celpy.Environment()
    program = environment.program(environment.compile(rule), functions={"isSorted": _is_sorted})
    return bool(program.evaluate({"self": celpy.json_to_cel(node)}))
