"""Signatures in the format of model-signing, with the record of the origin inside.

A signature is a Sigstore bundle over an in-toto statement, which lists each file of the engine with
its SHA-256. Verifiers of that format ignore other fields of the statement, so the record is one of
them: one signature covers both, and neither can be replaced alone. No transparency log takes part.
"""

import base64
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field, Json, ValidationError

from nmt.errors import ConfigError, MissingPackageError, SignatureError, install_command
from nmt.provenance.keys import PASSPHRASE_VARIABLE, passphrase
from nmt.provenance.record import Provenance
from nmt.runs.step_result import ResultPart
from nmt.storage import MANIFEST

if TYPE_CHECKING:
    from model_signing._signing import sign_ec_key

_RECORD = "provenance"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SignedEngine:
    """What a signature says, after it was verified."""

    files: dict[str, str]
    """File of the engine -> its SHA-256."""
    record: Provenance


class _Envelope(ResultPart):
    payload: str


class _Bundle(ResultPart):
    envelope: _Envelope = Field(alias="dsseEnvelope")


class _Predicate(ResultPart):
    provenance: Json[Provenance]


class _Statement(ResultPart):
    predicate: _Predicate


def sign_folder(folder: Path, record: Provenance, private_key: Path) -> bytes:
    """Sign an engine's folder together with the record of its origin.

    Args:
        folder: the engine's files, which the caller has verified.
        record: the record.
        private_key: file of the private key.

    Raises:
        ConfigError: the key cannot be used.
        MissingPackageError: model-signing is not installed.
    """
    return _with_model_signing(lambda: _sign_folder(folder, record, private_key))


def public_key_of(private_key: Path) -> str:
    """Return the public key that belongs to a private key, in PEM.

    Raises:
        ConfigError: it is not a key of a supported curve, or its passphrase is wrong.
        MissingPackageError: model-signing is not installed.
    """
    return _with_model_signing(lambda: _public_key_of(private_key))


def read_signature(content: bytes, public_keys: Sequence[str]) -> SignedEngine:
    """Verify a signature and return what it says of an engine and its files.

    Args:
        content: of the signature's file.
        public_keys: keys in PEM, each of which is accepted.

    Raises:
        SignatureError: none of the keys has made it, or it is damaged, or has no record.
        ConfigError: a key cannot be used.
        MissingPackageError: model-signing is not installed.
    """
    return _with_model_signing(lambda: _read_signature(content, public_keys))


def read_unverified_record(content: bytes) -> Provenance:
    """Read the record of a signature without verifying it.

    Raises:
        SignatureError: the file is damaged, or has no record.
    """
    try:
        payload = base64.b64decode(_Bundle.model_validate_json(content).envelope.payload)
    except ValueError:
        raise SignatureError("the signature is damaged") from None
    return _record_of(payload)


def _with_model_signing(action: Callable[[], T]) -> T:
    # Imported on demand: it takes over a second, and most processes sign and verify nothing.
    try:
        return action()
    except ImportError as error:
        if isinstance(error, MissingPackageError):
            raise
        raise MissingPackageError(
            f"signatures need the package '{error.name}': {install_command('provenance')}"
        ) from None


def _sign_folder(folder: Path, record: Provenance, private_key: Path) -> bytes:
    from model_signing import hashing
    from model_signing._signing import signing

    signer = _signer(private_key)
    # The manifest is not part of the engine: a copy from an object store has none. Everything else
    # is covered, `.git` too, which is left out by default.
    config = hashing.Config().set_ignored_paths(paths=[MANIFEST], ignore_git_paths=False)
    # The public function signs files alone. The format has room for more, but only below it.
    payload = signing.Payload(config.hash(folder))
    payload.statement.pb.subject[0].name = record.engine
    # As text, since the statement keeps every number as a floating point number.
    payload.statement.pb.predicate.update({_RECORD: record.model_dump_json()})
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "signature"
        signer.sign(payload).write(target)
        return target.read_bytes()


def _public_key_of(private_key: Path) -> str:
    from cryptography.hazmat.primitives import serialization

    _signer(private_key)  # refuses a key that cannot sign
    key = serialization.load_pem_private_key(private_key.read_bytes(), passphrase())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _signer(private_key: Path) -> "sign_ec_key.Signer":
    from model_signing._signing import sign_ec_key

    try:
        # The annotation says text, and the key is read with bytes.
        return sign_ec_key.Signer(private_key, passphrase())  # pyright: ignore[reportArgumentType]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        # The message of the library names the file's problem and never its content.
        raise ConfigError(
            f"provenance.private_key={private_key}: cannot be used ({error}): it must be an "
            f"elliptic curve key (P-256, P-384 or P-521) in PEM, with its passphrase, if it has "
            f"one, in {PASSPHRASE_VARIABLE}"
        ) from None


def _read_signature(content: bytes, public_keys: Sequence[str]) -> SignedEngine:
    from model_signing._signing import sign_sigstore_pb

    with tempfile.TemporaryDirectory() as scratch:
        bundle = Path(scratch) / "signature"
        bundle.write_bytes(content)
        for verifier in [_verifier(key, Path(scratch) / "key") for key in public_keys]:
            try:
                signature = sign_sigstore_pb.Signature.read(bundle)
                manifest = verifier.verify(signature)
                found = [(each.identifier, each.digest) for each in manifest.resource_descriptors()]
                # What was verified, and not the file's content once more: it could hold two.
                envelope = signature.bundle.dsse_envelope
                payload = envelope.payload if envelope else b""
            # The library raises anything for a bundle that is damaged or forged.
            except Exception:  # noqa: S112 - another key may fit
                continue
            if any(digest.algorithm != "sha256" for _, digest in found):
                raise SignatureError("the signature does not use SHA-256")
            files = {name: digest.digest_hex for name, digest in found}
            return SignedEngine(files, _record_of(payload))
    raise SignatureError("was not signed with the key of serving.public_key, or was changed since")


def _verifier(public_key: str, scratch: Path) -> "sign_ec_key.Verifier":
    from model_signing._signing import sign_ec_key

    scratch.write_text(public_key, encoding="ascii")
    try:
        return sign_ec_key.Verifier(scratch)
    except (ValueError, AttributeError) as error:
        raise ConfigError(f"serving.public_key: cannot be used ({error})") from None


def _record_of(payload: bytes) -> Provenance:
    try:
        return _Statement.model_validate_json(payload).predicate.provenance
    except ValidationError:
        raise SignatureError(
            "the signature has no record of the engine's origin that this release can read: sign "
            "the engine with `nmt provenance sign`"
        ) from None
