"""The command `keys`: API keys of an endpoint, whose secrets never leave this machine."""

from dataclasses import replace
from datetime import UTC, datetime

from k8s.cli.output import Output
from nmt.access.keys import make_secret
from nmt.access.listing import creation_note, key_value, keys_table
from nmt.access.options import KeyCommand
from nmt.access.store import create_key, read_keys, revoke_key
from nmt.storage import Storage


class WithoutAnswer(Output):
    """An output that leaves out the answer of another process, and writes its errors."""

    def raw_line(self, line: str) -> None:
        """Leave out a line of the answer."""

    def answer(self, value: object, text: str) -> None:
        """Leave out the answer."""


def with_secret(wanted: KeyCommand) -> tuple[KeyCommand, str]:
    """Make the secret of a new key here.

    Returns:
        The command, with the hash only, and the text of the key.
    """
    # The Job beside the storage gets the hash: its object and its log may be read by others.
    key_id, text, sha256 = make_secret()
    return replace(wanted, hashed=f"{key_id}:{sha256}"), text


def show_new_key(wanted: KeyCommand, endpoint: str, text: str, output: Output) -> None:
    """Print a key that was created, for the only time."""
    key_id = wanted.hashed.partition(":")[0]
    output.note(creation_note(wanted, endpoint, key_id))
    scopes = wanted.scopes or ("translate",)
    value = {"id": key_id, "name": wanted.operand, "scopes": list(scopes), "key": text}
    output.answer(value, text)


def explain_unknown_end(wanted: KeyCommand, output: Output) -> None:
    """Say what to do about a key that may or may not have been created."""
    key_id = wanted.hashed.partition(":")[0]
    output.note(
        f"if `nmt-k8s keys list` shows the key {key_id}, revoke it: its secret was not shown"
    )


def run_keys(
    storage: Storage, endpoint: str, command: KeyCommand, output: Output, *, dry_run: bool
) -> None:
    """Run the command on an open storage root.

    Raises:
        InputError: there is no such key.
        StorageError: the file of keys is damaged, or cannot be written.
    """
    now = datetime.now(UTC)
    would = "would be" if dry_run else "is"
    if command.action == "list":
        keys = read_keys(storage, endpoint).keys
        text = keys_table(keys, now) if keys else f"endpoint '{endpoint}' has no API keys"
        output.answer([key_value(key, now) for key in keys], text)
    elif command.action == "revoke":
        key = revoke_key(storage, endpoint, command.operand, dry_run=dry_run)
        output.answer(key_value(key, now), f"key {key.id} '{key.name}' {would} revoked")
    else:
        key_id, _, sha256 = command.hashed.partition(":")
        key = create_key(storage, endpoint, command, key_id, sha256, dry_run=dry_run)
        output.answer(key_value(key, now), f"key {key.id} '{key.name}' {would} created")
