"""The generator of docs/reference.md, the list of all settings, from the fields of `nmt.config`.

Run it as `python docs/generate_reference.py` after a change of `nmt.config`; a test fails until
then. With `--check` it writes nothing, and exits with 1 if the page is out of date.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

REFERENCE = Path(__file__).parent / "reference.md"
# Read the settings of this checkout, even if another one is installed.
sys.path.insert(0, str(REFERENCE.parent.parent))

from nmt.config import AdapterConfig, Choice, Config, StrategyConfig, Uniform  # noqa: E402

_HEAD = """\
<!-- Made by docs/generate_reference.py from nmt/config: change it there. -->
# Settings

Every setting, its type, its default and what it means. They are given in YAML files
(`--config FILE`, which may be repeated; later files win) and as `key=value` words on the command
line, which override all files. An unknown key, or a key given twice in one file, is an error.
`nmt config show` prints the resolved settings, `nmt config check` checks them, and
`nmt config schema` prints their JSON schema.

* `null` unsets a value; lists and mappings are written as in YAML: `key=[a,b]`.
* Files are read as YAML 1.2: `no` and `12:30` are text, `1e-4` is a number, `010` is ten.
* A new `type` replaces the whole section, and a new `tune.space` the whole space.
* A setting that you give wins over what a search found.
* `strategy.type=deepspeed` and `adapter.type=qlora` need the extra `gpu`, even on CPUs.
* `strategy.type=single` takes one worker. `training.warmup_steps` must be below
  `training.max_steps`, `tune.grace_steps` at most `tune.max_steps`, `serving.min_replicas` at most
  `serving.max_replicas`, and `data.validation_fraction + data.test_fraction` below 1.

"""
_TYPES = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false"}
_BOUNDS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
_UNIONS: Mapping[str, Any] = {"adapter": AdapterConfig, "strategy": StrategyConfig}
_RANGES = (Choice, Uniform)


def render() -> str:
    """Return the whole page."""
    return _HEAD + "\n".join(_sections(Config, "")).rstrip() + "\n"


def _sections(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield the lines of a section: its plain keys first, then the sections inside it."""
    inner = {name: _section_of(field.annotation) for name, field in model.model_fields.items()}
    leaves = [name for name in model.model_fields if not inner[name] and name not in _UNIONS]
    yield from _section(model, prefix, leaves)
    for name, section in inner.items():
        if name in _UNIONS:
            yield from _union(name, f"{prefix}{name}")
        elif section:
            yield from _sections(section, f"{prefix}{name}.")
    for name in leaves:
        entry = _entry_of(model.model_fields[name].annotation)
        if entry:
            yield from _entry(entry, f"{prefix}{name}.NAME.")
    if "space" in leaves:
        yield from _ranges(f"{prefix}space")


def _section(model: type[BaseModel], prefix: str, names: list[str]) -> Iterator[str]:
    yield f"## `{prefix.rstrip('.')}`\n" if prefix else "## The run\n"
    yield f"{_about(model)}\n"
    yield from _table(model, prefix, names)


def _union(name: str, key: str) -> Iterator[str]:
    """Yield the lines of a section with several types, with a table for each type."""
    default = Config.model_fields[name].default.type
    yield f"## `{key}`\n"
    yield f"One of several types; `{key}.type` chooses, and is `{default}` when it is not set.\n"
    for section in get_args(_UNIONS[name]):
        tag = section.model_fields["type"].default
        yield f"### `{key}.type={tag}`\n"
        yield f"{_about(section)}\n"
        names = [field for field in section.model_fields if field != "type"]
        if names:
            yield from _table(section, f"{key}.", names)


def _entry(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield the lines of a section of which a mapping has several by name."""
    inner = [name for name, field in model.model_fields.items() if _section_of(field.annotation)]
    yield from _section(model, prefix, [name for name in model.model_fields if name not in inner])
    for name in inner:
        yield f"`{prefix}{name}`: {_lowered(model.model_fields[name].description or '')}\n"


def _ranges(key: str) -> Iterator[str]:
    """Yield the lines about the ranges that a search space maps settings to."""
    yield f"### A range of `{key}`\n"
    yield (
        f"`{key}` maps dotted settings to ranges. On the command line a key below it is the "
        f"setting's name: `{key}.adapter.dropout={{type: uniform, low: 0.0, high: 0.2}}`.\n"
    )
    for section in _RANGES:
        tags = get_args(section.model_fields["type"].annotation)
        yield f"**type: {' or '.join(tags)}**: {_lowered(_about(section))}\n"
        names = [field for field in section.model_fields if field != "type"]
        yield from _table(section, "", names)


def _table(model: type[BaseModel], prefix: str, names: list[str]) -> Iterator[str]:
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    # The JSON schema has the bounds of a number in one form, which the annotations do not.
    properties = model.model_json_schema()["properties"]
    for name in names:
        field = model.model_fields[name]
        cells = (
            f"`{prefix}{name}`",
            _type_of(properties[name]),
            "" if field.is_required() else _shown(field.get_default(call_default_factory=True)),
            field.description or "",
        )
        # A table of Markdown has one line for each row, in which `|` ends a cell.
        yield "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
    yield ""


def _about(model: type[BaseModel]) -> str:
    """Return a section's docstring on one line."""
    return " ".join((model.__doc__ or "").split())


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _section_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def _entry_of(annotation: object) -> type[BaseModel] | None:
    """Return the section that a mapping has for each name."""
    return _section_of(get_args(annotation)[1]) if get_origin(annotation) is dict else None


def _type_of(schema: Mapping[str, Any]) -> str:
    """Describe a field's JSON schema in words."""
    if "anyOf" in schema:
        return " or ".join(
            "`null`" if option.get("type") == "null" else _type_of(option)
            for option in schema["anyOf"]
        )
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        items = schema["items"]
        inner = "values" if "anyOf" in items else _type_of(items)
        return f"list of {inner}"
    if schema.get("type") == "object":
        # Names that match a pattern are described by the pattern.
        values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        if "$ref" in values[0]:
            return "mapping: name to the keys below"
        return f"mapping: {'name to text' if values[0].get('type') else 'setting to range'}"
    bounds = [f"{sign} {schema[key]}" for key, sign in _BOUNDS.items() if key in schema]
    pattern = [f"matching `{schema['pattern']}`"] if "pattern" in schema else []
    return ", ".join([_TYPES[schema["type"]], *bounds, *pattern])


def _shown(default: object) -> str:
    if isinstance(default, Mapping):
        ranges = {key: value.model_dump(mode="json") for key, value in default.items()}
        return "<br>".join(f"`{key}`: `{json.dumps(value)}`" for key, value in ranges.items())
    if isinstance(default, tuple):
        return f"`[{', '.join(map(str, default))}]`"
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


def main() -> int:
    """Write the page, or check it, and return the exit code."""
    parser = argparse.ArgumentParser(description="Write docs/reference.md from nmt.config.")
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        REFERENCE.write_text(render(), encoding="utf-8")
    elif REFERENCE.read_text(encoding="utf-8") != render():
        sys.stderr.write("docs/reference.md is out of date; run `make reference`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
