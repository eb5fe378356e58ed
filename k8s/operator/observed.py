"""All that a plan is made from, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.jobs import PlannedJob
from k8s.objects.campaign.settings import RevisionSettings
from k8s.objects.campaign.status import SearchStatus
from k8s.objects.release import Release
from k8s.observe.job_status import JobState, JobStatus
from k8s.operator.record import CampaignRecord
from k8s.operator.revision_record import RevisionRecord
from nmt.rollout import RolloutEvent
from nmt.runs.gate import GateResult
from nmt.runs.job_progress import JobProgress

RolloutState = Literal["running", "paused", "promoted", "rolled_back", "aborted"]

ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
"""The states in which a job does nothing any more."""


@dataclass(frozen=True, slots=True)
class ObservedJob:
    """A RayJob of the campaign."""

    name: str
    uid: str
    kind: str
    revision: int
    attempt: int
    steps: tuple[str, ...]
    status: JobStatus
    deleting: bool = False
    started: float | None = None
    """Seconds since 1970; None before Ray has begun it."""
    ended: float | None = None
    progress: JobProgress | None = None
    """What it reported on the storage root."""

    @property
    def has_ended(self) -> bool:
        """Tell whether it does nothing any more."""
        return self.status.state in ENDED


@dataclass(frozen=True, slots=True)
class ObservedStep:
    """A finished step of the current revision."""

    seconds: float
    headline: str
    reused: str | None = None
    ended: float | None = None
    """When it was finished, in seconds since 1970; None where an older release has done it."""


@dataclass(frozen=True, slots=True)
class ObservedData:
    """The data of a campaign on the storage of its release."""

    digest: str
    """Of its names, sizes and contents."""
    settled: bool
    """Whether all is read and was the same at an earlier look, so that nobody is writing it now."""
    on_storage: frozenset[str] = frozenset()
    """Keys whose path is there, or ought to be; the others name something on the hub."""
    missing: tuple[str, ...] = ()
    """What is not there, as sentences."""
    reading: str = ""
    """How much is read, as a sentence; empty once all is."""


@dataclass(frozen=True, slots=True)
class ObservedRoute:
    """The route that the campaign's engines serve."""

    endpoint: str
    key: str
    domain: str | None
    stable: str | None
    """Digest of the engine that answers; None: none does."""
    owner: str | None = None
    rollout: str = ""
    """Id of the latest rollout on it, whoever began it; empty: there was none."""
    promoted_by: "ObservedRollout | None" = None
    """The campaign's rollout that made the engine serve, where its latest one did not."""
    given_up: Mapping[str, str] = field(default_factory=dict[str, str])
    """Why later rollouts of the campaign have ended -> their engines."""


@dataclass(frozen=True, slots=True)
class ObservedRollout:
    """The latest rollout of the campaign on its route."""

    id: str
    run: str
    engine: str
    stable: str | None
    state: RolloutState
    percent: int
    step: int
    since: float
    pairs: int
    harm: str
    reason: str
    held: bool = True
    """Whether, if it is paused, only a command lets it go on."""
    paused_by_suspension: bool = False
    """Whether it is paused only because the campaign is suspended."""
    settled: bool = True
    """Whether the traffic file says what the rollout says."""
    last_event: RolloutEvent | None = None

    @property
    def is_active(self) -> bool:
        """Tell whether it still goes on."""
        return self.state in ("running", "paused")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the limit of active campaigns has to know of a campaign."""

    name: str
    priority: int
    created: float
    """Seconds since 1970."""
    state: Literal["working", "waiting", "resting"]

    @property
    def place(self) -> tuple[int, float, str]:
        """Return what waiting campaigns are sorted by, the first one first."""
        return -self.priority, self.created, self.name


@dataclass(frozen=True, slots=True)
class Observed:
    """All that is known of a campaign at one moment."""

    name: str
    campaign: Campaign | None = None
    """None if there is no such object."""
    release: Release | None = None
    settings: RevisionSettings | None = None
    jobs_planned: tuple[PlannedJob, ...] = ()
    problem: str = ""
    """Why spec, release or settings cannot be used; empty if they can."""
    record: CampaignRecord = field(default_factory=CampaignRecord)
    next_number: int = 1
    jobs: tuple[ObservedJob, ...] = ()
    steps: Mapping[str, ObservedStep] = field(default_factory=dict[str, ObservedStep])
    """The finished steps of the current revision."""
    engine: str | None = None
    """Digest of the engine of the current revision."""
    gate: GateResult | None = None
    """The decision on that engine."""
    search: SearchStatus | None = None
    data: ObservedData | None = None
    """None if the settings cannot be used."""
    route: ObservedRoute | None = None
    rollout: ObservedRollout | None = None
    looked_at: float = 0.0
    """When this operator last looked at the rollout, in seconds since 1970."""
    in_use: frozenset[str] = frozenset()
    """Engines that some endpoint serves, or could roll back to."""
    others: tuple[Standing, ...] = ()
    limit: int = 0
    """Largest number of campaigns that work at the same time; 0: any number."""

    @property
    def current(self) -> RevisionRecord | None:
        """Return the latest revision; None before the first one."""
        return self.record.current

    @property
    def queue(self) -> str:
        """Return the LocalQueue that admits its jobs; empty: the limit of active campaigns does."""
        own = self.campaign.spec.queue if self.campaign and self.campaign.spec else ""
        return own or (self.release.jobs.queue if self.release else "")

    @property
    def serves(self) -> bool:
        """Tell whether the engine of the current revision answers."""
        engine, route = self.engine, self.route
        return engine is not None and route is not None and route.stable == engine

    @property
    def own_rollout(self) -> ObservedRollout | None:
        """Return the rollout of the current revision; None if it has none."""
        current = self.current
        return (
            self.rollout if current and self.rollout and self.rollout.run == current.run else None
        )
