"""Keys of an endpoint, a clock that tests set, and requests that spend what a key allows."""

import asyncio
from dataclasses import dataclass
from typing import Any

from nmt.access.keys import make_secret
from nmt.access.options import KeyCommand
from nmt.access.store import create_key
from nmt.serving.authentication import Authenticator
from nmt.storage import Storage


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def make(storage: Storage, **wanted: Any) -> str:
    """Create a key and return its text."""
    key_id, text, sha256 = make_secret()
    create_key(storage, "default", KeyCommand("create", "demo", **wanted), key_id, sha256)
    return text


def poll(authenticator: Authenticator) -> None:
    asyncio.run(authenticator.poll())


def spend(authenticator: Authenticator, key: str, characters: int = 1) -> None:
    authenticator.spend(authenticator.admit(f"Bearer {key}", "translate"), characters)
