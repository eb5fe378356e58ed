"""Seeded schedules of faults over a story, and what must be true in and after each.

Everything but the faults is fixed, the clock too. So what a fault leads to from a state is computed
once, however many schedules pass there: a schedule is a path through these steps.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, get_args

from k8s.api.cluster import CAMPAIGN, RAY_JOB, JsonObject
from k8s.objects.campaign.status import CampaignStatus
from k8s.operator.record import read_campaign_record
from nmt.rollout import RolloutRecord, rollouts_of
from tests.support.k8s.campaign_world import NAME, ROUTE
from tests.support.k8s.faults import Fault, FaultKind, FaultyWorld, State

MOST_LOOKS = 12
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
Key = int


class Violation(AssertionError):
    """Something that must never be so, with the schedule that leads to it."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What a look of the operator has led to."""

    state: State
    ended: str
    verbs: tuple[str, ...]
    """Of its calls: `read`, `write`, or `swap` for a write that may find another version."""


@dataclass
class Explorer:
    """All that was found out about a story."""

    world: FaultyWorld
    begin: State
    spared: int = 0
    """Number of acts at the beginning without faults, which another story has too."""
    steps: dict[tuple[Key, Fault | None, Key | None], _Step] = field(default_factory=dict)
    rests: dict[Key, State] = field(default_factory=dict)
    expected: list[JsonObject] = field(default_factory=list)
    """What must be found after each act."""
    acts: dict[Key, State] = field(default_factory=dict)
    essences: dict[Key, JsonObject] = field(default_factory=dict)
    _keys: dict[int, tuple[State, Key]] = field(default_factory=dict)
    _numbers: dict[Any, Key] = field(default_factory=dict)
    _bodies: dict[int, tuple[JsonObject, str]] = field(default_factory=dict)

    def tell(self) -> None:
        """Go through the story without a fault."""
        state = self.begin
        for act in range(len(self.world.events) + 1):
            if act == self.spared:
                self.begin = state
            state = self.rest(state)
            self.expected.append(self.essence(state))
            if act < len(self.world.events):
                state = self.next_act(state)

    def end(self) -> tuple[str | None, int, int]:
        """Return the last phase, how often the engine has changed, and the number of revisions."""
        last = self.expected[-1]
        phase = last["status"]["phase"] if last["status"] else None
        return phase, len(last["served"]) - 1, len(last["revisions"])

    def follow(self, seed: int) -> list[str]:
        """Go through the story with the faults of a seed; return what happened.

        Raises:
            Violation: something was not as it must be.
        """
        random = Random(seed)
        told: list[str] = []
        state, last = self.begin, len(self.expected) - 1
        try:
            compared = -1
            while compared < last:
                before = state
                for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
                    # The next event may have happened in between.
                    if state.act != before.act:
                        break
                    state = self._suffer(state, before, random, told)
                state = self.rest(state)
                if state.act == before.act:
                    self._compare(state, self.expected[state.act])
                    compared = state.act
                    if compared < last:
                        state = self.next_act(state)
        except Exception as error:
            raise Violation(f"seed {seed}: {error}\n" + "\n".join(told)) from error
        return told

    def _suffer(self, state: State, old: State, random: Random, told: list[str]) -> State:
        verbs = self.step(state, None, None).verbs
        fault = Fault(random.choice(KINDS), random.randrange(len(verbs)))
        same = as_simple(fault, verbs)
        step = self.step(state, same, old if same and same.kind == "reads are old" else None)
        place = f"call {fault.call} of {len(verbs)}, a {verbs[fault.call]}"
        told.append(f"act {state.act}: {fault.kind} at {place}: {step.ended}")
        return step.state

    def rest(self, state: State) -> State:
        """Let the operator look until nothing changes any more."""
        key = self.key(state)
        if key not in self.rests:
            found = state
            for _ in range(MOST_LOOKS):
                step = self.step(found, None, None)
                if self.key(step.state) == self.key(found):
                    break
                found = step.state
            else:
                raise Violation(f"act {state.act}: still at work after {MOST_LOOKS} looks")
            if step.ended != "done":
                raise Violation(f"act {state.act}: the operator does not rest: {step.ended}")
            self.rests[key] = found
        return self.rests[key]

    def step(self, state: State, fault: Fault | None, old: State | None) -> _Step:
        """Return what a look of the operator leads to."""
        key = (self.key(state), fault, self.key(old) if old else None)
        if key not in self.steps:
            world = self.world
            world.put_back(state)
            ended = world.attempt(fault, old)
            self._check()
            world.tidy()
            self.steps[key] = _Step(world.keep(), ended, tuple(verb for verb, _ in world.calls))
        return self.steps[key]

    def next_act(self, state: State) -> State:
        """Let the next event of the story happen."""
        key = self.key(state)
        if key not in self.acts:
            self.world.put_back(state)
            self.world.move_on()
            self.acts[key] = self.world.keep()
        return self.acts[key]

    def key(self, state: State) -> Key:
        """Return what two states have in common that are the same."""
        found = self._keys.get(id(state))
        if found is None or found[0] is not state:
            found = self._keys[id(state)] = (state, self._key(state))
        return found[1]

    def _key(self, state: State) -> Key:
        objects = frozenset((*place, self._text(body)) for place, body in state.objects.items())
        key = (state.act, objects, frozenset(state.files.items()), state.served)
        return self._numbers.setdefault(key, len(self._numbers))

    def _text(self, body: JsonObject) -> str:
        found = self._bodies.get(id(body))
        if found is None or found[0] is not body:
            metadata = {k: v for k, v in body["metadata"].items() if k != "resourceVersion"}
            text = json.dumps(body | {"metadata": metadata}, sort_keys=True)
            found = self._bodies[id(body)] = (body, text)
        return found[1]

    def _check(self) -> None:
        """Check what must be so at any time."""
        at_work: dict[str, list[str]] = {}
        for job in self.world.live_jobs():
            # One that is being deleted may work until it is gone.
            run = job["metadata"]["labels"]["nmt/run"]
            at_work.setdefault(run, []).append(job["metadata"]["name"])
        for run, jobs in at_work.items():
            if len(jobs) > 1:
                raise Violation(f"two jobs work on run {run}: {', '.join(jobs)}")
        record = read_campaign_record(self.world.storage, NAME)
        serving = self.world.served[-1]
        if serving and serving not in self.world.storage.list("engines"):
            raise Violation(f"engine {serving} serves and was deleted")
        numbers = [each.number for each in record.revisions] if record else []
        if numbers != sorted(set(numbers)):
            raise Violation(f"the revisions are numbered {numbers}")

    def _compare(self, state: State, expected: JsonObject) -> None:
        found = self.essence(state)
        if found != expected:
            raise Violation("\n".join(differences(expected, found)))

    def essence(self, state: State) -> JsonObject:
        """Return what must be the same at rest, whatever happened before: all but the times."""
        key = self.key(state)
        if key not in self.essences:
            self.essences[key] = self._essence(state)
        return self.essences[key]

    def _essence(self, state: State) -> JsonObject:
        world = self.world
        world.put_back(state)
        record = world.record()
        campaign = world.cluster.objects.get((CAMPAIGN.name, NAME))
        status = world.status() if campaign else None
        return {
            "served": list(state.served),
            "revisions": [
                each.model_dump(mode="json", exclude=_TIMES_OF_A_REVISION)
                for each in record.revisions
            ],
            "held": [each.held_since is not None for each in record.revisions],
            "actions": [each.model_dump(mode="json", exclude={"at"}) for each in record.actions],
            "schedule": record.last_schedule,
            "status": _told(status) if status else None,
            "jobs": {
                name: (body.get("status") or {}).get("jobDeploymentStatus")
                for (kind, name), body in sorted(world.cluster.objects.items())
                if kind == RAY_JOB.name
            },
            "rollouts": [
                _rolled_out(each)
                for each in rollouts_of(world.storage, "default", ROUTE)
            ],
            "route": world.route().model_dump(mode="json", exclude={"rollout"})
            if state.served[-1]
            else None,
            "runs": sorted({each.partition("/runs/")[2].partition("/")[0] for each in state.files}),
            "engines": world.storage.list("engines"),
        }  # fmt: skip


def as_simple(fault: Fault, verbs: tuple[str, ...]) -> Fault | None:
    """Return a fault that leads to the same state, and is the same for more calls; None: none.

    Reads leave nothing behind, so a process that dies at a read has the state of the write before.
    """
    kind, call = fault.kind, fault.call
    if kind == "reads are old":
        return Fault(kind, 0)
    if kind == "conflicts" and verbs[call] == "read":
        return None
    if kind == "fails after" and verbs[call] == "read":
        return Fault("fails before", call)
    if kind not in ("dies before", "dies after"):
        return fault
    until = call + 1 if kind == "dies after" else call
    writes = [index for index in range(until) if verbs[index] != "read"]
    return Fault("dies after", writes[-1]) if writes else Fault("dies before", 0)


def _told(status: CampaignStatus) -> JsonObject:
    """Return what a status says, without what depends on the order of things."""
    told = without_times(status.model_dump(mode="json"))
    if told["rollout"]:
        # A pause may come from the suspension, or from what had paused the rollout before.
        del told["rollout"]["reason"]
        if told["rollout"]["state"] in _GIVEN_UP:
            del told["rollout"]["step"]
    return told


def _rolled_out(record: RolloutRecord) -> JsonObject:
    """Return what has become of a rollout.

    Where it is given up, that may be before or after a step that was due at the same moment.
    """
    given_up = record.state in _GIVEN_UP
    decides = ("start", "promote", "rollback", "abort", *(() if given_up else ("advance",)))
    return {
        "id": record.id,
        "run": record.run,
        "engine": record.engine,
        "state": record.state,
        "step": None if given_up else record.step,
        "settled": record.settled,
        "stable": record.stable,
        "events": [event.what for event in record.events if event.what in decides],
    }


_GIVEN_UP = ("rolled_back", "aborted")
_TIMES_OF_A_REVISION = {"started", "attempt_started", "held_since", "held_seconds", "ended"}
_TIMES = ("time", "_at", "since", "ended", "started", "seconds", "promoted")


def without_times(value: Any) -> Any:
    """Leave the times out of what is reported."""
    if isinstance(value, dict):
        return {
            key: without_times(each)
            for key, each in value.items()
            if not any(word in key for word in _TIMES)
        }
    if isinstance(value, list):
        return [without_times(each) for each in value]
    return value


def differences(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Say where two values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            yield from differences(expected.get(key), found.get(key), f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, pair in enumerate(zip(expected, found, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif expected != found:
        yield f"{path}: {found!r}, expected {expected!r}"
