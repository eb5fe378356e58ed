"""The stories of a campaign that faults are put into."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from k8s.api.cluster import CAMPAIGN
from nmt.runs.gate import GateVerdict
from tests.support.k8s.campaign_world import CONFIG, NAME
from tests.support.k8s.faults import Event, FaultyWorld
from tests.support.rollouts import CLEAN, HARM

# An act is longer than a step of a rollout, so each act with good counts is a step.
DATA = {
    "rollout": {"seconds_per_step": 600, "seconds_before_all": 600},
    "data": {"path": "corpora/mine.tsv"},
}
WITH_DATA = CONFIG | DATA


def _corpus(world: FaultyWorld, text: str) -> None:
    world.disk.files["/storage/corpora/mine.tsv"] = (text.encode(), world.now - 60)


def corpus(text: str) -> Event:
    return Event(f"new data: {text}", lambda world: _corpus(world, text))


def begin(**spec: Any) -> Event:
    def happen(world: FaultyWorld) -> None:
        _corpus(world, "first")
        settings: dict[str, Any] = {"config": WITH_DATA} | spec
        world.apply(**settings)

    return Event("the campaign is applied", happen)


def change(**spec: Any) -> Event:
    return Event(f"the spec changes: {spec}", lambda world: world.apply(**spec))


def tell(number: int, do: str, reason: str = "") -> Event:
    # A person who says the next thing at once takes back what was said before.
    return Event(
        f"a person says {do}",
        lambda world: world.tell(str(number), do, reason),
        any_time=number == 1,
    )


def delete() -> Event:
    return Event("the campaign is deleted", lambda world: world.cluster.delete(CAMPAIGN, NAME))


# A job can end only after the operator has made it.
JOB = Event("the job succeeds", lambda world: world.finish_jobs(), any_time=False)
LOST = Event("the job fails", lambda world: world.fail_jobs(), any_time=False)
GOOD = Event("the canary is good", lambda world: world.count(CLEAN), any_time=False)
BAD = Event("the canary does harm", lambda world: world.count(HARM), any_time=False)
LATER = Event("time passes", lambda world: None)

# Settings that change before the gate's decision is recorded replace the revision.
AGAIN = replace(change(config=WITH_DATA | {"seed": 3}), any_time=False)
FIRST = (begin(), JOB, JOB, JOB)
CANARY = (corpus("second"), JOB, JOB, JOB)
RUN_2 = f"{NAME}-r2"


@dataclass(frozen=True, slots=True)
class Story:
    """What happens to a campaign, and the gate's verdicts."""

    events: tuple[Event, ...]
    spared: int = 0
    """Number of events at the beginning that another story puts faults into."""
    verdicts: Mapping[str, GateVerdict] = field(default_factory=dict)


def _served(*events: Event, **verdicts: GateVerdict) -> Story:
    """A story that begins with a served engine."""
    said: dict[str, GateVerdict] = {
        f"{NAME}-{revision}": verdict for revision, verdict in verdicts.items()
    }
    return Story((*FIRST, *events), len(FIRST) + 1, said)


def _in_canary(*events: Event) -> Story:
    """A story that begins with a canary beside the engine that serves."""
    return Story((*FIRST, *CANARY, *events), len(FIRST) + len(CANARY) + 1)


WORK_STORIES: dict[str, Story] = {
    "the first engine is served": Story((*FIRST, LATER)),
    "a worse engine is rejected": _served(*CANARY, LATER, r2="reject"),
    "people decide where the gate did not": _served(
        *CANARY, tell(1, "promote"), tell(2, "promote", "it reads better"), LATER, r2="undecided"
    ),
    "a job fails and is tried again": Story(
        (begin(), LOST, tell(1, "retry"), JOB, JOB, LOST, LATER, tell(2, "retry"), JOB, LATER)
    ),
    "a campaign is suspended at work": Story(
        (
            begin(deadlineSeconds=10_000_000), JOB,
            change(suspend=True), change(suspend=False), change(suspend=True), LATER,
            change(suspend=False), JOB, JOB, LATER,
        )
    ),
    "the settings change at work": Story(
        (begin(), JOB, change(config=WITH_DATA | {"seed": 2}), JOB, JOB, JOB, LATER)
    ),
    "a campaign is deleted and made again": _served(
        delete(), LATER, begin(config=WITH_DATA | {"seed": 3}), JOB, JOB, JOB, LATER
    ),
    "old revisions make room": _served(
        change(config=WITH_DATA | {"seed": 2}, keep={"revisions": 1, "failed": 0}),
        JOB, JOB, JOB, AGAIN, JOB, JOB, JOB, LATER,
        r2="reject", r3="reject",
    ),
}  # fmt: skip
"""Stories of jobs, of the gate, and of what people say."""

ROLLOUT_STORIES: dict[str, Story] = {
    "new data makes a canary": _served(*CANARY),
    "a good canary is promoted": _in_canary(GOOD, GOOD, GOOD, LATER),
    "a harmful canary is rolled back": _in_canary(GOOD, BAD, LATER),
    "a campaign is suspended in its canary": _in_canary(
        # A look that the suspension interrupts need not advance, and the time at a step counts
        # from the beginning of the look.
        GOOD, replace(change(suspend=True), any_time=False), LATER,
        replace(change(suspend=False), any_time=False), GOOD, LATER,
    ),
    "the settings change in the canary": _in_canary(
        GOOD, change(config=WITH_DATA | {"seed": 2}), JOB, JOB, JOB, LATER
    ),
    "people hold a canary and end it": _in_canary(
        tell(1, "pause"), LATER, tell(2, "resume"), GOOD, tell(3, "abort", "a person saw harm"),
        LATER,
    ),
    "a promoted engine is rolled back": _in_canary(
        tell(1, "promote", "now"), LATER, tell(2, "rollback", "worse"), LATER
    ),
    "a campaign is deleted in its canary": _in_canary(GOOD, delete(), LATER),
}  # fmt: skip
"""Stories of canaries."""

STORIES = WORK_STORIES | ROLLOUT_STORIES

ENDS: dict[str, tuple[str | None, int, int]] = {
    "the first engine is served": ("Served", 1, 1),
    "new data makes a canary": ("Canary", 1, 2),
    "a good canary is promoted": ("Served", 2, 2),
    "a harmful canary is rolled back": ("RolledBack", 1, 2),
    "a worse engine is rejected": ("Rejected", 1, 2),
    "people decide where the gate did not": ("Served", 2, 2),
    "a job fails and is tried again": ("Served", 1, 1),
    "a campaign is suspended at work": ("Served", 1, 1),
    "a campaign is suspended in its canary": ("Served", 2, 2),
    "the settings change at work": ("Served", 1, 2),
    "the settings change in the canary": ("Canary", 1, 3),
    "people hold a canary and end it": ("RolledBack", 1, 2),
    "a promoted engine is rolled back": ("RolledBack", 3, 2),
    "a campaign is deleted in its canary": (None, 1, 2),
    "a campaign is deleted and made again": ("Canary", 1, 2),
    "old revisions make room": ("Rejected", 1, 3),
}
"""Story -> the last phase, how often the route got another engine, and the number of revisions."""
