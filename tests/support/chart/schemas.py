"""Schemas of Kubernetes and KubeRay as the files that kubeconform reads."""

import json
import os
from importlib.resources import files
from pathlib import Path

from tests.support.chart.custom_resources import read_schemas, strict

SCHEMA_FILE = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
_VERSION = "v1.37.0-local-strict"
_BUILT_IN = Path(str(files("kubernetes_validate"))) / "kubernetes-json-schema" / _VERSION
_DEFINITIONS = "_definitions.json"


def write_schemas(folder: Path) -> set[str]:
    """Write the schemas that are to be had, and return their kinds."""
    folder.mkdir(exist_ok=True)
    kinds = {_write_built_in(path, folder) for path in _BUILT_IN.glob("*.json")} - {""}
    if crds := os.environ.get("KUBERAY_CRDS"):
        custom = read_schemas(Path(crds))
        for kind, schema in custom.items():
            file = folder / f"{kind.lower()}-ray-v1.json"
            file.write_text(json.dumps(strict(schema)), encoding="utf-8")
        kinds |= set(custom)
    return kinds


def _write_built_in(path: Path, folder: Path) -> str:
    """Copy a schema, and return its kind, if it has one."""
    text = path.read_text("utf-8").replace(f"/api/{_DEFINITIONS}", _DEFINITIONS)
    schema = json.loads(text)
    # References would lead to a server otherwise, not to the file of definitions beside the schema.
    schema.pop("$id", None)
    (folder / path.name).write_text(json.dumps(schema), encoding="utf-8")
    of = schema.get("x-kubernetes-group-version-kind", [])
    return of[0]["kind"] if of else ""
