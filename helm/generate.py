"""Write what the chart takes from `helm.values.nmt`: schema, default values, defaults.

Run it as `make schema` after a change of these values or of `nmt.config`; a test fails until then.
With `--check` nothing is written, and a file that is not up to date ends with 1.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT))  # `python helm/generate.py` starts in this folder

from helm.values.nmt import ChartValues, WorkerGroup  # noqa: E402
from nmt.config import Config  # noqa: E402
from nmt.config.layers import DEFAULT_TYPES  # noqa: E402
from nmt.languages import known_codes  # noqa: E402

CHART = PROJECT / "helm" / "nmt"

_HEAD = """\
# Made by helm/generate.py from helm/values/nmt.py: change it there, then run `make schema`.
# Ready values for one kind of cluster each lie in values/.
"""
_DROPPED = ("title", "discriminator")
_RENAMED = {"operatorImage": "toolsImage"}
"""Old keys of the values, refused with a message that names the new one."""

Schema = dict[str, Any]


def files() -> dict[Path, str]:
    """Every file that is generated, with its content."""
    return {
        CHART / "values.schema.json": _json(schema()),
        CHART / "values.yaml": _HEAD + "\n".join(_values(ChartValues(), "")) + "\n",
        CHART / "files" / "config-defaults.json": _json(Config().model_dump(mode="json")),
        CHART / "files" / "languages.json": _json(dict(known_codes())),
        CHART / "files" / "worker-group-defaults.json": _json(_plain(WorkerGroup())),
    }


def schema() -> Schema:
    """JSON schema of the values, in the keywords that Helm understands and explains well."""
    raw = ChartValues.model_json_schema(by_alias=True)
    written = _tidy(raw)
    config = written["$defs"]["Config"]["properties"]
    for key, default in DEFAULT_TYPES.items():
        config[key] = _by_type(raw["$defs"]["Config"]["properties"][key], default)
    space = raw["$defs"]["TuneConfig"]["properties"]["space"]["additionalProperties"]
    written["$defs"]["TuneConfig"]["properties"]["space"]["additionalProperties"] = _by_type(space)
    # Helm passes this key to every chart that another chart depends on.
    written["properties"]["global"] = {"type": "object"}
    # Helm quotes the constant in its message, which a key that is merely unknown does not get.
    for old, new in _RENAMED.items():
        written["properties"][old] = {"const": f"renamed to {new}"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **written}


def _tidy(node: Any) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    tidy: Schema = {
        key: _each(value) if key in ("properties", "$defs", "patternProperties") else _tidy(value)
        for key, value in node.items()
        if key not in _DROPPED and not (key == "default" and isinstance(value, dict))
    }
    if "description" in tidy:
        tidy["description"] = tidy["description"].partition("\n\n")[0]
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    return _optional(tidy)


def _each(schemas: Schema) -> Schema:
    """Under these keywords the keys are names, so one called `title` stays."""
    return {name: _tidy(schema) for name, schema in schemas.items()}


def _optional(node: Schema) -> Schema:
    """`anyOf [X, null]` as one type, for a message that names what is wanted."""
    members = node.get("anyOf", [])
    if len(members) != 2 or members[1] != {"type": "null"} or "type" not in members[0]:
        return node
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**rest, **members[0], "type": [members[0]["type"], "null"]}


def _by_type(union: Schema, default: str | None = None) -> Schema:
    """A union as one branch for each `type`: `oneOf` would blame all members for a fault in one.

    Without a type, the default one is meant.
    """
    members: Mapping[str, str] = union["discriminator"]["mapping"]
    branches = [
        {
            "if": {"properties": {"type": {"const": tag}}, "required": ["type"]},
            "then": {"$ref": ref},
        }
        for tag, ref in members.items()
    ]
    if default:
        unnamed = {"if": {"not": {"required": ["type"]}}, "then": {"$ref": members[default]}}
        branches.append(unnamed)
    return {
        "type": "object",
        "properties": {"type": {"enum": list(members)}},
        **({} if default else {"required": ["type"]}),
        "allOf": branches,
    }


def _values(section: BaseModel, indent: str) -> Iterator[str]:
    """Lines of `values.yaml`: each key below its description."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        about = field.description or _about(value)
        yield f"{indent}# -- {about}"
        yield from _entry(field.alias or name, value, indent)


def _entry(key: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, Config):
        yield f"{indent}{key}: {{}}"
    elif isinstance(value, BaseModel):
        yield f"{indent}{key}:"
        yield from _values(value, f"{indent}  ")
    elif isinstance(value, dict) and any(isinstance(part, BaseModel) for part in value.values()):
        yield f"{indent}{key}:"
        for name, part in value.items():
            yield from _entry(name, part, f"{indent}  ")
    else:
        yield f"{indent}{key}: {_flow(value)}"


def _flow(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip().replace("''", '""')


def _about(value: object) -> str:
    return (type(value).__doc__ or "").partition("\n\n")[0]


def _plain(section: BaseModel) -> Schema:
    return section.model_dump(mode="json", by_alias=True)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def stale() -> list[str]:
    """Generated files that do not hold what would be generated now."""
    return [
        str(path.relative_to(PROJECT))
        for path, content in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        behind = stale()
        if behind:
            sys.stderr.write(f"not up to date: {', '.join(behind)}; run `make schema`\n")
        return 1 if behind else 0
    for path, content in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
