"""Which engine of a route answers a client, and which clients are translated by two engines."""

from hashlib import blake2b
from typing import Literal

from nmt.traffic.routes import Route

Arm = Literal["stable", "canary"]

_SLOT_SECONDS = 600
_BITS = 64


def choose_arm(route: Route, client: str) -> Arm:
    """Choose the engine that answers a client.

    The choice depends only on the rollout, the client and the percentage: a client that the canary
    answers at 10 percent is answered by it at 50 percent too.

    Args:
        route: with its canary and percentage.
        client: the session, key or address of the request.
    """
    if route.canary is None:
        return "stable"
    # Never by load: a canary that is slow would get fewer requests and look better than it is.
    return "canary" if _fraction("arm", route.rollout, client) * 100 < route.percent else "stable"


def is_sampled(route: Route, client: str, now: float) -> bool:
    """Tell whether both engines of a rollout translate for a client now.

    The answer holds for ten minutes, so the caller must count one pair for each client and slot.

    Args:
        route: with its canary or shadow, and `shadow_percent`.
        client: the session, key or address of the request.
        now: seconds since 1970.
    """
    if route.candidate is None:
        return False
    # The sentences of a document are alike, so a pair for each would count one surprise many times.
    drawn = _fraction("pair", route.rollout, client, str(slot_of(now)))
    return drawn * 100 < route.shadow_percent


def slot_of(now: float) -> int:
    """Number the ten minutes of a time in which a client is sampled once; in seconds since 1970."""
    return int(now // _SLOT_SECONDS)


def _fraction(*parts: str) -> float:
    """Hash texts to a number from 0 to 1, below 1."""
    # Each part with its length, so that no two lists of parts give the same bytes. A client is any
    # text that a header may hold, which includes surrogates.
    digest = blake2b(digest_size=_BITS // 8)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    # 53 bits, since a float has no more, and rounding up would give 1.
    return (int.from_bytes(digest.digest(), "big") >> (_BITS - 53)) / 2**53
