"""Sign a run's engine with the record of its origin, verify an engine, or show its record."""

import argparse
import logging
import sys
from pathlib import Path

from nmt.cli import console
from nmt.config import Config, load_with_user_set
from nmt.errors import InputError, SignatureError
from nmt.provenance.bundle import read_unverified_record
from nmt.provenance.options import provenance_command
from nmt.provenance.record import Provenance
from nmt.provenance.signing import Signing, sign_run, update_signature, usable_private_key
from nmt.provenance.verification import verify_engine
from nmt.runs import layout
from nmt.runs.records import require
from nmt.runs.steps import EXPORT
from nmt.storage import Storage
from nmt.traffic import explain_damage
from ray_jobs.runtime.context import Session
from ray_jobs.runtime.storage_location import absolute_storage

log = logging.getLogger(__name__)


def run(options: argparse.Namespace) -> None:
    """Run the command line.

    Raises:
        InputError: the command line does not fit, or a key is missing.
        SignatureError: the engine is not what a key has signed.
    """
    words, settings = console.split_words(options.overrides)
    wanted = provenance_command(options, words)
    config = load_with_user_set(options.config, settings).config
    storage = Storage(absolute_storage(config), read_only=wanted.action != "sign")
    if wanted.action == "sign":
        console.print_line(_sign(storage, config, restart=options.restart))
        return
    digest = wanted.engine or require(storage, config.run, EXPORT).output
    if wanted.action == "verify":
        console.print_line(_verify(storage, config, digest))
    else:
        console.print_line(_find_record(storage, config, digest).model_dump_json(indent=2))


def sign_new(session: Session, private_key: Path) -> None:
    """Sign the engine that this command has exported, and the record of its origin.

    Raises:
        SignatureError: `serving.public_key` belongs to another private key.
    """
    done = sign_run(session.storage, session.config.run, private_key, restart=True)
    _check_signed(session, done)


def sign_again(session: Session, private_key: Path) -> None:
    """Bring the signed record of the run's engine up to date; warn if the key has not signed it.

    Args:
        session: names the run.
        private_key: file of the private key.

    Raises:
        SignatureError: the engine has changed since it was signed.
    """
    run = session.config.run
    done = update_signature(session.storage, run, private_key)
    if done is None:
        # Whoever can write to the storage root may have changed it, so a person has to decide.
        log.warning(
            "provenance: the engine of run %s is not signed with this key, and what an earlier "
            "command exported is not signed unasked: give `nmt provenance sign run=%s`",
            run,
            run,
        )
        return
    _check_signed(session, done)


def _check_signed(session: Session, done: Signing) -> None:
    digest, public_key = done.record.engine, session.config.serving.public_key
    if public_key is not None:
        verify_engine(session.storage, digest, public_key)
    if done.is_new:
        log.info("provenance: engine %s is signed", digest)


def _sign(storage: Storage, config: Config, *, restart: bool) -> str:
    """Sign the engine of a run, and say what was done.

    Raises:
        InputError: no private key is set.
    """
    private_key = usable_private_key(config)
    if private_key is None:
        raise InputError("provenance sign: set provenance.private_key=PATH to the private key")
    done = sign_run(storage, config.run, private_key, restart=restart)
    place = storage.locate(layout.provenance(done.record.engine))
    verb = "is signed" if done.is_new else "was already signed"
    return f"engine {done.record.engine} of run {config.run} {verb}: {place}"


def _verify(storage: Storage, config: Config, digest: str) -> str:
    """Verify an engine, and say what was verified.

    Raises:
        InputError: no public key is set.
        SignatureError: the engine is not what the key has signed.
    """
    if config.serving.public_key is None:
        raise InputError("provenance verify: set serving.public_key=PATH to the public key")
    with explain_damage(storage, digest):
        record = verify_engine(storage, digest, config.serving.public_key)
    signed = f"{record.recorded_at:%Y-%m-%d %H:%M} UTC"
    return f"engine {digest} of run {record.run} is as it was signed on {signed}"


def _find_record(storage: Storage, config: Config, digest: str) -> Provenance:
    """Return the record of an engine, verified if a public key is set.

    Raises:
        SignatureError: there is none, or the engine is not what the key has signed.
    """
    if config.serving.public_key is not None:
        return verify_engine(storage, digest, config.serving.public_key)
    path = layout.provenance(digest)
    if not storage.exists(path):
        raise SignatureError(f"engine {digest} is not signed: there is no {storage.locate(path)}")
    sys.stderr.write("nmt: the record is shown unverified, since serving.public_key is not set\n")
    return read_unverified_record(storage.read_bytes(path))


if __name__ == "__main__":
    from ray_jobs.cli.main import run_module

    run_module("provenance")
