"""Whether an engine on the storage root is the one that was signed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nmt.errors import SignatureError
from nmt.provenance.bundle import SignedEngine, read_signature
from nmt.provenance.keys import public_keys
from nmt.provenance.record import Provenance
from nmt.runs import layout
from nmt.storage import MANIFEST, FileEntry, Storage


def verify_engine(storage: Storage, digest: str, public_key: str) -> Provenance:
    """Verify the signature of an engine and all files of its folder, and return its record.

    Args:
        storage: the storage root.
        digest: of the engine.
        public_key: as `serving.public_key` has it.

    Raises:
        SignatureError: the engine is not signed, or its folder differs from what was signed.
        StorageError: the engine is missing or damaged.
        ConfigError: the public key cannot be used.
    """
    signed, files = _check_manifest(storage, digest, public_key)
    path = layout.engine(digest)
    added = set(storage.list_below(path)) - signed.files.keys() - {MANIFEST}
    if added:
        raise SignatureError(
            f"{storage.locate(f'{path}/{min(added)}')}: was added to the engine after it was signed"
        )
    storage.verify(path, files)
    return signed.record


@contextmanager
def signed_engine(storage: Storage, digest: str, public_key: str) -> Iterator[Path]:
    """Provide a signed engine as a folder of this machine, which was verified itself.

    Nobody who can write to the storage root can change the folder any more.

    Args:
        storage: the storage root.
        digest: of the engine.
        public_key: as `serving.public_key` has it.

    Raises:
        SignatureError: the engine is not signed, or differs from what was signed.
        StorageError: the engine is missing or damaged.
        ConfigError: the public key cannot be used.
    """
    _, files = _check_manifest(storage, digest, public_key)
    with storage.private(layout.engine(digest), files) as folder:
        yield folder


def _check_manifest(
    storage: Storage, digest: str, public_key: str
) -> tuple[SignedEngine, Mapping[str, FileEntry]]:
    """Verify an engine's signature, and compare the manifest of its folder with it.

    Returns:
        What was signed, and the files with the hashes that were signed.
    """
    signed = _read_signed(storage, digest, public_key)
    files = storage.manifest(layout.engine(digest))["files"]
    for name in sorted(signed.files.keys() | files.keys()):
        if problem := _find_problem(signed.files.get(name), files.get(name)):
            place = storage.locate(f"{layout.engine(digest)}/{name}")
            raise SignatureError(f"{place}: {problem}")
    return signed, files


def _find_problem(signed: str | None, there: FileEntry | None) -> str:
    if there is None:
        return "is missing, and was signed"
    if signed is None:
        return "was added to the engine after it was signed"
    return "" if there["sha256"] == signed else "differs from what was signed"


def _read_signed(storage: Storage, digest: str, public_key: str) -> SignedEngine:
    place = storage.locate(layout.provenance(digest))
    signed = find_signed(storage, digest, public_key)
    if signed is None:
        raise SignatureError(
            f"engine {digest} is not signed: there is no {place}: sign it with `nmt provenance "
            "sign run=NAME`, where the private key is"
        )
    # The record is part of what was signed, so this name cannot be that of another engine.
    if signed.record.engine != digest:
        raise SignatureError(f"{place}: is the signature of engine {signed.record.engine}")
    return signed


def find_signed(storage: Storage, digest: str, public_key: str) -> SignedEngine | None:
    """Read and verify the signature of an engine, without its files; None if there is none.

    Raises:
        SignatureError: no accepted key has made it, or it is damaged, or has no record.
        ConfigError: the public key cannot be used.
    """
    keys, path = public_keys(public_key), layout.provenance(digest)
    if not storage.exists(path):
        return None
    try:
        return read_signature(storage.read_bytes(path), keys)
    except SignatureError as error:
        raise SignatureError(f"{storage.locate(path)}: {error}") from None
