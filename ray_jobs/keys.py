"""Create, list and revoke the API keys of an endpoint."""

import argparse
import sys
from datetime import UTC, datetime

from nmt.access.keys import make_secret
from nmt.access.listing import creation_note, keys_table
from nmt.access.options import KeyCommand, key_command
from nmt.access.store import create_key, read_keys, revoke_key
from nmt.cli import console
from nmt.config import load_with_user_set
from nmt.errors import InputError
from nmt.storage import Storage
from ray_jobs.runtime.storage_location import absolute_storage, inside_job


def run(options: argparse.Namespace) -> None:
    """Run the command line; running replicas follow within `serving.poll_seconds`.

    Raises:
        InputError: the command line does not fit, or there is no such key.
    """
    words, settings = console.split_words(options.overrides)
    wanted = key_command(options, words)
    config = load_with_user_set(options.config, settings).config
    storage, endpoint = Storage(absolute_storage(config)), config.serving.name
    now = datetime.now(UTC)
    if wanted.action == "create":
        _create(storage, endpoint, wanted)
    elif wanted.action == "revoke":
        key = revoke_key(storage, endpoint, wanted.operand)
        console.print_line(f"key {key.id} '{key.name}' is revoked")
    else:
        keys = read_keys(storage, endpoint).keys
        console.print_line(
            keys_table(keys, now) if keys else f"endpoint '{endpoint}' has no API keys"
        )


def _create(storage: Storage, endpoint: str, wanted: KeyCommand) -> None:
    if inside_job():
        raise InputError("keys create: run it in a terminal: Ray would keep the key in a job's log")
    key_id, text, sha256 = make_secret()
    create_key(storage, endpoint, wanted, key_id, sha256)
    # On two streams, so that `KEY=$(nmt keys create NAME)` takes the key alone.
    sys.stderr.write(creation_note(wanted, endpoint, key_id) + "\n")
    sys.stderr.flush()
    console.print_line(text)


if __name__ == "__main__":
    from ray_jobs.cli.main import run_module

    run_module("keys")
