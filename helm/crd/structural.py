"""JSON schemas of pydantic as structural schemas, which CustomResourceDefinitions demand.

A structural schema refers to nothing, has one type for each value, and says in rules of CEL what it
cannot say by types. What has no counterpart is refused here, so that nothing is dropped silently.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from k8s.api.cluster import JsonObject

MAX_CHARACTERS = 2048
MAX_PATH_CHARACTERS = 512
MAX_ITEMS = 256
MAX_KEYS = 64
"""Limits of texts, lists and mappings that have none of their own: with them the API server can
tell what a rule costs at most."""

PATH_RULE: JsonObject = {
    "rule": r"!self.matches('^[/~]|://|(^|/)[.][.](/|$)')",
    "message": "is relative to the storage root: no '/' or '~' at its beginning, no '..', no '://'",
}
"""What a text that names a file has to follow."""

_KEPT = ("type", "enum", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum")
_KEPT += ("pattern", "required", "maxProperties", "minProperties", "nullable")
# Titles repeat the key. Defaults belong to the release, whose own settings come first.
_DROPPED = ("title", "default", "discriminator", "propertyNames", "$defs")


def structural(
    model: type[BaseModel], *, is_layer: bool = False, paths: Collection[str] = ()
) -> JsonObject:
    """Write the schema of a type as a structural schema.

    Args:
        model: the type.
        is_layer: whether its values are laid over others, which then have what it leaves out: no
            key is required, and a description has no default.
        paths: keys whose texts are paths below the storage root.

    Raises:
        ValueError: names a keyword that has no counterpart.
    """
    schema = model.model_json_schema(by_alias=True)
    return _Writer(schema.get("$defs", {}), paths, is_layer=is_layer).write(schema, "")


class _Writer:
    """The writer of one schema and of all below it."""

    def __init__(self, defs: Mapping[str, Any], paths: Collection[str], *, is_layer: bool) -> None:
        self._defs = defs
        self._paths = paths
        self._is_layer = is_layer

    def write(self, node: Mapping[str, Any], key: str) -> JsonObject:
        """Write the schema of a key."""
        node = self._resolve(node)
        if "anyOf" in node:
            return self._alternatives(node, key)
        if "oneOf" in node:
            return self._union(node, key)
        written: JsonObject = {}
        for keyword, value in node.items():
            written |= self._keyword(keyword, value, key)
        if not self._is_layer:
            _mention_default(written, node.get("default"))
        return self._bounded(written, key)

    def _resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put what a schema refers to in its place; what stands beside the reference is kept."""
        while "$ref" in node:
            referred = self._defs[node["$ref"].rpartition("/")[2]]
            node = {**referred, **{k: v for k, v in node.items() if k != "$ref"}}
        return node

    def _keyword(self, keyword: str, value: Any, key: str) -> JsonObject:  # noqa: ANN401 - a schema
        if keyword in _DROPPED or (keyword == "format" and str(value) != "date-time"):
            return {}
        if keyword == "required" and self._is_layer:
            return {}
        if keyword in _KEPT:
            return {keyword: value}
        match keyword:
            case "format":
                return {"format": value}
            case "description":
                return {"description": _first_paragraph(value)}
            case "const":
                return {"enum": [value]}
            case "exclusiveMinimum":
                return {"minimum": value, "exclusiveMinimum": True}
            case "exclusiveMaximum":
                return {"maximum": value, "exclusiveMaximum": True}
            case "properties":
                return {"properties": {name: self.write(sub, name) for name, sub in value.items()}}
            case "items":
                return {"items": self.write(value, key)}
            case "additionalProperties":
                # Unknown keys are pruned, or refused, without being told so.
                return {} if isinstance(value, bool) else {keyword: self.write(value, key)}
            case "patternProperties":
                (of_each,) = value.values()
                return {"additionalProperties": self.write(of_each, key)}
            case _:
                raise ValueError(f"{key}: '{keyword}' has no counterpart in a structural schema")

    def _alternatives(self, node: Mapping[str, Any], key: str) -> JsonObject:
        """Write `anyOf [X, null]` as a nullable X; of several types, any value is accepted."""
        members = [self._resolve(each) for each in node["anyOf"]]
        types = [each for each in members if each.get("type") != "null"]
        about = {k: v for k, v in node.items() if k not in ("anyOf", "type")}
        if len(types) == 1:
            return self.write({**about, **types[0], **_described(about)}, key) | (
                {"nullable": True} if len(members) > 1 else {}
            )
        described = self.write(about, key) if about else {}
        return {
            **{k: v for k, v in described.items() if k == "description"},
            "x-kubernetes-preserve-unknown-fields": True,
        }

    def _union(self, node: Mapping[str, Any], key: str) -> JsonObject:
        """Write variants as one object, with a rule for each key that only some of them have."""
        variants = {
            tag: self._resolve({"$ref": reference})
            for tag, reference in node["discriminator"]["mapping"].items()
        }
        owners: dict[str, list[str]] = {}
        merged: JsonObject = {}
        for tag, variant in variants.items():
            for name, sub in variant["properties"].items():
                owners.setdefault(name, []).append(tag)
                written = self.write(sub, name)
                merged[name] = _loosest(merged[name], written) if name in merged else written
        merged["type"] = {
            "type": "string",
            "enum": sorted(variants),
            "description": "Which of the variants it is.",
        }
        return {
            "description": _variants(variants),
            "type": "object",
            "properties": merged,
            "x-kubernetes-validations": list(
                _variant_rules(
                    {name: tags for name, tags in owners.items() if _is_visible(merged[name])},
                    len(variants),
                )
            ),
        }

    def _bounded(self, written: JsonObject, key: str) -> JsonObject:
        """Add limits to a schema that has none."""
        kind = written.get("type")
        if kind == "string" and "enum" not in written and "format" not in written:
            if key in self._paths:
                written |= {"maxLength": MAX_PATH_CHARACTERS}
                written |= {"x-kubernetes-validations": [PATH_RULE]}
            written.setdefault("maxLength", MAX_CHARACTERS)
        elif kind == "array":
            written.setdefault("maxItems", MAX_ITEMS)
        elif kind == "object" and "additionalProperties" in written:
            written.setdefault("maxProperties", MAX_KEYS)
        elif kind == "integer":
            written.setdefault("format", "int64")
        elif kind is None and "enum" in written:
            written["type"] = _type_of(written["enum"])
        return written


def _is_visible(schema: JsonObject) -> bool:
    """Tell whether rules of CEL see a field: they see none that holds values of any type."""
    return "type" in schema and ("items" not in schema or _is_visible(schema["items"]))


def _variants(variants: Mapping[str, Mapping[str, Any]]) -> str:
    """Describe the variants of a union."""
    each = (f"`{tag}`: {_first_paragraph(about['description'])}" for tag, about in variants.items())
    return f"By `type`: {' '.join(each)}"


def _type_of(values: Iterable[object]) -> str:
    return "string" if all(isinstance(value, str) for value in values) else "integer"


def _described(node: Mapping[str, Any]) -> JsonObject:
    return {k: v for k, v in node.items() if k == "description"}


def _mention_default(written: JsonObject, default: object) -> None:
    """Add a default that is worth mentioning to the description."""
    if "description" in written and isinstance(default, str | int) and default != "":
        text = str(default).lower() if isinstance(default, bool) else str(default)
        written["description"] = f"{written['description'].rstrip('.')}; {text} by default."


def _first_paragraph(text: str) -> str:
    # The first paragraph is for users; those after it are for readers of the code.
    return " ".join(text.partition("\n\n")[0].split())


def _loosest(one: JsonObject, other: JsonObject) -> JsonObject:
    """Return what either of two schemas accepts, and perhaps more."""
    if one == other:
        return one
    if one.get("type") != other.get("type"):
        raise ValueError(f"variants of a union disagree about a type: {one} and {other}")
    same = {key: value for key, value in one.items() if other.get(key) == value}
    if "enum" in one and "enum" in other:
        same["enum"] = sorted({*one["enum"], *other["enum"]})
    about = one.get("description") or other.get("description")
    return same | ({"description": about} if about else {})


def _variant_rules(owners: Mapping[str, list[str]], variants: int) -> Iterable[JsonObject]:
    """Write which variants have a key that not all of them have; keys of the same go together.

    Without `type` the variant is that of the settings below, which the API server does not know.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, tags in owners.items():
        if len(tags) < variants:
            groups.setdefault(tuple(sorted(tags)), []).append(name)
    for tags, names in groups.items():
        listed = ", ".join(f"'{tag}'" for tag in tags)
        absent = " && ".join(f"!has(self.{name})" for name in names)
        yield {
            "rule": f"!has(self.type) || self.type in [{listed}] || ({absent})",
            "message": f"{', '.join(names)}: only with type {', '.join(tags)}",
        }
