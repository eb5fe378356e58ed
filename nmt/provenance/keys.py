"""The keys of a team: the private key that signs, and the public keys that are accepted."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from nmt.config import ServingConfig
from nmt.errors import ConfigError, shortened

PASSPHRASE_VARIABLE = "NMT_PRIVATE_KEY_PASSPHRASE"  # noqa: S105 - a name, not a secret

_PUBLIC_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----(.*?)-----END PUBLIC KEY-----", re.DOTALL)
_MAX_KEY_BYTES = 65_536


def public_keys(setting: str) -> tuple[str, ...]:
    """Read `serving.public_key` as texts in PEM, one for each key.

    Args:
        setting: the keys themselves, or the path of their file.

    Raises:
        ConfigError: there is no such file, or it holds no public key.
    """
    text, place = setting, "serving.public_key"
    if "-----BEGIN" not in setting:
        text, place = _read_file(setting), f"serving.public_key={setting}"
    if "PRIVATE KEY-----" in text:
        raise ConfigError(f"{place}: holds a private key, which must not be where engines are read")
    # YAML and command lines turn the line breaks of a key into spaces.
    bodies = ["".join(found.split()) for found in _PUBLIC_KEY.findall(text)]
    if not bodies:
        raise ConfigError(f"{place}: holds no key that begins with -----BEGIN PUBLIC KEY-----")
    return tuple(
        f"-----BEGIN PUBLIC KEY-----\n{_in_lines(body)}\n-----END PUBLIC KEY-----\n"
        for body in bodies
    )


def with_public_key_text(serving: ServingConfig) -> ServingConfig:
    """Replace the path in `serving.public_key` by the text of the keys.

    So other machines need not have the file, and a replica keeps the keys that it began with.

    Raises:
        ConfigError: there is no such file, or it holds no public key.
    """
    if serving.public_key is None:
        return serving
    return serving.model_copy(update={"public_key": "".join(public_keys(serving.public_key))})


def private_key_file(setting: str) -> Path:
    """Return the file of `provenance.private_key`.

    Raises:
        ConfigError: there is no such file, or it cannot be read.
    """
    path = Path(setting).expanduser().absolute()
    try:
        with path.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise ConfigError(f"provenance.private_key={setting}: {error.strerror}") from None
    return path


def passphrase(environ: Mapping[str, str] = os.environ) -> bytes | None:
    """Return the passphrase of the private key; None if it has none."""
    text = environ.get(PASSPHRASE_VARIABLE)
    return text.encode() if text else None


def _read_file(setting: str) -> str:
    try:
        with Path(setting).expanduser().open("rb") as stream:
            return stream.read(_MAX_KEY_BYTES).decode("ascii", errors="replace")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"serving.public_key={shortened(setting)}: {reason}") from None


def _in_lines(body: str) -> str:
    return "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
