"""What the operator reports of a campaign. It is a cache: the operator can always make it again."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, PlainSerializer

from k8s.objects.campaign.part import CampaignPart

MAX_MESSAGE = 1024
MAX_STEPS = 8
MAX_HISTORY = 5

Phase = Literal[
    "Pending", "Queued", "Preparing", "Searching", "Training", "Evaluating", "Gating",
    "Rejected", "Undecided", "Accepted", "Canary", "Paused", "Served", "RolledBack",
    "Failed", "Suspended", "Stalled",
]  # fmt: skip
Trigger = Literal["spec", "schedule", "data", "action"]
"""Why a revision started."""
StepState = Literal["waiting", "queued", "running", "done", "failed"]
ConditionType = Literal["Ready", "Reconciling", "Stalled", "DataReady", "GatePassed", "Promoted"]
ConditionStatus = Literal["True", "False", "Unknown"]

Message = Annotated[str, Field(max_length=MAX_MESSAGE)]


def _write_time(time: datetime) -> str:
    """Write a time as the Kubernetes API does."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[AwareDatetime, PlainSerializer(_write_time, when_used="json")]


def time_of(seconds: float) -> datetime:
    """Convert seconds since 1970 to a time in whole seconds, as the Kubernetes API keeps it."""
    return datetime.fromtimestamp(int(seconds), UTC)


def cut_message(text: str) -> str:
    """Put a message on one line and cut it to the length that the status allows."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


class Condition(CampaignPart):
    """One condition, as the Kubernetes API defines them."""

    type: ConditionType
    status: ConditionStatus
    reason: str = Field(pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", max_length=128)
    """One word for programs."""
    message: Message = ""
    """A sentence for people."""
    last_transition_time: Time
    """When `status` changed last."""
    observed_generation: int = 0
    """Generation of the spec that the condition is about."""


class RevisionStatus(CampaignPart):
    """The current revision: one run of the campaign."""

    number: int = Field(ge=1)
    """Number of the revision, from 1."""
    trigger: Trigger
    """Why it started: a change of the spec, the schedule, new data, or an action."""
    inputs: str
    """Digest of its settings."""
    data: str = ""
    """Digest of its data."""
    run: str
    """Name of its run on the storage root."""
    start_time: Time
    """When it started."""


class StepStatus(CampaignPart):
    """One step of the current revision."""

    name: str
    """Name of the step, such as `train`."""
    state: StepState
    job: str = ""
    """RayJob that does it; empty when it is gone."""
    start_time: Time | None = None
    """When it began; of a step that is not done, when its RayJob started."""
    end_time: Time | None = None
    """When it ended; of a step that has failed, when its RayJob ended."""
    seconds: float | None = None
    """Duration of the step itself."""
    reused: str | None = None
    """Run whose equal work was taken instead of doing it again."""
    message: Message = ""
    """What it found, or why it waits or failed."""


class Progress(CampaignPart):
    """How far the running job is."""

    step: str
    """Step that runs."""
    percent: float | None = Field(default=None, ge=0, le=100)
    """Share of the step that is done; null where it is not known."""
    remaining_seconds: int | None = Field(default=None, ge=0)
    """Estimated time until the step ends; null where it is not known."""
    last_updated_time: Time | None = None
    """When the job last reported."""


class BestTrial(CampaignPart):
    """The best trial so far."""

    trial: str
    """Its number or digest."""
    metric: str
    """Metric of the validations."""
    score: float


class SearchStatus(CampaignPart):
    """Counts of the search, and its best trial."""

    trials: int = Field(ge=0)
    """Trials that were started."""
    finished: int = Field(default=0, ge=0)
    failed: int = Field(default=0, ge=0)
    best: BestTrial | None = None


class GateStatus(CampaignPart):
    """What the gate decided about the engine of the current revision."""

    verdict: Literal["accept", "reject", "undecided"]
    reason: Message
    """What decided, as a sentence."""
    gain: float
    """Score of the engine minus that of the engine it replaces, in points of the metric."""
    against: str | None = None
    """Digest of the engine it was compared with; null: the base."""


class RolloutStatus(CampaignPart):
    """The rollout of the current revision's engine."""

    id: str
    state: Literal["running", "paused", "promoted", "rolled_back", "aborted"]
    stable: str | None = None
    """Engine that answers everybody else; null: none did."""
    canary: str
    """Engine that is rolled out."""
    percent: int = Field(default=0, ge=0, le=100)
    """Share of the clients that the canary answers."""
    step: int = Field(default=0, ge=0)
    """Number of the present share, from 0."""
    since: Time | None = None
    """When the present share began."""
    pairs: int = Field(default=0, ge=0)
    """Pairs of translations that were compared."""
    harm: str = ""
    """Signal with the strongest evidence of harm, with its figure; empty: none."""
    last_good: str | None = None
    """Engine that a rollback returns to."""
    reason: Message = ""
    """Why the rollout is in this state."""


class ActionStatus(CampaignPart):
    """The latest action that was done."""

    id: str
    result: Message
    time: Time


class PastRevision(CampaignPart):
    """The end of an earlier revision."""

    run: str
    phase: Phase
    gain: float | None = None
    """As the gate measured it; null: the revision did not come so far."""
    engine: str | None = None
    end_time: Time | None = None


class CampaignStatus(CampaignPart):
    """The state of a campaign."""

    observed_generation: int = 0
    """Generation of the spec that this status is about."""
    phase: Phase = "Pending"
    """What the campaign does now, or how its current revision ended."""
    message: Message = ""
    """The phase as a sentence."""
    conditions: tuple[Condition, ...] = ()
    """`Ready`, `Reconciling` and `Stalled` as kstatus defines them; `DataReady`, `GatePassed` and
    `Promoted` of the current revision."""
    revision: RevisionStatus | None = None
    steps: tuple[StepStatus, ...] = Field(default=(), max_length=MAX_STEPS)
    """The steps of the current revision, in order."""
    progress: Progress | None = None
    search: SearchStatus | None = None
    gate: GateStatus | None = None
    rollout: RolloutStatus | None = None
    serves: str | None = None
    """Digest of the engine that answers the campaign's route."""
    action: ActionStatus | None = None
    next_schedule_time: Time | None = None
    """When the schedule starts the next revision."""
    last_schedule_time: Time | None = None
    """When the schedule last started a revision, or found that nothing had changed."""
    history: tuple[PastRevision, ...] = Field(default=(), max_length=MAX_HISTORY)
    """The latest earlier revisions, latest first."""


def with_transition_times(
    wanted: Iterable[Condition], before: Sequence[Condition]
) -> tuple[Condition, ...]:
    """Keep the times of conditions whose `status` has not changed."""
    times = {(each.type, each.status): each.last_transition_time for each in before}
    return tuple(
        each.model_copy(
            update={
                "last_transition_time": times.get(
                    (each.type, each.status), each.last_transition_time
                )
            }
        )
        for each in wanted
    )
