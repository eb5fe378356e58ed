"""What the operator can do. Each of these can be repeated without harm."""

from dataclasses import dataclass
from typing import Literal

from k8s.objects.campaign.jobs import PlannedJob
from k8s.objects.campaign.spec import Action
from k8s.objects.campaign.status import CampaignStatus, Trigger
from k8s.operator.revision_record import Outcome


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

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"revision {self.number} starts, run {self.run} (because of: {self.trigger})"


@dataclass(frozen=True, slots=True)
class BeginAttempt:
    """Do a revision again from where it stopped."""

    revision: int
    attempt: int
    because: str | None = None
    """Engine that began to serve after the gate; None: a person asked for it."""

    def __str__(self) -> str:
        """Say what is done, for the log."""
        why = f"engine {self.because} serves now" if self.because else "a person asked for it"
        return f"revision {self.revision} is tried again, attempt {self.attempt} ({why})"


@dataclass(frozen=True, slots=True)
class HoldRevision:
    """Let the deadline of a revision wait, or go on."""

    revision: int
    held: bool

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"the deadline of revision {self.revision} {'waits' if self.held else 'goes on'}"


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Create a RayJob of the current revision."""

    planned: PlannedJob
    revision: int
    attempt: int

    def __str__(self) -> str:
        """Say what is done, for the log."""
        steps, workers = ", ".join(self.planned.steps), self.planned.group
        return f"a RayJob is made for {steps} of revision {self.revision} (workers: {workers})"


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete a RayJob; its work can be resumed."""

    name: str
    uid: str

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"RayJob {self.name} is deleted"


@dataclass(frozen=True, slots=True)
class StartRollout:
    """Begin to roll out the engine of a run."""

    run: str
    reason: str = ""
    """Why it may serve although the gate has not accepted it."""
    at_once: bool = False
    """Whether it serves everybody at once, whatever the settings say."""

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"the engine of run {self.run} is rolled out" + _because(self.reason)


@dataclass(frozen=True, slots=True)
class LookAtRollout:
    """Look once at the counts of a rollout, which may advance it, pause it or roll it back."""

    id: str

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"rollout {self.id} is looked at"


@dataclass(frozen=True, slots=True)
class CommandRollout:
    """Pause, resume, promote or abort a rollout."""

    id: str
    do: Literal["pause", "resume", "promote", "abort"]
    reason: str

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"rollout {self.id}: {self.do}" + _because(self.reason)


@dataclass(frozen=True, slots=True)
class FinishRevision:
    """Record how a revision ended."""

    revision: int
    outcome: Outcome
    message: str
    engine: str | None = None
    gain: float | None = None

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"revision {self.revision} has ended: {self.outcome}" + _because(self.message)


Operation = BeginAttempt | StartRevision | StartRollout | CommandRollout | FinishRevision


@dataclass(frozen=True, slots=True)
class FollowAction:
    """Do what a person told the campaign to do, and record what became of it."""

    action: Action
    operations: tuple[Operation, ...]
    result: str
    """What it did, as a sentence; an error of an operation takes its place."""

    def __str__(self) -> str:
        """Say what is done, for the log."""
        told = self.action
        return f"action {told.id} of a person: {told.do}" + _because(told.reason)


@dataclass(frozen=True, slots=True)
class AnswerSchedule:
    """Record that a time of the schedule started nothing."""

    tick: float

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return "a time of the schedule starts nothing"


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Delete the run of an old revision, and its engine unless something else needs it."""

    revision: int
    run: str
    engine: str | None

    def __str__(self) -> str:
        """Say what is done, for the log."""
        engine = f" with engine {self.engine}" if self.engine else ""
        return f"run {self.run} is deleted{engine}, since newer revisions need the room"


@dataclass(frozen=True, slots=True)
class ClaimRoute:
    """Keep others from changing a route that an engine of the campaign serves."""

    endpoint: str
    key: str
    engine: str

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"route {self.key} of endpoint {self.endpoint} is claimed: {self.engine} serves it"


@dataclass(frozen=True, slots=True)
class ReleaseRoute:
    """Give up the route of a campaign that was deleted."""

    endpoint: str
    key: str

    def __str__(self) -> str:
        """Say what is done, for the log."""
        return f"route {self.key} of endpoint {self.endpoint} is given up"


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


PlannedAction = (
    StartRevision
    | BeginAttempt
    | HoldRevision
    | CreateJob
    | DeleteJob
    | StartRollout
    | LookAtRollout
    | CommandRollout
    | FinishRevision
    | FollowAction
    | AnswerSchedule
    | DeleteRun
    | ClaimRoute
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
