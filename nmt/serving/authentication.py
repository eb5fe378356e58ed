"""API keys of requests: who sends a request, whether it is allowed, and how often."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from nmt.access.keys import Key, Keys, split_key
from nmt.access.scopes import Scope
from nmt.access.store import parse_keys
from nmt.config import ServingConfig
from nmt.runs import layout
from nmt.serving.errors import (
    ForbiddenError,
    RateLimitedError,
    TooLargeError,
    UnauthorizedError,
)
from nmt.storage import Storage, Versioned

log = logging.getLogger(__name__)

_SECONDS = 60.0
"""Time in which a full bucket may be spent again."""
# Without it, a bucket that is refilled just in time could lack a billionth of a token.
_TOLERANCE = 1e-6
# The second is what DeepL's clients send.
_SCHEMES = ("bearer", "deepl-auth-key")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request; without ids if the endpoint needs no keys."""

    id: str
    """Id of the API key, which is not secret."""
    name: str


_ANYBODY = Caller("", "")


class TokenBucket:
    """A limit on what may be spent: all of it at once, or steadily over a minute."""

    def __init__(self, limit: int, unit: str, now: float) -> None:
        """Make a full bucket.

        Args:
            limit: tokens in a full bucket, which are refilled within a minute.
            unit: what a token stands for, in the plural.
            now: in seconds.
        """
        self.limit, self.unit = limit, unit
        self._tokens, self._seen = float(limit), now

    def refill(self, now: float, replicas: int) -> None:
        """Add the tokens since the last call; several replicas share the refill."""
        # A clock that is set back adds nothing.
        passed = max(0.0, now - self._seen)
        self._tokens = min(self.limit, self._tokens + passed * self._rate(replicas))
        self._seen = now

    def wait_for(self, tokens: int, replicas: int) -> float:
        """Compute the seconds until so many tokens are there; 0 if they are."""
        missing = tokens - self._tokens
        return missing / self._rate(replicas) if missing > _TOLERANCE else 0.0

    def take(self, tokens: int) -> None:
        """Spend tokens."""
        self._tokens -= tokens

    def _rate(self, replicas: int) -> float:
        return self.limit / _SECONDS / replicas


@dataclass(frozen=True, slots=True)
class _Limits:
    """The buckets of a key; None where it has no limit."""

    requests: TokenBucket | None
    characters: TokenBucket | None

    @classmethod
    def of(cls, key: Key, now: float) -> "_Limits":
        """Make the full buckets of a key."""
        requests, characters = key.requests_per_minute, key.characters_per_minute
        return cls(
            TokenBucket(requests, "requests", now) if requests else None,
            TokenBucket(characters, "characters", now) if characters else None,
        )

    def fits(self, key: Key) -> bool:
        """Tell whether the buckets are those of the key's limits."""
        found = [bucket and bucket.limit for bucket in (self.requests, self.characters)]
        return found == [key.requests_per_minute, key.characters_per_minute]

    def amounts(self, characters: int) -> list[tuple[TokenBucket, int]]:
        """Return what a request takes from each bucket."""
        both = ((self.requests, 1), (self.characters, characters))
        return [(bucket, amount) for bucket, amount in both if bucket]


class Authenticator:
    """The keys of an endpoint as a replica knows them, and what each has spent.

    Not for several threads: the event loop calls it.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        serving: ServingConfig,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up without any key; nothing is read yet.

        Args:
            storage: the storage root.
            name: name of the endpoint.
            serving: its settings.
            clock: returns the seconds since 1970.
        """
        self._storage, self._path = storage, layout.keys(name)
        self._needs_keys = serving.needs_keys
        self._poll_seconds = serving.poll_seconds
        self._clock = clock
        # No key at all until the file was read: the endpoint is never open by accident.
        self._keys: dict[str, Key] = {}
        self._token: str | None = None
        """Version of the file that was read; empty if there is none, None before the first read."""
        self._limits: dict[str, _Limits] = {}
        self.replicas = 1
        """Number of replicas of the endpoint, which share the limits of a key."""
        self.error: str | None = None
        """Why the file could not be read the last time; the keys before it are still used."""

    async def follow(self) -> None:
        """Read the keys again and again, until cancelled."""
        while True:
            await self.poll()
            await asyncio.sleep(self._poll_seconds)

    async def poll(self) -> None:
        """Read the keys once; keep those that are known if they cannot be read."""
        if not self._needs_keys:
            return
        try:
            # Only the reading is in a thread: what it finds is changed between two requests.
            self._use(await asyncio.to_thread(self._storage.read_versioned, self._path))
        # An object store's library may raise anything, and the replica must go on serving.
        except Exception as error:
            if str(error) != self.error:
                log.warning("%s; %s", error, _used_instead(self._keys))
            self.error = str(error)
        else:
            self.error = None

    def admit(self, authorization: str | None, scope: Scope, api_key: str = "") -> Caller:
        """Check the key of a request.

        Args:
            authorization: the header of this name; None if it is missing.
            scope: what the request needs.
            api_key: the key, where the request has it outside the header; empty if it does not.

        Raises:
            UnauthorizedError: there is no valid key.
            ForbiddenError: the key does not have the scope.
        """
        if not self._needs_keys:
            return _ANYBODY
        key = self._find(api_key or _key_in(authorization))
        state = key.state(datetime.fromtimestamp(self._clock(), UTC))
        # Only the holder of the secret is told so; for others, such a key is an unknown one.
        if state != "active":
            word = "was revoked" if state == "revoked" else "has expired"
            raise UnauthorizedError(f"API key {key.id} {word}: ask for a new one")
        if not key.allows(scope):
            raise ForbiddenError(
                f"API key {key.id} lacks the scope '{scope}'; it has: {', '.join(key.scopes)}"
            )
        return Caller(key.id, key.name)

    def spend(self, caller: Caller, characters: int) -> None:
        """Count a request against the limits of its key; nothing is counted if it is refused.

        Args:
            caller: from `admit`.
            characters: of all texts of the request.

        Raises:
            TooLargeError: the request alone is above the limit, so that waiting would not help.
            RateLimitedError: the limit is reached; says when the request can be sent again.
        """
        key = self._keys.get(caller.id)
        # Without a key, or revoked since it was admitted.
        if key is None:
            return
        spent = self._limits_of(key).amounts(characters)
        for bucket, _ in spent:
            bucket.refill(self._clock(), self.replicas)
        too_large = [amount for bucket, amount in spent if amount > bucket.limit]
        if too_large:
            raise TooLargeError(
                f"the texts have {characters} characters, and API key {key.id} may send "
                f"{key.characters_per_minute} a minute: send fewer at once"
            )
        # The longest wait, so that the request is not refused again by the other limit.
        wait, limited = max(
            ((bucket.wait_for(amount, self.replicas), bucket) for bucket, amount in spent),
            key=lambda found: found[0],
            default=(0.0, None),
        )
        if limited and wait:
            seconds = math.ceil(wait)
            raise RateLimitedError(
                f"API key {key.id} may send {limited.limit} {limited.unit} a minute: "
                f"try again in {seconds} s",
                seconds,
            )
        for bucket, amount in spent:
            bucket.take(amount)

    def _find(self, text: str) -> Key:
        """Return the key with this text.

        Raises:
            UnauthorizedError: it is not known.
        """
        parts = split_key(text)
        key = self._keys.get(parts[0]) if parts else None
        # Never the text itself: it may be a password for something else, and answers are logged.
        if parts is None or key is None or not key.has_secret(parts[1]):
            raise UnauthorizedError("the API key is not known to this endpoint")
        return key

    def _limits_of(self, key: Key) -> _Limits:
        limits = self._limits.get(key.id)
        # A change of a limit begins with full buckets.
        if limits is None or not limits.fits(key):
            limits = self._limits[key.id] = _Limits.of(key, self._clock())
        return limits

    def _use(self, found: Versioned | None) -> None:
        """Take over the content of the file, if it has changed since the last time."""
        token = found.token if found else ""
        if token == self._token:
            return
        place = self._storage.locate(self._path)
        keys = parse_keys(found.content, place) if found else Keys()
        if not keys.keys:
            log.warning("%s has no keys: every request is refused", place)
        self._keys = {key.id: key for key in keys.keys}
        self._limits = {each: self._limits[each] for each in self._limits if each in self._keys}
        self._token = token


def _key_in(authorization: str | None) -> str:
    """Return the key in a header.

    Raises:
        UnauthorizedError: there is none.
    """
    if authorization is None:
        raise UnauthorizedError(
            "this endpoint needs an API key: send the header `Authorization: Bearer KEY`"
        )
    scheme, _, text = authorization.strip().partition(" ")
    if scheme.lower() not in _SCHEMES:
        raise UnauthorizedError("the header Authorization must be `Bearer KEY`")
    return text.strip()


def _used_instead(keys: dict[str, Key]) -> str:
    if not keys:
        return "no API key is known, so every request is refused"
    return f"the {len(keys)} API keys that were read before it stay valid"
