"""API keys, as the file `serving/<name>/keys.json` holds them: with hashes only."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from nmt.access.scopes import Scope

VERSION = 1
"""Version of the file that this release writes, and the newest one that it reads."""
State = Literal["active", "expired", "revoked"]

_SECRET_BYTES = 32
_KEY_TEXT = re.compile(r"nmt_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")


class Key(BaseModel):
    """An API key, without its secret."""

    # Fields of a later release are kept when this one writes the file.
    model_config = ConfigDict(frozen=True, extra="allow")

    id: str = Field(pattern=r"^[0-9a-f]{8}$")
    """Public part of the key, as logs and `keys list` show it."""
    name: str
    """What the key is for, in the words of its creator."""
    scopes: tuple[Scope, ...] = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Hash of the secret part."""
    created: AwareDatetime
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None
    """When the key was revoked, if it was."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    characters_per_minute: int | None = Field(default=None, ge=1)

    def has_secret(self, secret: str) -> bool:
        """Tell whether a secret is that of the key, in a time that does not depend on it."""
        return hmac.compare_digest(hash_secret(secret), self.sha256)

    def allows(self, scope: Scope) -> bool:
        """Tell whether the key has a scope; `admin` includes the others."""
        return scope in self.scopes or "admin" in self.scopes

    def state(self, now: datetime) -> State:
        """Tell whether the key is valid at a time, and if not, why."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= now else "active"


class Keys(BaseModel):
    """All API keys of an endpoint."""

    model_config = ConfigDict(frozen=True, extra="allow")

    version: int = VERSION
    keys: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({key.id for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same id")
        return self

    def find(self, key_id: str) -> Key | None:
        """Return the key with an id; None if there is none."""
        return next((key for key in self.keys if key.id == key_id), None)


def make_secret() -> tuple[str, str, str]:
    """Make a new key.

    Returns:
        Its id, the text that its holder sends, and the hash of its secret.
    """
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(_SECRET_BYTES)
    return key_id, f"nmt_{key_id}_{secret}", hash_secret(secret)


def hash_secret(secret: str) -> str:
    """Compute the hash that is stored instead of a secret."""
    # A slow hash protects passwords, which can be guessed. A secret of 256 random bits cannot be,
    # so a fast hash is as safe, and a flood of requests cannot use up the processor with it.
    return hashlib.sha256(secret.encode()).hexdigest()


def split_key(text: str) -> tuple[str, str] | None:
    """Split the text of a key into its id and its secret; None if it has another form."""
    found = _KEY_TEXT.fullmatch(text)
    return (found[1], found[2]) if found else None
