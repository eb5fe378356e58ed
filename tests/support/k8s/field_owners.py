"""Server-side apply in memory: which manager owns which field of an object."""

from collections.abc import Iterator
from typing import Any

from k8s.api.cluster import JsonObject
from k8s.api.errors import ConflictError
from tests.support.k8s.object_store import clone

Path = tuple[str, ...]
Owners = dict[str, frozenset[Path]]
"""Manager -> paths of the fields that it has given."""

# Lists that are merged by a key; an API server replaces all others as a whole.
_KEYS = {"conditions": "type", "steps": "name", "ownerReferences": "uid"}
# They name the object and are not changed by apply.
_IDENTITY = frozenset(
    {("apiVersion",), ("kind",)}
    | {("metadata", key) for key in ("name", "namespace", "uid", "resourceVersion", "generation")}
)


def fields_of(body: JsonObject) -> dict[Path, Any]:
    """Return each field that an apply of the body gives, by its path."""
    return {path: value for path, value in _walk(body, ()) if path not in _IDENTITY}


def apply_fields(
    live: JsonObject, body: JsonObject, owners: Owners, manager: str, force: bool
) -> tuple[JsonObject, Owners]:
    """Merge the fields of a manager into an object.

    Returns:
        The object and the owners of its fields, afterwards.

    Raises:
        ConflictError: a field belongs to another manager and has another value.
    """
    given = fields_of(body)
    present = fields_of(live)
    disputed = {
        path
        for other, paths in owners.items()
        if other != manager
        for path in paths & given.keys()
        if path in present and present[path] != given[path]
    }
    if disputed and not force:
        names = ", ".join(".".join(path) for path in sorted(disputed))
        raise ConflictError(f"Apply failed with {len(disputed)} conflicts: {names}")
    others = {other: paths - disputed for other, paths in owners.items() if other != manager}
    kept = frozenset[Path]().union(*others.values())
    result = clone(live)
    for path in owners.get(manager, frozenset()) - given.keys() - kept:
        _remove(result, path)
    for path, value in given.items():
        _set(result, path, clone(value))
    return result, {**others, manager: frozenset(given)}


def changed_by_update(before: JsonObject, after: JsonObject, owners: Owners) -> Owners:
    """Return the owners after somebody has replaced an object without apply."""
    old, new = fields_of(before), fields_of(after)
    changed = frozenset(path for path in old | new if old.get(path) != new.get(path))
    left = {manager: paths - changed for manager, paths in owners.items()}
    return {**left, "client": left.get("client", frozenset()) | (changed & new.keys())}


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    key = _KEYS.get(path[-1]) if path else None
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _walk(item, (*path, name))
    elif key and isinstance(value, list) and all(key in item for item in value):
        for item in value:
            yield from _walk(item, (*path, f"{key}={item[key]}"))
    else:
        yield path, value


def _set(body: Any, path: Path, value: Any) -> None:
    name, *rest = path
    key, equals, wanted = name.partition("=")
    if equals and isinstance(body, list):
        item = next((item for item in body if item[key] == wanted), None)
        if item is None:
            item = {key: wanted}
            body.append(item)
        if rest:
            _set(item, tuple(rest), value)
    elif not rest:
        # An empty map or list-map owns none of the items that others have given.
        merged = value == {} or (value == [] and name in _KEYS)
        if not (merged and isinstance(body.get(name), type(value))):
            body[name] = value
    else:
        empty: Any = [] if rest[0].partition("=")[0] == _KEYS.get(name) and "=" in rest[0] else {}
        if not isinstance(body.get(name), type(empty)):
            body[name] = empty
        _set(body[name], tuple(rest), value)


def _remove(body: Any, path: Path) -> None:
    name, *rest = path
    key, equals, wanted = name.partition("=")
    if equals and isinstance(body, list):
        item = next((item for item in body if item[key] == wanted), None)
        if item is not None and rest:
            # An item keeps its key while it has another field.
            if rest != [key]:
                _remove(item, tuple(rest))
            if item.keys() <= {key}:
                body.remove(item)
    elif name in body:
        if not rest:
            del body[name]
        else:
            _remove(body[name], tuple(rest))
            if not body[name]:
                del body[name]
