"""The traffic file of an endpoint, `serving/<name>/traffic.json`.

During an upgrade two releases read and write it. A reader keeps fields that it does not know, reads
the files of earlier versions, and refuses those of later ones.
"""

import json
from collections.abc import Callable, Mapping
from typing import NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmt.errors import DamagedRecordError, InputError, StorageError, first_validation_error
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic.engines import language_pair
from nmt.traffic.route_keys import RouteName
from nmt.traffic.routes import VERSION, Route, Traffic

_VERSION_1_ROLLOUT = "version-1"
"""Rollout of the canary or shadow in a file of version 1, which had no ids."""


def read_traffic(storage: Storage, name: str) -> Traffic | None:
    """Read the traffic file; return None before the first promotion.

    Raises:
        StorageError: it is damaged, or a later release has written it.
    """
    path = layout.traffic(name)
    if not storage.exists(path):
        return None
    return _parse(storage, name, storage.read_bytes(path))


def stable_engine(storage: Storage, name: str, key: str) -> str | None:
    """Return the digest of the engine that answers for a route; None if nothing serves it.

    Raises:
        StorageError: the traffic file is damaged, or a later release has written it.
    """
    traffic = read_traffic(storage, name)
    return traffic.routes[key].stable if traffic and key in traffic.routes else None


def change_traffic(
    storage: Storage,
    name: str,
    change: Callable[[Traffic | None], Traffic],
    *,
    owner: str | None = None,
    dry_run: bool = False,
) -> Traffic:
    """Read the traffic file, change it and write it, without losing another process's change.

    Args:
        storage: the storage root.
        name: name of the endpoint.
        change: makes the new content from the present one, or from None before the first
            promotion; called again if another process has written in between.
        owner: who changes the file.
        dry_run: write nothing.

    Returns:
        The new content.

    Raises:
        InputError: the file or a route that changes belongs to another owner, an engine is not on
            the storage root, or `change` refuses.
        StorageError: the file cannot be read or written.
    """
    path = layout.traffic(name)

    def change_text(raw: bytes | None) -> bytes:
        current = None if raw is None else _parse(storage, name, raw)
        if current:
            _check_owner(storage, name, current, owner)
        serial = current.serial + 1 if current else 1
        changed = change(current).model_copy(update={"serial": serial, "version": VERSION})
        if current:
            _check_route_owners(storage, name, current, changed, owner)
        _check_engines(storage, changed, current)
        return f"{changed.model_dump_json(indent=2)}\n".encode()

    if dry_run:
        text = change_text(storage.read_bytes(path) if storage.exists(path) else None)
    else:
        text = storage.update(path, change_text)
    return _parse(storage, name, text)


def _check_owner(storage: Storage, name: str, current: Traffic, owner: str | None) -> None:
    if current.owner not in (None, owner):
        raise InputError(
            f"endpoint '{name}' belongs to '{current.owner}', which changes its traffic by itself: "
            f"end that first, or delete the key `owner` from {storage.locate(layout.traffic(name))}"
        )


def _check_route_owners(
    storage: Storage, name: str, current: Traffic, changed: Traffic, owner: str | None
) -> None:
    for key, route in current.routes.items():
        if route.owner in (None, owner) or changed.routes.get(key) == route:
            continue
        place = storage.locate(layout.traffic(name))
        raise InputError(
            f"route {key} of endpoint '{name}' belongs to '{route.owner}', which changes it by "
            f"itself: {_explain_owner(route.owner)}; if it is gone, delete the key `owner` of the "
            f"route from {place}"
        )


def _explain_owner(owner: str) -> str:
    """Say how a change of a route that has an owner is asked for."""
    kind, _, name = owner.partition("/")
    if kind == "campaign":
        return f"set `spec.action` of TranslationCampaign '{name}', as `nmt-k8s promote` does"
    if kind == "rollout":
        return f'give `nmt rollout run={name}` with `--promote "REASON"` or `--abort "REASON"`'
    return "end that first"


def _check_engines(storage: Storage, changed: Traffic, current: Traffic | None) -> None:
    """Refuse new engines that are not on the storage root."""
    known = current.engines if current else ()
    for digest in changed.engines:
        if digest not in known:
            check_exists(storage, digest)


def check_exists(storage: Storage, digest: str) -> None:
    """Refuse an engine that is not on the storage root.

    Raises:
        InputError: names the engine.
    """
    if not storage.is_committed(layout.engine(digest)):
        raise InputError(
            f"engine {digest} is not in {storage.locate(layout.ENGINES)}: export a run first"
        )


def _parse(storage: Storage, name: str, raw: bytes) -> Traffic:
    place = storage.locate(layout.traffic(name))

    def refuse(problem: str) -> NoReturn:
        raise DamagedRecordError(
            f"{place}: not a traffic file, so damaged ({problem}): delete this one file, and "
            "`nmt promote` writes it again; replicas keep what they serve"
        ) from None

    try:
        content: object = json.loads(raw)
    except (ValueError, RecursionError):
        refuse("it is not valid JSON")
    if not isinstance(content, dict):
        refuse("it is not a JSON object")
    version: object = content.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        refuse("version: it is not a positive number")
    if version > VERSION:
        raise StorageError(
            f"{place} is of version {version}, and this release reads up to version {VERSION}: "
            "use the release that wrote it; replicas keep what they serve"
        )
    try:
        if version == 1:
            return _from_version_1(storage, place, _Version1.model_validate_json(raw, strict=True))
        return Traffic.model_validate_json(raw, strict=True)
    except ValidationError as error:
        refuse(first_validation_error(error))


class _Version1(BaseModel):
    """A traffic file of version 1: one route, whose languages are those of its engines."""

    model_config = ConfigDict(frozen=True, extra="allow")

    stable: str
    canary: str | None = None
    percent: int = Field(default=0, ge=0, le=100)
    shadow: str | None = None
    previous: tuple[str, ...] = ()
    forced: dict[str, str] = {}


def _from_version_1(storage: Storage, place: str, old: _Version1) -> Traffic:
    """Turn a file of version 1 into one of version 2.

    Raises:
        StorageError: the card of none of its engines can be read.
    """
    pairs = _readable_pairs(storage, (old.stable, *old.previous))
    if not pairs:
        raise StorageError(
            f"{place}: the language pair is not known, because engine.json of none of its engines "
            f"can be read: run `nmt export` again for the run of engine {old.stable}"
        )
    pair = next(iter(pairs.values()))
    # Version 1 replaced an engine of one language pair by one of another, which a rollback within
    # a route must not return to. An engine that cannot be read stays: nobody knows its languages.
    previous = tuple(each for each in old.previous if pairs.get(each, pair) == pair)
    route = Route(
        stable=old.stable,
        canary=old.canary,
        percent=old.percent,
        shadow=old.shadow,
        rollout=_VERSION_1_ROLLOUT if old.canary or old.shadow else "",
        previous=previous,
        forced=old.forced,
    )
    # Fields of a later release stay in the file, at its top level as before.
    later = old.model_extra or {}
    routes = {str(pair): route}
    return Traffic.model_validate(
        {**later, "version": VERSION, "default": str(pair), "routes": routes}
    )


def _readable_pairs(storage: Storage, digests: tuple[str, ...]) -> Mapping[str, RouteName]:
    """Map engines to their languages, in order; leave out those whose card cannot be read."""
    pairs: dict[str, RouteName] = {}
    for digest in digests:
        try:
            pairs[digest] = language_pair(storage, digest)
        except StorageError:
            continue
    return pairs
