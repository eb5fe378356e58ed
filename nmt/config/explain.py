"""Turns validation errors into sentences a user can act on."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from nmt.errors import did_you_mean


def explain(error: ValidationError, root: type[BaseModel], origins: Mapping[str, str]) -> str:
    """One line per fault: key, value, rule, origin, and a near key where one exists."""
    lines = [_line(dict(fault), root, origins) for fault in error.errors(include_url=False)]
    return lines[0] if len(lines) == 1 else "\n  ".join(["settings that cannot be used:", *lines])


def _line(fault: dict[str, Any], root: type[BaseModel], origins: Mapping[str, str]) -> str:
    location = [str(part) for part in fault["loc"]]
    key, owner = _locate(location, root)
    origin = f" (set in {origins[key]})" if key in origins else ""
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key{origin}.{_near_key(key, owner, root)}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "union_tag_invalid":
        expected = fault["ctx"]["expected_tags"]
        message = f"'{fault['ctx']['tag']}' is not one of {expected}"
        key = f"{key}.type"
    elif fault["type"] == "model_type":
        message = "is a section: set its keys, not the section itself"
    elif not isinstance(fault["input"], Mapping | BaseModel):
        message = f"{message}; got {fault['input']!r}"
    return f"{key}: {message}{origin}" if key else f"{message}{origin}"


def _locate(location: list[str], root: type[BaseModel]) -> tuple[str, type[BaseModel] | None]:
    """Dotted key of a fault (union tags left out), and the section that the last part is in."""
    owner: type[BaseModel] | None = root
    parts: list[str] = []
    members: dict[str, type[BaseModel]] = {}
    for index, part in enumerate(location):
        if part in members and owner is None:
            owner, members = members[part], {}
            continue
        parts.append(part)
        if index == len(location) - 1:
            break
        owner, members = _below(owner, part)
    return ".".join(parts), owner


def _below(
    owner: type[BaseModel] | None, name: str
) -> tuple[type[BaseModel] | None, dict[str, type[BaseModel]]]:
    field = owner.model_fields.get(name) if owner else None
    if field is None:
        return None, {}
    models = _models(field.annotation)
    if len(models) == 1:
        return models[0], {}
    return None, {str(model.model_fields["type"].default): model for model in models}


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType):
        return [model for member in get_args(annotation) for model in _models(member)]
    return []


def _near_key(key: str, owner: type[BaseModel] | None, root: type[BaseModel]) -> str:
    """Look in the section first, then for the same leaf anywhere in the tree."""
    *parents, leaf = key.split(".")
    prefix = ".".join([*parents, ""]) if parents else ""
    near = did_you_mean(key, [prefix + name for name in owner.model_fields]) if owner else ""
    if near:
        return near
    everywhere = dotted_keys(root)
    same_leaf = [other for other in everywhere if other.rpartition(".")[2] == leaf]
    if same_leaf:
        return f" Did you mean {' or '.join(repr(other) for other in same_leaf[:3])}?"
    near = did_you_mean(key, everywhere)
    known = sorted(owner.model_fields) if owner else []
    return near or (f" Known here: {', '.join(known)}." if known else "")


def dotted_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every setting below a section, over all types of its unions."""
    keys: dict[str, None] = {}
    for name, field in model.model_fields.items():
        below = _models(field.annotation)
        for section in below:
            keys |= dict.fromkeys(dotted_keys(section, f"{prefix}{name}."))
        if not below:
            keys[f"{prefix}{name}"] = None
    return list(keys)
