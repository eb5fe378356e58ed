"""What people write into a campaign."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from k8s.objects.campaign.part import CampaignPart
from k8s.objects.limits import MAX_SECONDS
from k8s.objects.names import LABEL_VALUE_PATTERN

WorkerGroupName = Annotated[str, Field(max_length=63)]
Seconds = Annotated[int, Field(gt=0, le=MAX_SECONDS)]
ActionKind = Literal["promote", "abort", "rollback", "retry", "pause", "resume"]
MAX_RETRIES = 100


class Workers(CampaignPart):
    """Worker groups of the release that do the work; empty: `jobs.workers` of the release."""

    search: WorkerGroupName = ""
    """Worker group of the search (`tune`)."""
    training: WorkerGroupName = ""
    """Worker group of the training and of its variants (`train`, `variants`)."""
    rest: WorkerGroupName = ""
    """Worker group of all other steps."""


class Schedule(CampaignPart):
    """When a new revision starts by itself, with the meaning of a CronJob's fields."""

    cron: str = Field(min_length=1, max_length=128)
    """Five fields of cron, such as `0 2 * * 1`: minute, hour, day of month, month, day of week; or
    `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`."""
    time_zone: str = Field(default="UTC", min_length=1, max_length=64)
    """Name of the time zone of `cron` in the IANA database, such as `Asia/Kolkata`."""
    only_if_changed: bool = True
    """Start a revision only if data or settings differ from those of the latest revision."""
    starting_deadline_seconds: Seconds | None = None
    """A start that was missed by more seconds than these is left out; null: the latest missed
    start is always made up for."""
    concurrency: Literal["Forbid", "Replace"] = "Forbid"
    """What happens if the revision before still works: `Forbid` leaves the new one out, `Replace`
    ends the old one."""


class Keep(CampaignPart):
    """How many old revisions keep their runs and engines on the storage root."""

    revisions: int = Field(default=5, ge=1, le=50)
    """Number of latest finished revisions that are kept. An engine that the endpoint serves, or
    could roll back to, is always kept."""
    failed: int = Field(default=2, ge=0, le=50)
    """Number of latest failed revisions that are kept."""


class Action(CampaignPart):
    """What a person tells the campaign to do, once for each id."""

    id: str = Field(min_length=1, max_length=63, pattern=LABEL_VALUE_PATTERN)
    """Any text that differs from those of earlier actions; the action is done once for each."""
    do: ActionKind
    """`promote`: serve the engine of the current revision to everybody now; for an engine that the
    gate did not accept, `reason` is required. `abort`: end the revision, or its rollout, in favour
    of the stable engine. `rollback`: serve the engine that was stable before. `retry`: do a failed
    revision again from where it stopped. `pause` and `resume`: hold the rollout and go on."""
    reason: str = Field(default="", max_length=1024)
    """Why; it is recorded with the action."""


class CampaignSpec(CampaignPart):
    """What a campaign shall do."""

    release: str = Field(min_length=1, max_length=53)
    """Release of the chart whose storage, Pods, endpoint and defaults are used, by the name of its
    objects: its `nameOverride`, where it has one. It cannot be changed."""
    config: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Settings of the run, as docs/reference.md describes them, without the sections that belong to
    the release. A path is relative to the storage root."""
    workers: Workers = Workers()
    queue: str = Field(default="", max_length=63, pattern=LABEL_VALUE_PATTERN)
    """LocalQueue of Kueue that admits the jobs; empty: `jobs.queue` of the release, or else the
    operator's own limit of active campaigns."""
    priority: int = Field(default=0, ge=-1000, le=1000)
    """Of the campaigns that wait for the operator's own limit, the one with the highest priority
    starts first, and of several with the same priority the oldest."""
    deadline_seconds: Seconds | None = None
    """Time from the start of a revision to its gate after which it fails, without the time for
    which it is suspended or queued; null: only its jobs have a deadline."""
    step_deadline_seconds: Seconds | None = None
    """Deadline of each job; null: `jobs.deadlineSeconds` of the release."""
    retries: int | None = Field(default=None, ge=0, le=MAX_RETRIES)
    """New attempts of a job whose Pods were lost; null: `jobs.retries` of the release."""
    schedule: Schedule | None = None
    """When new revisions start by themselves; null: when spec or data change."""
    on_data_change: Literal["run", "ignore"] = "run"
    """Without a schedule, whether new data on the storage root starts a revision."""
    keep: Keep = Keep()
    suspend: bool = False
    """Start nothing, end the running job so that it can go on later, and pause the rollout."""
    action: Action | None = None
    """What to do now, once."""
