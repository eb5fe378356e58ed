"""Messages for settings that cannot be used, written from pydantic's errors."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nmt.config.section import UNQUOTED
from nmt.errors import suggest

_SectionType = type[BaseModel]
_MAX_SUGGESTIONS = 3


def explain(error: ValidationError, root: type[BaseModel], origins: Mapping[str, str]) -> str:
    """Write one line per error: key, value, rule, origin, and a similar key if there is one."""
    lines = [_explain_one(details, root, origins) for details in error.errors(include_url=False)]
    return lines[0] if len(lines) == 1 else "\n  ".join(["settings that cannot be used:", *lines])


@dataclass(frozen=True, slots=True)
class _Key:
    """A dotted key that has an error, and its section in the schema."""

    name: str
    """The key as the user writes it."""
    section: _SectionType | None
    """Section that holds the last part of the key."""
    section_type: str
    """Type of that section, if it has several types."""
    section_types: Mapping[str, _SectionType]
    """All types of that section, if it has several."""
    own_types: Mapping[str, _SectionType]
    """All types of the key itself, if it is a section with several types."""


def _explain_one(details: ErrorDetails, root: _SectionType, origins: Mapping[str, str]) -> str:
    key = _find_key([str(part) for part in details["loc"]], root)
    if details["type"] == "extra_forbidden":
        return _explain_unknown(key, root, origins)
    name = key.name
    message = details["msg"].removeprefix("Value error, ")
    context = details.get("ctx", {})
    match details["type"]:
        # The user sets `type` as a key of the section; pydantic reports the section itself.
        case "union_tag_invalid":
            name = f"{name}.type"
            message = f"'{context['tag']}' is not one of {context['expected_tags']}"
        case "union_tag_not_found":
            message = f"needs a type: {' or '.join(key.own_types)}"
        case "model_type" | "model_attributes_type":
            like = f", like {name}.type" if key.own_types else ""
            message = f"is a section: set its keys{like}, not the section itself"
        case _:
            # A whole section is too long to be quoted, and the message names its keys. A secret
            # would stay in a log.
            if details["type"] != UNQUOTED and not isinstance(
                details["input"], Mapping | BaseModel
            ):
                message = f"{message}; got {details['input']!r}"
    origin = _find_origin(name, origins)
    ending = f" (set in {origin})" if origin else ""
    return f"{name}: {message}{ending}" if name else f"{message}{ending}"


def _explain_unknown(key: _Key, root: _SectionType, origins: Mapping[str, str]) -> str:
    # An unknown section has no origin of its own: only the keys below it were set.
    below = (at for other, at in origins.items() if other.startswith(f"{key.name}."))
    origin = _find_origin(key.name, origins) or next(below, "")
    section, _, leaf = key.name.rpartition(".")
    others = [tag for tag, model in key.section_types.items() if leaf in model.model_fields]
    if others:
        ending = f"; the key is set in {origin}" if origin else ""
        return (
            f"{key.name}: belongs to {section}.type={' or '.join(others)}, "
            f"and {section}.type is {key.section_type}{ending}"
        )
    ending = f" (set in {origin})" if origin else ""
    return f"{key.name}: unknown key{ending}.{_hint(key, root)}"


def _find_origin(key: str, origins: Mapping[str, str]) -> str:
    """Find where a key, or the nearest section around it, was set."""
    while key and key not in origins:
        key = key.rpartition(".")[0]
    return origins.get(key, "")


def _find_key(location: list[str], root: _SectionType) -> _Key:
    """Find the key of an error by following pydantic's location through the schema."""
    annotation: object = root
    section: _SectionType | None = None
    parts: list[str] = []
    section_type: str = ""
    section_types: Mapping[str, _SectionType] = {}
    last = len(location) - 1
    for index, part in enumerate(location):
        members = _types_of(annotation)
        if part in members:
            # Pydantic puts the type of a union into the location; a user's key does not have it.
            annotation, section_type, section_types = members[part], part, members
            continue
        parts.append(part)
        # The keys of `tune.space` are the user's own, and its values are the ranges.
        if get_origin(annotation) is dict:
            section, annotation = None, get_args(annotation)[1]
        else:
            section = next(iter(_models_in(annotation)), None)
            field = section.model_fields.get(part) if section else None
            annotation = field.annotation if field else None
        if index < last:
            section_type, section_types = "", {}
    return _Key(".".join(parts), section, section_type, section_types, _types_of(annotation))


def _types_of(annotation: object) -> Mapping[str, _SectionType]:
    """Map each type of a union of sections to its section; empty for other annotations."""
    models = _models_in(annotation)
    if len(models) < 2:
        return {}
    return {tag: m for m in models for tag in get_args(m.model_fields["type"].annotation)}


def _models_in(annotation: object) -> list[_SectionType]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is Annotated:
        return _models_in(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [model for member in get_args(annotation) for model in _models_in(member)]
    return []


def _hint(key: _Key, root: _SectionType) -> str:
    """Suggest what the user may have meant by an unknown key."""
    prefix, _, leaf = key.name.rpartition(".")
    known = dotted_keys(root)
    # In a file, a dotted key is one key, which the schema does not have.
    if key.name in known:
        return " In a file, nest it: each part on a line of its own below the one before."
    leaves = {name: name.rpartition(".")[2] for name in known}
    in_section = list(key.section.model_fields) if key.section else []
    similar_here = difflib.get_close_matches(leaf, in_section)
    # Stricter than within the section: the whole tree has many words that are a little alike.
    similar = difflib.get_close_matches(leaf, set(leaves.values()), n=1, cutoff=0.75)
    candidates = (
        [name for name, other in leaves.items() if other == leaf]
        or [f"{prefix}.{name}" if prefix else name for name in similar_here]
        or [name for name, other in leaves.items() if other in similar]
    )
    known_here = f" Known here: {', '.join(sorted(in_section))}." if in_section else ""
    return suggest(candidates[:_MAX_SUGGESTIONS]) or known_here


def dotted_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """List every setting below a section, for all types of its unions."""
    keys: dict[str, None] = {}
    for name, field in model.model_fields.items():
        sections = _models_in(field.annotation)
        for section in sections:
            keys |= dict.fromkeys(dotted_keys(section, f"{prefix}{name}."))
        if not sections:
            keys[f"{prefix}{name}"] = None
    return list(keys)
