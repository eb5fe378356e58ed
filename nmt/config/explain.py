"""Turns validation errors into sentences a user can act on."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

Types = Mapping[str, type[BaseModel]]


def explain(error: ValidationError, root: type[BaseModel], origins: Mapping[str, str]) -> str:
    """One line per fault: key, value, rule, origin, and a near key where one exists."""
    lines = [_line(dict(fault), root, origins) for fault in error.errors(include_url=False)]
    return lines[0] if len(lines) == 1 else "\n  ".join(["settings that cannot be used:", *lines])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fault is; the tags of unions are no part of its key."""

    key: str
    owner: type[BaseModel] | None
    """Section that the last part of the key is in."""
    tag: str
    """Type of that section, when it has several."""
    types: Types
    """All types of that section, when it has several."""
    below: Types
    """Types of the key itself, when it is a section that has several."""


def _line(fault: dict[str, Any], root: type[BaseModel], origins: Mapping[str, str]) -> str:
    place = _locate([str(part) for part in fault["loc"]], root)
    key = place.key
    if fault["type"] == "extra_forbidden":
        return _unknown(place, root, _origin(key, origins) or _origin_below(key, origins))
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "union_tag_invalid":
        expected = fault["ctx"]["expected_tags"]
        message = f"'{fault['ctx']['tag']}' is not one of {expected}"
        key = f"{key}.type"
    elif fault["type"] == "union_tag_not_found":
        message = f"needs a type: {' or '.join(place.below)}"
    elif fault["type"] in ("model_type", "model_attributes_type"):
        like = f", like {key}.type" if place.below else ""
        message = f"is a section: set its keys{like}, not the section itself"
    elif not isinstance(fault["input"], Mapping | BaseModel):
        message = f"{message}; got {fault['input']!r}"
    origin = _origin(key, origins)
    ending = f" (set in {origin})" if origin else ""
    return f"{key}: {message}{ending}" if key else f"{message}{ending}"


def _unknown(place: _Place, root: type[BaseModel], origin: str) -> str:
    section, _, leaf = place.key.rpartition(".")
    others = [tag for tag, model in place.types.items() if leaf in model.model_fields]
    if others:
        ending = f"; the key is set in {origin}" if origin else ""
        return (
            f"{place.key}: belongs to {section}.type={' or '.join(others)}, "
            f"and {section}.type is {place.tag}{ending}"
        )
    ending = f" (set in {origin})" if origin else ""
    return f"{place.key}: unknown key{ending}.{_hint(place, root)}"


def _origin(key: str, origins: Mapping[str, str]) -> str:
    """Where a key, or the whole value that it is in, was set."""
    while key and key not in origins:
        key = key.rpartition(".")[0]
    return origins.get(key, "")


def _origin_below(key: str, origins: Mapping[str, str]) -> str:
    return next((at for other, at in origins.items() if other.startswith(f"{key}.")), "")


def _locate(location: list[str], root: type[BaseModel]) -> _Place:
    annotation: object = root
    owner: type[BaseModel] | None = None
    parts: list[str] = []
    tag, types = "", {}
    for index, part in enumerate(location):
        members = _types(annotation)
        if part in members:
            annotation, tag, types = members[part], part, members
            if index + 1 < len(location):
                continue
            break
        parts.append(part)
        if get_origin(annotation) is dict:
            owner, annotation = None, get_args(annotation)[1]
        else:
            owner = next(iter(_models(annotation)), None)
            field = owner.model_fields.get(part) if owner else None
            annotation = field.annotation if field else None
        if index + 1 < len(location):
            tag, types = "", {}
    return _Place(".".join(parts), owner, tag, types, _types(annotation))


def _types(annotation: object) -> Types:
    """Tag -> section, for a union of sections."""
    models = _models(annotation)
    if len(models) < 2:
        return {}
    return {tag: m for m in models for tag in get_args(m.model_fields["type"].annotation)}


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is Annotated:
        return _models(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [model for member in get_args(annotation) for model in _models(member)]
    return []


def _hint(place: _Place, root: type[BaseModel]) -> str:
    """The same leaf elsewhere in the tree, else a near one here, else a near one elsewhere."""
    section, _, leaf = place.key.rpartition(".")
    everywhere = dotted_keys(root)
    if place.key in everywhere:
        return " In a file, nest it: each part on a line of its own below the one before."
    leaves = {key: key.rpartition(".")[2] for key in everywhere}
    here = list(place.owner.model_fields) if place.owner else []
    near_here = difflib.get_close_matches(leaf, here)
    near = difflib.get_close_matches(leaf, set(leaves.values()), n=1, cutoff=0.75)
    return (
        _did_you_mean(key for key, name in leaves.items() if name == leaf)
        or _did_you_mean(f"{section}.{name}" if section else name for name in near_here)
        or _did_you_mean(key for key, name in leaves.items() if name in near)
        or (f" Known here: {', '.join(sorted(here))}." if here else "")
    )


def _did_you_mean(keys: Iterable[str]) -> str:
    shown = [repr(key) for key in keys][:3]
    return f" Did you mean {' or '.join(shown)}?" if shown else ""


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
