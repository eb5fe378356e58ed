"""The file of API keys, which commands change one at a time."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from nmt.access.keys import VERSION, Key, Keys
from nmt.access.options import KeyCommand
from nmt.errors import InputError, StorageError, first_validation_error
from nmt.runs import layout
from nmt.storage import Storage


def read_keys(storage: Storage, name: str) -> Keys:
    """Read the keys of an endpoint; none if there is no file.

    Raises:
        StorageError: the file is damaged, or of a later release.
    """
    path = layout.keys(name)
    found = storage.read_versioned(path)
    return parse_keys(found.content, storage.locate(path)) if found else Keys()


def parse_keys(content: bytes, place: str) -> Keys:
    """Read the content of a file of keys.

    Args:
        content: of the file.
        place: of the file, for messages.

    Raises:
        StorageError: it is damaged, or of a later release.
    """
    try:
        plain: object = json.loads(content)
        version = plain.get("version") if isinstance(plain, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise StorageError(
                f"{place}: is of version {version}, and this release reads up to version "
                f"{VERSION}: use the release that wrote it"
            )
        return Keys.model_validate_json(content)
    except (ValueError, RecursionError) as error:
        reason = (
            first_validation_error(error)
            if isinstance(error, ValidationError)
            else "it is not valid JSON"
        )
        # No message quotes the content, which may hold a key that somebody put there by mistake.
        raise StorageError(
            f"{place}: not a file of API keys, so damaged ({reason}): restore it, or delete it and "
            "create the keys again"
        ) from None


def create_key(
    storage: Storage,
    name: str,
    wanted: KeyCommand,
    key_id: str,
    sha256: str,
    *,
    dry_run: bool = False,
) -> Key:
    """Add a key to those of an endpoint.

    Args:
        storage: the storage root.
        name: name of the endpoint.
        wanted: name, scopes and limits of the key.
        key_id: from `make_secret`.
        sha256: from `make_secret`.
        dry_run: change nothing.

    Raises:
        InputError: there is a key with this id.
        StorageError: the file is damaged, or cannot be written.
    """
    key = _new_key(wanted, key_id, sha256)

    def add(keys: Keys) -> Keys:
        if keys.find(key_id):
            raise InputError(f"keys create: there is a key with the id {key_id}: try again")
        return keys.model_copy(update={"keys": (*keys.keys, key)})

    _change(storage, name, add, dry_run=dry_run)
    return key


def _new_key(wanted: KeyCommand, key_id: str, sha256: str) -> Key:
    now = datetime.now(UTC).replace(microsecond=0)
    return Key(
        id=key_id,
        name=wanted.operand,
        scopes=wanted.scopes or ("translate",),
        sha256=sha256,
        created=now,
        expires=now + timedelta(days=wanted.expires_days) if wanted.expires_days else None,
        requests_per_minute=wanted.requests_per_minute,
        characters_per_minute=wanted.characters_per_minute,
    )


def revoke_key(storage: Storage, name: str, key_id: str, *, dry_run: bool = False) -> Key:
    """Revoke a key of an endpoint; one that is revoked already stays as it is.

    Raises:
        InputError: there is no key with this id.
        StorageError: the file is damaged, or cannot be written.
    """
    now = datetime.now(UTC).replace(microsecond=0)

    def revoke(keys: Keys) -> Keys:
        if keys.find(key_id) is None:
            known = ", ".join(f"{key.id} ({key.name})" for key in keys.keys) or "none"
            raise InputError(f"endpoint '{name}' has no key with the id {key_id}; keys: {known}")
        changed = [
            key.model_copy(update={"revoked": now}) if key.id == key_id and not key.revoked else key
            for key in keys.keys
        ]
        return keys.model_copy(update={"keys": tuple(changed)})

    after = _change(storage, name, revoke, dry_run=dry_run)
    return next(key for key in after.keys if key.id == key_id)


def _change(storage: Storage, name: str, change: Callable[[Keys], Keys], *, dry_run: bool) -> Keys:
    """Replace the file by a changed one, so that no change of another command is lost."""
    path = layout.keys(name)
    if dry_run:
        return change(read_keys(storage, name))

    def rewrite(content: bytes | None) -> bytes:
        keys = Keys() if content is None else parse_keys(content, storage.locate(path))
        return change(keys).model_dump_json(indent=2, exclude_none=True).encode() + b"\n"

    return parse_keys(storage.update(path, rewrite), storage.locate(path))
