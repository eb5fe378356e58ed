"""Signing of a run's engine together with the record of its origin."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from nmt.config import Config
from nmt.errors import SignatureError, first_validation_error
from nmt.provenance.bundle import public_key_of, sign_folder
from nmt.provenance.collect import collect
from nmt.provenance.keys import private_key_file
from nmt.provenance.record import Provenance
from nmt.provenance.verification import find_signed, verify_engine
from nmt.runs import layout
from nmt.runs.engine_digest import engine_digest
from nmt.storage import Storage, describe_files

_CARD = "engine.json"


class _Languages(BaseModel):
    """The languages in `engine.json`. The whole card belongs to a package above this one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source_language: str
    target_language: str


@dataclass(frozen=True, slots=True)
class Signing:
    """What signing has done."""

    record: Provenance
    is_new: bool
    """False if the engine had a signature of this key with the same record."""


def usable_private_key(config: Config) -> Path | None:
    """Return the file of the private key after trying it; None if none is set.

    Raises:
        ConfigError: it cannot sign.
        MissingPackageError: model-signing is not installed.
    """
    if config.provenance.private_key is None:
        return None
    path = private_key_file(config.provenance.private_key)
    public_key_of(path)
    return path


def sign_run(storage: Storage, run: str, private_key: Path, *, restart: bool = False) -> Signing:
    """Sign the engine of a run and the record of its origin, unless that is done.

    Args:
        storage: the storage root.
        run: name of the run, which is exported.
        private_key: file of the private key.
        restart: ignore an earlier signature, such as that of files that were exported again.

    Raises:
        MissingStepError: the run is not exported.
        InputError: an earlier step was made again since the export.
        SignatureError: the engine's content does not fit its digest, or it was signed before and
            has changed since.
        StorageError: the engine is damaged.
    """
    record = collect(storage, run)
    earlier = None if restart else _find_earlier(storage, record.engine, private_key)
    return _sign(storage, record, earlier, private_key)


def update_signature(storage: Storage, run: str, private_key: Path) -> Signing | None:
    """Sign the engine of a run again, if its record says more than the one that is signed.

    Args:
        storage: the storage root.
        run: name of the run, which is exported.
        private_key: file of the private key.

    Returns:
        None if this key has not signed the engine yet: then nothing is signed.

    Raises:
        MissingStepError: the run is not exported.
        InputError: an earlier step was made again since the export.
        SignatureError: the engine has changed since it was signed.
        StorageError: the engine is damaged.
    """
    record = collect(storage, run)
    earlier = _find_earlier(storage, record.engine, private_key)
    return _sign(storage, record, earlier, private_key) if earlier else None


def _sign(
    storage: Storage, record: Provenance, earlier: Provenance | None, private_key: Path
) -> Signing:
    if earlier and record.has_same_content(earlier):
        return Signing(earlier, is_new=False)
    path = layout.engine(record.engine)
    with storage.private(path, storage.manifest(path)["files"]) as folder:
        _check_content(folder, record, storage.locate(path))
        signature = sign_folder(folder, record, private_key)
    storage.write_bytes(layout.provenance(record.engine), signature)
    return Signing(record, is_new=True)


def _check_content(folder: Path, record: Provenance, place: str) -> None:
    """Compare an engine with the digest that the export has reported.

    Raises:
        SignatureError: it is another engine, or has other languages.
    """
    languages = _read_languages(folder)
    pair = languages.source_language, languages.target_language
    content = engine_digest(describe_files(folder), *pair)
    if content != record.engine or pair != (record.source_language, record.target_language):
        raise SignatureError(
            f"{place}: its content has the digest {content} and translates {' to '.join(pair)}, so "
            f"it is not what run '{record.run}' exported: give `nmt export run={record.run} "
            "--restart`"
        )


def _find_earlier(storage: Storage, digest: str, private_key: Path) -> Provenance | None:
    """Return the record that this key has signed for an engine; None if there is none.

    Raises:
        SignatureError: the engine differs from what this key has signed.
    """
    key = public_key_of(private_key)
    try:
        signed = find_signed(storage, digest, key)
    except SignatureError:
        return None  # of another key, or damaged: it is replaced
    # A changed engine must not get a new signature because it had one.
    try:
        return verify_engine(storage, digest, key) if signed else None
    except SignatureError as error:
        raise SignatureError(
            f"{error}: nothing is signed again; if you have exported the run again since, give the "
            "command with --restart"
        ) from None


def _read_languages(folder: Path) -> _Languages:
    try:
        return _Languages.model_validate_json((folder / _CARD).read_bytes())
    except ValidationError as error:
        problem = first_validation_error(error)
        raise SignatureError(f"{_CARD} is not an engine card ({problem})") from None
    except OSError:
        raise SignatureError(f"the engine has no {_CARD}: it is not signed") from None
