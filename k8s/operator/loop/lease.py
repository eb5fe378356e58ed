"""The election of one replica among several, by a Lease."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from k8s.api.cluster import LEASE, Cluster, JsonObject, version_of
from k8s.api.errors import ConflictError
from nmt.errors import UnreachableError

DURATION_SECONDS = 15
"""How long others leave a Lease alone that its holder does not renew."""
RENEW_SECONDS = 10.0
"""After this time without a renewal the holder stops, before others may take the Lease."""
RETRY_SECONDS = 2.0
"""Time between two looks at the Lease."""


class _Spec(BaseModel):
    """The spec of a Lease, as others may have written it."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks of an election."""

    monotonic: Callable[[], float]
    """Measures times: what another machine writes is never compared with it."""
    wall: Callable[[], float]
    """Seconds since 1970, for people who read the Lease."""


class Election:
    """One candidate for a Lease.

    A holder is taken for dead when its Lease has not changed for the duration in it, by the
    candidate's own clock. So clocks may differ, and only their speed matters.
    """

    def __init__(self, cluster: Cluster, name: str, identity: str, clocks: Clocks) -> None:
        """Prepare to stand for election.

        Args:
            cluster: where the Lease is.
            name: of the Lease.
            identity: of this process; no two processes may ever have the same.
            clocks: time.
        """
        self._cluster = cluster
        self._name = name
        self._identity = identity
        self._clocks = clocks
        self._seen = ""
        self._seen_at = 0.0
        self._renewed_at = float("-inf")
        self.held = False
        """The Lease was this candidate's when it looked last."""

    def is_leader(self) -> bool:
        """Tell whether the Lease is certainly still this candidate's."""
        return self.held and self._clocks.monotonic() - self._renewed_at < RENEW_SECONDS

    def step(self) -> bool:
        """Look at the Lease once: take it, renew it or leave it; return whether this one leads.

        A leader stays one until `RENEW_SECONDS` are over, though the cluster may not answer or
        somebody may change the Lease at the same time.

        Raises:
            ClusterError: the account may not read or write Leases.
        """
        # Before the request: the Lease counts from here, however long the answer takes.
        now = self._clocks.monotonic()
        try:
            self.held = self._try()
        except (ConflictError, UnreachableError):
            # After a conflict the next look says whether another has it.
            return self.is_leader()
        if self.held:
            self._renewed_at = now
        return self.held

    def release(self) -> None:
        """Give the Lease back, so that another replica need not wait until it is over."""
        if not self.held:
            return
        self.held = False
        try:
            body = self._cluster.get(LEASE, self._name)
            spec = _read(body) if body else _Spec()
            if body and spec.holder_identity == self._identity:
                spec = spec.model_copy(update={"holder_identity": "", "lease_duration_seconds": 1})
                self._cluster.update(_lease(body, spec))
        except (ConflictError, UnreachableError):
            return  # it ends by itself

    def _try(self) -> bool:
        body = self._cluster.get(LEASE, self._name)
        if body is None:
            return self._cluster.create(_lease(_new(self._name), self._mine(_Spec()))) is not None
        spec = _read(body)
        if spec.holder_identity != self._identity and not self._is_over(body, spec):
            return False
        self._cluster.update(_lease(body, self._mine(spec)))
        return True

    def _is_over(self, body: JsonObject, spec: _Spec) -> bool:
        if not spec.holder_identity:
            return True
        now = self._clocks.monotonic()
        if version_of(body) != self._seen:
            self._seen, self._seen_at = version_of(body), now
        return now - self._seen_at >= (spec.lease_duration_seconds or DURATION_SECONDS)

    def _mine(self, spec: _Spec) -> _Spec:
        """Return the spec with this candidate as its holder, renewed now."""
        now = datetime.fromtimestamp(self._clocks.wall(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        update: dict[str, object] = {
            "holder_identity": self._identity,
            "lease_duration_seconds": DURATION_SECONDS,
            "renew_time": now,
        }
        if spec.holder_identity != self._identity:
            changes = 0 if spec.acquire_time is None else (spec.lease_transitions or 0) + 1
            update |= {"acquire_time": now, "lease_transitions": changes}
        return spec.model_copy(update=update)


def _read(body: JsonObject) -> _Spec:
    try:
        return _Spec.model_validate(body.get("spec") or {})
    except ValidationError:
        return _Spec()  # nobody holds a Lease that cannot be read


def _new(name: str) -> JsonObject:
    return {"metadata": {"name": name}}


def _lease(body: JsonObject, spec: _Spec) -> JsonObject:
    fields = spec.model_dump(by_alias=True, exclude_none=True)
    return {**body, "apiVersion": LEASE.api_version, "kind": LEASE.name, "spec": fields}
