"""All reads of the operator: from objects and storage to what a plan is made from."""

import logging
from dataclasses import dataclass, field

from k8s.api.cluster import Cluster, JsonObject
from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.jobs import PlannedJob, plan_jobs
from k8s.objects.campaign.names import revision_number, run_name
from k8s.objects.campaign.settings import RevisionSettings, revision_settings
from k8s.objects.campaign.status import Phase
from k8s.objects.release import Release
from k8s.observe.lookup import read_release
from k8s.operator.data import DataLooker
from k8s.operator.jobs import jobs_at_work, own_jobs
from k8s.operator.objects import Objects
from k8s.operator.observed import (
    Observed,
    ObservedData,
    ObservedJob,
    Standing,
)
from k8s.operator.plan.outcome import standing_of
from k8s.operator.plan.schedule import check_schedule
from k8s.operator.record import (
    CampaignRecord,
    belongs_to_another,
    check_namespace,
    check_record,
    read_campaign_record,
)
from k8s.operator.revision_record import RevisionRecord
from k8s.operator.routes import engines_in_use, find_traffic
from k8s.operator.runs import done_records, read_search, read_steps
from nmt.config import Config
from nmt.errors import DamagedRecordError, InputError, StorageError
from nmt.runs.gate import GateResult
from nmt.runs.gate_record import find_decision
from nmt.runs.steps import EXPORT
from nmt.storage import Storage, below

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Observer:
    """Reads all that a plan is made from."""

    cluster: Cluster
    objects: Objects
    release_name: str
    data: DataLooker = field(default_factory=DataLooker)
    standings: dict[str, Standing] = field(default_factory=dict[str, Standing])
    """What this operator has last found out about each campaign, for the limit."""
    queue: str = ""
    """LocalQueue of campaigns that name none, as the release was last read."""
    has_listed: bool = False
    """Whether all campaigns were listed once."""
    looked_at: dict[str, float] = field(default_factory=dict[str, float])
    """Rollout -> when this operator last looked at it, in seconds since 1970."""
    own_names: set[str] = field(default_factory=set[str])
    """Campaigns whose records this operator has read as those of its own namespace."""
    in_use_problem: str = ""
    """Why it is not known which engines are used; empty if it is."""

    def is_ours(self, body: JsonObject) -> bool:
        """Tell whether a campaign uses the release of this operator.

        With `nameOverride` the Helm release has another name, which may be that of the objects of
        another release: the admission policy, too, knows a release by its objects alone.
        """
        return body.get("spec", {}).get("release") == self.release_name

    def release(self) -> Release:
        """Read the release.

        Raises:
            InputError: it is not there, or cannot be read.
        """
        found = read_release(self.cluster, self.release_name)
        self.queue = found.jobs.queue
        return found

    def observe(self, name: str, now: float) -> Observed:
        """Read all that is known of a campaign.

        Args:
            name: of the campaign.
            now: seconds since 1970.

        Raises:
            ConflictError: another operator has worked on it meanwhile.
            NmtError: something cannot be read now.
        """
        release = self.release()
        base = Config.parse(release.config)
        storage = open_storage(release, base)
        record = read_campaign_record(storage, name)
        # After the record: by an older object, the newest revision would seem to be outdated.
        body = self.objects.campaign(name)
        if body is None or not self.is_ours(body):
            is_left = body is None or _is_written_by(release, record)
            observed = self._observe_remains(name, release, storage, base, record, is_left=is_left)
        else:
            campaign = Campaign.parse(body)
            if record is not None:
                check_namespace(name, record, release.namespace)
                self.own_names.add(name)
            observed = _Observation(self, name, campaign, release, storage, now).complete(record)
        # If another operator has worked meanwhile, not all of this was true at the same time.
        check_record(name, read_campaign_record(storage, name), observed.record)
        return observed

    def has_left_something(self, name: str) -> bool:
        """Tell whether this release has worked on a campaign that belongs to another one now.

        Raises:
            NmtError: release or storage cannot be read now.
        """
        release = self.release()
        try:
            record = read_campaign_record(open_storage(release, Config.parse(release.config)), name)
        except DamagedRecordError:
            return name in self.own_names
        return _is_written_by(release, record)

    def keep_standing(self, campaign: Campaign, phase: Phase, *, is_at_work: bool) -> None:
        """Remember of a campaign what the limit has to know.

        Args:
            campaign: the campaign.
            phase: what it reports.
            is_at_work: whether some job of it has not ended, for which a stalled one takes a place.
        """
        counted = "Training" if phase == "Stalled" and is_at_work else phase
        self.standings[campaign.name] = standing_of(campaign, counted, self.queue)

    def jobs_at_work(self, campaign: Campaign) -> list[JsonObject]:
        """List the RayJobs of a campaign that have not ended, whatever else can be read of it.

        Raises:
            NmtError: the jobs cannot be listed.
        """
        return jobs_at_work(self.objects.jobs(campaign.name), campaign.metadata.uid)

    def known_standings(self) -> dict[str, Standing]:
        """Return what is known of all campaigns, from their last status at first."""
        if not self.has_listed:
            for body in self.objects.campaigns():
                if self.is_ours(body):
                    other = Campaign.parse(body)
                    self.standings.setdefault(
                        other.name, standing_of(other, other.status.phase, self.queue)
                    )
            # Each campaign that is made, changed or deleted later is reconciled.
            self.has_listed = True
        return self.standings

    def observe_rollout(self, name: str) -> Observed:
        """Read nothing of a campaign but its rollout, which has to be watched in any case.

        Raises:
            NmtError: it cannot be read now.
        """
        release = self.release()
        base = Config.parse(release.config)
        storage = open_storage(release, base)
        if self._belongs_to_another(storage, name, release.namespace):
            return Observed(name, release=release)
        route, rollout = find_traffic(storage, name, base.serving.name, None)
        looked_at = self.looked_at.get(rollout.id, 0.0) if rollout else 0.0
        return Observed(name, release=release, route=route, rollout=rollout, looked_at=looked_at)

    def _belongs_to_another(self, storage: Storage, name: str, namespace: str) -> bool:
        """Tell whose a campaign is, by what was read before if its record cannot be read now."""
        try:
            return belongs_to_another(storage, name, namespace)
        except StorageError:
            if name in self.own_names:
                return False
            raise

    def _observe_remains(
        self,
        name: str,
        release: Release,
        storage: Storage,
        base: Config,
        record: CampaignRecord | None,
        *,
        is_left: bool,
    ) -> Observed:
        """Read what a campaign that is gone, or is another release's now, still holds."""
        self.data.forget(name)
        self.standings.pop(name, None)
        self.own_names.discard(name)
        if record is None:
            return Observed(name, release=release)
        if record.is_of_another(release.namespace) or not is_left:
            # That one holds something, and it is not deleted.
            return Observed(name, release=release, record=record)
        endpoint = base.serving.name
        route, rollout = find_traffic(storage, name, endpoint, None)
        return Observed(name, release=release, record=record, route=route, rollout=rollout)


def _is_written_by(release: Release, record: CampaignRecord | None) -> bool:
    """Tell whether a release has last written a record.

    Two releases of a namespace may share a storage root, and then the record of a name, too.
    """
    own = (release.namespace, release.name)
    return record is not None and (record.namespace, record.release) == own


def open_storage(release: Release, config: Config) -> Storage:
    """Open the storage root of the runs of a release."""
    return Storage(below(release.storage, config.storage))


@dataclass(slots=True)
class _Observation:
    """One look at a campaign that exists."""

    observer: Observer
    name: str
    campaign: Campaign
    release: Release
    storage: Storage
    now: float

    def complete(self, record: CampaignRecord | None) -> Observed:
        """Read everything else."""
        settings, planned, problem = self._read_settings()
        remembered = record or CampaignRecord()
        current = remembered.current
        route, rollout = find_traffic(
            self.storage,
            self.name,
            Config.parse(self.release.config).serving.name,
            settings.config if settings else None,
        )
        records = done_records(self.storage, current.run) if current else {}
        exported = records.get(EXPORT.name)
        engine = exported.output if exported else None
        return Observed(
            name=self.name,
            campaign=self.campaign,
            release=self.release,
            settings=settings,
            jobs_planned=planned,
            problem=problem,
            record=remembered,
            next_number=self._next_number(remembered),
            jobs=self._jobs(current),
            steps=read_steps(self.storage, current.run, records) if current else {},
            engine=engine,
            gate=self._gate(current, engine),
            search=read_search(self.storage, current.run, records) if current else None,
            data=self._data(settings),
            route=route,
            rollout=rollout,
            looked_at=self.observer.looked_at.get(rollout.id, 0.0) if rollout else 0.0,
            in_use=self._in_use(remembered),
            others=tuple(self._others()),
            limit=self.release.max_active,
        )

    def _read_settings(
        self,
    ) -> tuple[RevisionSettings | None, tuple[PlannedJob, ...], str]:
        """Read the settings and plan the jobs, or say why that cannot be done."""
        spec = self.campaign.spec
        if spec is None or self.campaign.problem:
            return None, (), self.campaign.problem
        try:
            if spec.schedule:
                check_schedule(spec.schedule)
            settings = revision_settings(self.release, spec)
            return settings, plan_jobs(self.release, spec, settings.config), ""
        except InputError as error:
            return None, (), str(error)

    def _next_number(self, record: CampaignRecord) -> int:
        if record.current is None:
            # The record may have been deleted, and the runs are still there.
            taken = [revision_number(self.name, run) for run in self.storage.list("")]
            return 1 + max((number for number in taken if number), default=0)
        number = record.current.number + 1
        # Somebody may have given a run of their own such a name.
        while self.storage.exists(run_name(self.name, number)):
            number += 1
        return number

    def _jobs(self, current: RevisionRecord | None) -> tuple[ObservedJob, ...]:
        found = self.observer.objects.jobs(self.name)
        return own_jobs(found, self.campaign.metadata.uid, current, self.storage)

    def _in_use(self, record: CampaignRecord) -> frozenset[str]:
        """List the engines that stay: all of the campaign while it is not known which are used."""
        if len(record.revisions) <= 1:
            return frozenset()
        try:
            found = engines_in_use(self.storage)
        except DamagedRecordError as error:
            if self.observer.in_use_problem != str(error):
                log.warning("no engine makes room while it is not known which are used: %s", error)
            self.observer.in_use_problem = str(error)
            return frozenset(each.engine for each in record.revisions if each.engine)
        self.observer.in_use_problem = ""
        return found

    def _gate(self, current: RevisionRecord | None, engine: str | None) -> GateResult | None:
        return find_decision(self.storage, current.run, engine) if current and engine else None

    def _data(self, settings: RevisionSettings | None) -> ObservedData | None:
        if settings is None:
            return None
        files = Storage(self.release.storage)
        return self.observer.data.look(self.name, settings, files, self.now)

    def _others(self) -> list[Standing]:
        """List what is known of the other campaigns, if there is a limit."""
        if not self.release.max_active:
            return []
        known = self.observer.known_standings()
        return [standing for name, standing in known.items() if name != self.name]
