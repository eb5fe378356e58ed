"""What the operator can do. Each of these can be repeated without harm."""

from dataclasses import dataclass
from typing import Literal

from k8s.objects.campaign.jobs import PlannedJob
from k8s.objects.campaign.spec import Action
from k8s.objects.campaign.status import CampaignStatus, Trigger
from k8s.operator.record import Outcome


@dataclass(frozen=True, slots=True)
class StartRevision:
    """Begin the next revision, which ends the one before it."""

    number: int
    trigger: Trigger
    inputs: str
    data: str
    run: str
    tick: float | None = None
    """Time of the schedule that it answers."""


@dataclass(frozen=True, slots=True)
class BeginAttempt:
    """Do a revision again from where it stopped."""

    revision: int
    attempt: int
    because: str | None = None
    """Engine that began to serve after the gate; None: a person asked for it."""


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Create a RayJob of the current revision."""

    planned: PlannedJob
    revision: int
    attempt: int


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete a RayJob; its work can be resumed."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class StartRollout:
    """Begin to roll out the engine of a run."""

    run: str
    reason: str = ""
    """Why it may serve although the gate has not accepted it."""
    at_once: bool = False
    """Whether it serves everybody at once, whatever the settings say."""


@dataclass(frozen=True, slots=True)
class LookAtRollout:
    """Look once at the counts of a rollout, which may advance it, pause it or roll it back."""

    id: str


@dataclass(frozen=True, slots=True)
class CommandRollout:
    """Pause, resume, promote or abort a rollout."""

    id: str
    do: Literal["pause", "resume", "promote", "abort"]
    reason: str


@dataclass(frozen=True, slots=True)
class FinishRevision:
    """Record how a revision ended."""

    revision: int
    outcome: Outcome
    message: str
    engine: str | None = None
    gain: float | None = None


Operation = BeginAttempt | StartRevision | StartRollout | CommandRollout | FinishRevision


@dataclass(frozen=True, slots=True)
class FollowAction:
    """Do what a person told the campaign to do, and record what became of it."""

    action: Action
    operations: tuple[Operation, ...]
    result: str
    """What it did, as a sentence; an error of an operation takes its place."""


@dataclass(frozen=True, slots=True)
class AnswerSchedule:
    """Record that a time of the schedule started nothing."""

    tick: float


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Delete the run of an old revision, and its engine unless something else needs it."""

    revision: int
    run: str
    engine: str | None


@dataclass(frozen=True, slots=True)
class ReleaseRoute:
    """Give up the route of a campaign that was deleted."""

    endpoint: str
    key: str


PlannedAction = (
    StartRevision
    | BeginAttempt
    | CreateJob
    | DeleteJob
    | StartRollout
    | LookAtRollout
    | CommandRollout
    | FinishRevision
    | FollowAction
    | AnswerSchedule
    | DeleteRun
    | ReleaseRoute
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done now, what is reported, and when to look again."""

    actions: tuple[PlannedAction, ...]
    status: CampaignStatus | None
    """None: there is no object to report in."""
    again_after_seconds: float | None = None
    """None: when something changes."""
