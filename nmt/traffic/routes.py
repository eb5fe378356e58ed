"""The content of a traffic file: which engines answer for each language pair and domain."""

import secrets
from collections.abc import Iterable, Mapping
from operator import not_
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nmt.errors import InputError, did_you_mean, shortened
from nmt.traffic.route_keys import parse_route_key

VERSION = 2
"""Version of the traffic file that this release writes."""
_SHADOW_PERCENT = 5.0
_MAX_PREVIOUS = 10


class UsualLength(BaseModel):
    """How long the translations of an engine usually are, as logarithms of the ratios of lengths.

    A ratio is characters of the translation by characters of the source.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    engine: str
    """Digest of the engine."""
    median: float
    deviation: float = Field(gt=0)
    """Median of the absolute differences from the median."""


class Route(BaseModel):
    """The engines of one language pair and domain, by content digest."""

    # Fields of a later release are kept when this one changes the route. So each field that a
    # release adds must name the engine that it is about: it is ignored once another is stable.
    model_config = ConfigDict(frozen=True, extra="allow")

    stable: str
    """Engine that answers."""
    canary: str | None = None
    """Engine that answers `percent` of the clients."""
    percent: int = Field(default=0, ge=0, le=100)
    shadow: str | None = None
    """Engine that translates along and whose translations are never returned."""
    shadow_percent: float = Field(default=_SHADOW_PERCENT, ge=0, le=100)
    """Share of the sessions that two engines translate: the stable one, and the canary or else the
    shadow."""
    rollout: str = ""
    """Random id of the canary or shadow that runs; each one gets a new id."""
    step: int = Field(default=0, ge=0)
    """Number of changes of `percent` in this rollout."""
    previous: tuple[str, ...] = ()
    """Earlier stable engines, latest first; `rolled_back` returns to the first."""
    usual_length: UsualLength | None = Field(default=None, exclude_if=not_)
    """Of the stable engine, as long as a rollout runs that counts unusual lengths."""
    owner: str | None = Field(default=None, exclude_if=not_)
    """Who alone may change the route, such as a campaign or a rollout; None: everybody."""
    forced: dict[str, str] = Field(default={}, exclude_if=not_)
    """Maps such an engine to the reason why it was promoted although it is worse than its base."""

    @property
    def candidate(self) -> str | None:
        """Return the engine that is compared with the stable one: the canary, else the shadow."""
        return self.canary or self.shadow

    @property
    def engines(self) -> tuple[str, ...]:
        """Return the engines that replicas load, the stable one first."""
        named = (self.stable, self.canary, self.shadow)
        return tuple(dict.fromkeys(digest for digest in named if digest))

    def promoted(self, digest: str, forced: str | None = None) -> Self:
        """Make an engine stable and remember the old one; canary and shadow end.

        Args:
            digest: the engine.
            forced: why it is promoted, if it is worse than its base.
        """
        # Promoting the stable engine again must not make it its own predecessor, to which a
        # rollback would return.
        before = self.previous if digest == self.stable else (self.stable, *self.previous)
        return self._with_reason(digest, forced)._with_stable(digest, before[:_MAX_PREVIOUS])

    def rolled_back(self) -> Self:
        """Make the previous engine stable again.

        Raises:
            InputError: there is no previous engine.
        """
        if not self.previous:
            raise InputError(
                f"engine {self.stable} is the first one served: there is nothing to roll back to"
            )
        return self._with_stable(self.previous[0], self.previous[1:])

    def with_canary(
        self,
        digest: str,
        percent: int,
        forced: str | None = None,
        shadow_percent: float | None = None,
    ) -> Self:
        """Let an engine answer a share of the clients; the running canary only gets the share.

        Args:
            digest: the engine.
            percent: the share, 0 to 100.
            forced: why it may answer, if it is worse than its base.
            shadow_percent: share of the sessions that both engines translate; None: 5 in a new
                rollout, and unchanged in a running one.

        Raises:
            InputError: a share is out of range, or the engine is the stable one.
        """
        check_percent("--canary", percent)
        if digest == self.stable:
            raise InputError(f"engine {digest} is the stable one, so it cannot be the canary too")
        if digest == self.canary:
            # The rollout goes on: its id decides which clients are in the canary, and they stay.
            changes = {
                "percent": percent,
                "step": self.step + (percent != self.percent),
                "shadow_percent": _checked_share(shadow_percent, self.shadow_percent),
            }
            return self._with_reason(digest, forced).model_copy(update=changes)
        rollout = {
            "canary": digest,
            "percent": percent,
            "shadow": None,
            **_new_rollout(shadow_percent),
        }
        return self._with_reason(digest, forced).model_copy(update=rollout)._without_old_reasons()

    def with_shadow(self, digest: str, shadow_percent: float | None = None) -> Self:
        """Let an engine translate along, without its translations being returned.

        Args:
            digest: the engine.
            shadow_percent: share of the sessions that both engines translate; None: 5 in a new
                rollout, and unchanged in a running one.

        Raises:
            InputError: a canary runs, the share is out of range, or the engine is the stable one.
        """
        if digest == self.stable:
            raise InputError(f"engine {digest} is the stable one, so it cannot be the shadow too")
        if self.canary:
            # Both together would need two rollouts, since each engine pair has its own counts.
            raise InputError(
                f"engine {self.canary} is a running canary: promote it, or end it with `rollback`, "
                "before a shadow starts"
            )
        if digest == self.shadow:
            share = _checked_share(shadow_percent, self.shadow_percent)
            return self.model_copy(update={"shadow_percent": share})
        return self.model_copy(update={"shadow": digest, **_new_rollout(shadow_percent)})

    def with_rollout(
        self,
        rollout: str,
        digest: str,
        percent: int,
        step: int,
        *,
        shadow_percent: float,
        usual_length: UsualLength | None = None,
        forced: str | None = None,
    ) -> Self:
        """Bring the route to a step of a rollout that has its own record; a shadow ends.

        Args:
            rollout: its id, which counts and clients refer to.
            digest: the engine, which becomes the canary.
            percent: share of the clients that it answers.
            step: number of the step, from 0.
            shadow_percent: share of the sessions that both engines translate.
            usual_length: of the stable engine, if unusual lengths are counted.
            forced: why the engine may answer, if it is not accepted.
        """
        changes = {
            "canary": digest,
            "percent": percent,
            "shadow": None,
            "shadow_percent": shadow_percent,
            "usual_length": usual_length,
            "rollout": rollout,
            "step": step,
        }
        return self._with_reason(digest, forced).model_copy(update=changes)._without_old_reasons()

    def with_owner(self, owner: str | None) -> Self:
        """Give the route to somebody who alone may change it, or to everybody."""
        return self.model_copy(update={"owner": owner})

    def with_rollout_ended(self) -> Self:
        """End the canary or shadow; the stable engine stays.

        Raises:
            InputError: neither runs.
        """
        if self.candidate is None:
            raise InputError("neither a canary nor a shadow runs: there is nothing to end")
        return self._with_stable(self.stable, self.previous)

    def _with_stable(self, digest: str, previous: tuple[str, ...]) -> Self:
        changes = {
            "stable": digest,
            "previous": previous,
            "canary": None,
            "percent": 0,
            "shadow": None,
            "shadow_percent": _SHADOW_PERCENT,
            "usual_length": None,
            "rollout": "",
            "step": 0,
        }
        return self.model_copy(update=changes)._without_old_reasons()

    def _with_reason(self, digest: str, forced: str | None) -> Self:
        others = {each: why for each, why in self.forced.items() if each != digest}
        reasons = others | ({digest: forced} if forced else {})
        return self.model_copy(update={"forced": reasons})

    def _without_old_reasons(self) -> Self:
        # A reason is kept as long as its engine answers, or a rollback can make it stable again.
        kept = {*self.engines, *self.previous}
        reasons = {each: why for each, why in self.forced.items() if each in kept}
        return self.model_copy(update={"forced": reasons})


def check_percent(option: str, percent: float) -> None:
    """Refuse a share that is not between 0 and 100.

    Raises:
        InputError: names the option and the share.
    """
    # Written so that a number that is not one is refused too.
    if not 0 <= percent <= 100:
        raise InputError(f"{option} {percent}: give a percentage from 0 to 100")


def _checked_share(given: float | None, otherwise: float) -> float:
    if given is None:
        return otherwise
    check_percent("--shadow-percent", given)
    return given


def _new_rollout(shadow_percent: float | None) -> Mapping[str, str | float]:
    share = _checked_share(shadow_percent, _SHADOW_PERCENT)
    return {"rollout": secrets.token_hex(8), "step": 0, "shadow_percent": share}


class Traffic(BaseModel):
    """The routes of an endpoint."""

    model_config = ConfigDict(frozen=True, extra="allow")

    version: int = VERSION
    owner: str | None = None
    """Who alone may change the file, such as a campaign; None: everybody."""
    serial: int = Field(default=0, ge=0)
    """Number of changes so far."""
    default: str
    """Key of the route of requests that name no language: the first that was promoted."""
    routes: dict[str, Route]
    """Maps keys such as `eng_Latn-tam_Taml` or `eng_Latn-tam_Taml/medical` to routes."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key in self.routes:
            try:
                parse_route_key(key)
            except InputError as error:
                raise ValueError(str(error)) from None
        if self.default not in self.routes:
            raise ValueError(f"default: '{shortened(self.default)}' is not a route of the file")
        return self

    def route(self, key: str | None = None) -> Route:
        """Return a route, by default that of requests that name no language.

        Raises:
            InputError: there is no such route; the message lists those that exist.
        """
        return self.routes[self.checked_key(key)]

    def checked_key(self, key: str | None = None) -> str:
        """Return the key of an existing route, by default that of the default route.

        Raises:
            InputError: there is no such route; the message lists those that exist.
        """
        if key is None:
            return self.default
        if key not in self.routes:
            raise InputError(
                f"'{shortened(key)}' is not a route of the endpoint, which has "
                f"{', '.join(self.routes)}.{did_you_mean(key, self.routes)}"
            )
        return key

    def with_route(self, key: str, route: Route) -> Self:
        """Add or replace a route."""
        return self.model_copy(update={"routes": {**self.routes, key: route}})

    def without_route(self, key: str) -> Self:
        """Remove a route; if it was the default one, the oldest of the others becomes it.

        Raises:
            InputError: there is no such route, or no other one.
        """
        rest = {each: route for each, route in self.routes.items() if each != self.checked_key(key)}
        if not rest:
            raise InputError(
                f"{key} is the only route, without which the endpoint would answer nothing: stop "
                "the endpoint instead, or promote another engine first"
            )
        default = self.default if self.default in rest else next(iter(rest))
        return self.model_copy(update={"routes": rest, "default": default})

    @property
    def rollouts(self) -> frozenset[str]:
        """Return the ids of the rollouts that run."""
        return frozenset(route.rollout for route in self.routes.values() if route.candidate)

    @property
    def engines(self) -> tuple[str, ...]:
        """Return the engines that replicas load, those of the default route first."""
        keys: Iterable[str] = (self.default, *self.routes)
        return tuple(dict.fromkeys(each for key in keys for each in self.routes[key].engines))
