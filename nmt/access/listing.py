"""What the command `keys` shows of a key."""

from collections.abc import Sequence
from datetime import datetime

from nmt.access.keys import Key
from nmt.access.options import KeyCommand
from nmt.cli.table import table

_HEADS = ("ID", "NAME", "SCOPES", "REQUESTS/MIN", "CHARACTERS/MIN", "CREATED", "EXPIRES", "STATE")


def keys_table(keys: Sequence[Key], now: datetime) -> str:
    """Format keys as a table."""
    return table(_HEADS, [_row(key, now) for key in keys])


def _row(key: Key, now: datetime) -> Sequence[str]:
    return (
        key.id,
        key.name,
        ",".join(key.scopes),
        str(key.requests_per_minute or "-"),
        str(key.characters_per_minute or "-"),
        f"{key.created:%Y-%m-%d}",
        f"{key.expires:%Y-%m-%d}" if key.expires else "never",
        key.state(now),
    )


def key_value(key: Key, now: datetime) -> dict[str, object]:
    """Return the fields of a key for programs, without the hash."""
    fields = key.model_dump(mode="json", exclude={"sha256"}, exclude_none=True)
    return {**fields, "state": key.state(now)}


def creation_note(wanted: KeyCommand, endpoint: str, key_id: str) -> str:
    """Say what was created, beside the key itself."""
    scopes = ", ".join(wanted.scopes or ("translate",))
    return (
        f"API key {key_id} '{wanted.operand}' of endpoint '{endpoint}' ({scopes}) is created. "
        "It is shown only now; requests send it in the header `Authorization: Bearer KEY`:"
    )
