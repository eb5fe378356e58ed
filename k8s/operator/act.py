"""All writes of the operator. Each can be repeated without harm."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import singledispatchmethod

from k8s.api.cluster import CAMPAIGN, RAY_JOB, Cluster
from k8s.api.errors import ConflictError
from k8s.objects.campaign.jobs import Revision, campaign_job
from k8s.objects.campaign.names import rollout_owner, run_name
from k8s.objects.campaign.settings import for_run
from k8s.objects.campaign.status import CampaignStatus
from k8s.objects.release import Release
from k8s.operator.jobs import is_owned, taken_name
from k8s.operator.observe import open_storage
from k8s.operator.observed import Observed
from k8s.operator.plan.actions import (
    AnswerSchedule,
    BeginAttempt,
    ClaimRoute,
    CommandRollout,
    CreateJob,
    DeleteJob,
    DeleteRun,
    FinishRevision,
    FollowAction,
    HoldRevision,
    LookAtRollout,
    PlannedAction,
    ReleaseRoute,
    StartRevision,
    StartRollout,
)
from k8s.operator.record import CampaignRecord, DoneAction, change_campaign_record
from k8s.operator.revision_record import RevisionRecord
from k8s.operator.rollouts import command_rollout, start_rollout
from k8s.operator.runs import may_be_shared
from nmt.config import Config
from nmt.errors import InputError
from nmt.rollout import look
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import Traffic, change_traffic

log = logging.getLogger(__name__)

MANAGER = "nmt-operator"
"""Field manager of everything that the operator applies."""


@dataclass(slots=True)
class Actor:
    """Does what a plan asks for."""

    cluster: Cluster
    looked_at: dict[str, float]
    """Rollout -> when it was last looked at; shared with the observer."""

    def act(self, observed: Observed, action: PlannedAction, now: float) -> None:
        """Do one action.

        Raises:
            NmtError: it cannot be done now, or at all.
        """
        # A canary is looked at every few seconds.
        level = logging.DEBUG if isinstance(action, LookAtRollout) else logging.INFO
        log.log(level, "%s", action, extra={"campaign": observed.name})
        _Act(self, observed, now).do(action)

    def report(self, observed: Observed, status: CampaignStatus) -> None:
        """Write the status of a campaign, unless it says so already.

        Raises:
            ClusterError: it cannot be written now.
        """
        campaign = observed.campaign
        if campaign is None or campaign.status == status:
            return
        body = {
            "apiVersion": CAMPAIGN.api_version,
            "kind": CAMPAIGN.name,
            "metadata": {"name": campaign.name, "namespace": self.cluster.namespace},
            "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        self.cluster.apply_status(body, MANAGER, force=True)


@dataclass(slots=True)
class _Act:
    """One action on one campaign."""

    actor: Actor
    observed: Observed
    now: float
    record: CampaignRecord = field(init=False)
    """As this action, or the operation before it, has left it."""

    def __post_init__(self) -> None:
        self.record = self.observed.record

    @property
    def _release(self) -> Release:
        release = self.observed.release
        if release is None:
            raise InputError("the release of the campaign cannot be read")
        return release

    @property
    def _config(self) -> Config:
        """Return the settings of the release, which say where things are."""
        return Config.parse(self._release.config)

    @property
    def _storage(self) -> Storage:
        return open_storage(self._release, self._config)

    @property
    def _time(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    @property
    def _owner(self) -> str:
        return rollout_owner(self.observed.name)

    def _change(self, change: Callable[[CampaignRecord], CampaignRecord]) -> None:
        owner = {"namespace": self._release.namespace, "release": self._release.name}

        def change_own(record: CampaignRecord) -> CampaignRecord:
            changed = change(record)
            return record if changed == record else changed.model_copy(update=owner)

        name = self.observed.name
        self.record = change_campaign_record(self._storage, name, change_own, self.record)

    def _change_revision(
        self, number: int, change: Callable[[RevisionRecord], RevisionRecord]
    ) -> None:
        self._change(lambda record: record.with_revision(number, change))

    @singledispatchmethod
    def do(self, action: PlannedAction) -> None:
        """Do an action."""
        raise TypeError(f"unknown action {action}")

    @do.register
    def _start_revision(self, action: StartRevision) -> None:
        """Write the next revision into the record."""
        campaign = self.observed.campaign
        revision = RevisionRecord(
            number=action.number,
            trigger=action.trigger,
            inputs=action.inputs,
            data=action.data,
            run=action.run,
            started=self.now,
            attempt_started=self.now,
        )
        uid = campaign.metadata.uid if campaign else ""

        def start(record: CampaignRecord) -> CampaignRecord:
            started = record.with_started(revision, uid, self.observed.engine)
            return started if action.tick is None else started.with_schedule(action.tick)

        self._change(start)

    @do.register
    def _begin_attempt(self, action: BeginAttempt) -> None:
        self._change_revision(
            action.revision,
            lambda each: each.with_attempt(action.attempt, self.now, action.because),
        )

    @do.register
    def _hold(self, action: HoldRevision) -> None:
        self._change_revision(
            action.revision, lambda each: each.with_hold(self.now, held=action.held)
        )

    @do.register
    def _answer_schedule(self, action: AnswerSchedule) -> None:
        self._change(lambda record: record.with_schedule(action.tick))

    @do.register
    def _finish(self, action: FinishRevision) -> None:
        changes = {
            "outcome": action.outcome,
            "message": action.message,
            "ended": self.now,
            "engine": action.engine,
            "gain": action.gain,
        }
        self._change_revision(action.revision, lambda each: each.model_copy(update=changes))

    @do.register
    def _create_job(self, action: CreateJob) -> None:
        """Create a RayJob, unless it is there."""
        observed = self.observed
        campaign, release, settings = observed.campaign, observed.release, observed.settings
        if not (campaign and campaign.spec and release and settings):
            raise InputError("the campaign cannot be read")
        on_storage = observed.data.on_storage if observed.data else frozenset[str]()
        run = run_name(observed.name, action.revision)
        loaded = for_run(
            settings, release, run, on_storage, observed.record.runs_before(action.revision)
        )
        revision = Revision(action.revision, action.attempt)
        job = campaign_job(
            release, campaign, campaign.spec, revision, action.planned, loaded, self.now
        )
        if self.actor.cluster.create(job) is not None:
            return
        # A name that is taken is this very job, which an earlier call has made.
        found = self.actor.cluster.get(RAY_JOB, job["metadata"]["name"])
        if found is not None and not is_owned(found, campaign.metadata.uid):
            raise taken_name(found)

    @do.register
    def _delete_job(self, action: DeleteJob) -> None:
        try:
            self.actor.cluster.delete(RAY_JOB, action.name, uid=action.uid)
        except ConflictError:
            log.info("RayJob %s was made anew, and stays", action.name)

    @do.register
    def _start_rollout(self, action: StartRollout) -> None:
        observed = self.observed
        if observed.route is None or observed.settings is None:
            raise InputError(
                "the settings of the campaign cannot be read, so nothing is rolled out"
            )
        start_rollout(
            self._storage,
            observed.route,
            action.run,
            observed.settings.config,
            owner=self._owner,
            reason=action.reason,
            at_once=action.at_once,
            now=self._time,
        )

    @do.register
    def _look(self, action: LookAtRollout) -> None:
        look(self._storage, self._endpoint, action.id, self._time)
        self.actor.looked_at[action.id] = self.now

    @do.register
    def _command(self, action: CommandRollout) -> None:
        route = self.observed.route
        known = (self.observed.rollout, route.promoted_by if route else None)
        rollout = next((each for each in known if each and each.id == action.id), None)
        command_rollout(
            self._storage,
            self._endpoint,
            action.id,
            action.do,
            by=self._owner,
            reason=action.reason,
            after=rollout.last_event if rollout else None,
            now=self._time,
        )

    @property
    def _endpoint(self) -> str:
        route = self.observed.route
        return route.endpoint if route else self._config.serving.name

    @do.register
    def _follow(self, action: FollowAction) -> None:
        """Do what a person told the campaign to do, and record it, also if it is refused."""
        result = action.result
        try:
            for operation in action.operations:
                self.do(operation)
        except InputError as error:
            result = f"refused: {error}"
        done = DoneAction(id=action.action.id, do=action.action.do, result=result, at=self.now)
        self._change(lambda record: record.with_action(done))

    @do.register
    def _delete_run(self, action: DeleteRun) -> None:
        """Delete a run, and its engine unless another run has made the same one."""
        storage = self._storage
        if action.engine and not may_be_shared(storage, action.run, action.engine):
            storage.delete(layout.engine(action.engine))
        storage.delete(action.run)
        self._change_revision(
            action.revision, lambda each: each.model_copy(update={"removed": True})
        )

    @do.register
    def _claim_route(self, action: ClaimRoute) -> None:
        """Keep others from changing a route that an engine of this campaign serves."""

        def claim(traffic: Traffic | None) -> Traffic:
            route = traffic.routes.get(action.key) if traffic else None
            if not (traffic and route) or route.owner or route.stable != action.engine:
                raise ConflictError(f"route {action.key} of endpoint {action.endpoint} has changed")
            return traffic.with_route(action.key, route.with_owner(self._owner))

        change_traffic(self._storage, action.endpoint, claim, owner=self._owner)

    @do.register
    def _release_route(self, action: ReleaseRoute) -> None:
        """Let others change the route of a campaign that was deleted."""

        def release(traffic: Traffic | None) -> Traffic:
            if traffic is None:
                raise InputError(f"endpoint '{action.endpoint}' has no traffic file")
            route = traffic.route(action.key)
            return traffic.with_route(action.key, route.with_owner(None))

        change_traffic(self._storage, action.endpoint, release, owner=self._owner)
