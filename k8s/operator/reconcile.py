"""One campaign is brought nearer to what its spec says: observe, plan, act, report."""

import logging
import time
from dataclasses import dataclass

from k8s.api.cluster import Cluster
from k8s.api.errors import ConflictError
from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.status import Phase
from k8s.operator.act import Actor
from k8s.operator.objects import ClusterObjects
from k8s.operator.observe import Observer, open_storage
from k8s.operator.observed import Observed
from k8s.operator.plan.actions import DeleteJob, Plan
from k8s.operator.plan.campaign import plan_campaign
from k8s.operator.plan.outcome import with_problem
from k8s.operator.plan.rollout import due_look, watch_rollout
from k8s.operator.record import known_campaigns
from nmt.config import Config
from nmt.errors import NmtError, UnreachableError

log = logging.getLogger(__name__)

_MOST_PASSES = 12
"""Each pass does something; a campaign that is never done must not keep the others waiting."""
_REFUSED_SECONDS = 60.0


@dataclass(slots=True)
class Reconciler:
    """Reconciles campaigns by name."""

    observer: Observer
    actor: Actor

    def reconcile(self, name: str, now: float) -> float | None:
        """Do for a campaign what has to be done now, and report its state.

        It may be called at any time, for any name, and as often as one likes.

        Args:
            name: of the campaign, which may be gone.
            now: seconds since 1970.

        Returns:
            Seconds after which it wants to be called again; None: when something changes.

        Raises:
            UnreachableError: cluster or storage did not answer: call again a little later.
            ConflictError: somebody else was faster: call again.
            NmtError: the state of the campaign could not be reported, or its record could not be
                read to see whether it was once this release's.
        """
        body = self.observer.objects.campaign(name)
        own = body if body is not None and self.observer.is_ours(body) else None
        if own is None:
            # It takes no place, whatever else can be read of it.
            self.observer.standings.pop(name, None)
            # One that was ours may have gone before it, and nobody else watches what it has left.
            if body is not None and not self.observer.has_left_something(name):
                return None
        observed = Observed(name, campaign=Campaign.parse(own) if own else None)
        plan = Plan((), None)
        try:
            for _ in range(_MOST_PASSES):
                observed = self.observer.observe(name, now)
                plan = plan_campaign(observed, now)
                if not plan.actions:
                    break
                for action in plan.actions:
                    self.actor.act(observed, action, now)
        except (UnreachableError, ConflictError):
            raise
        except NmtError as error:
            return self._refused(observed, error, now)
        if observed.campaign:
            # One that waits for its deletion reports nothing.
            phase = plan.status.phase if plan.status else "Stalled"
            is_at_work = any(not job.has_ended for job in observed.jobs)
            self.observer.keep_standing(observed.campaign, phase, is_at_work=is_at_work)
        if plan.status:
            self.actor.report(observed, plan.status)
        return 0.0 if plan.actions else plan.again_after_seconds

    def _refused(self, observed: Observed, error: NmtError, now: float) -> float:
        """Report what cluster or storage refuse, which a repetition alone does not change."""
        log.warning("campaign %s: %s", observed.name, error)
        self._watch_all_the_same(observed, now)
        if observed.campaign is None:
            return _REFUSED_SECONDS
        status = with_problem(observed.campaign, str(error), now)
        self._see_to_jobs(observed, observed.campaign, status.phase, now)
        self.actor.report(observed, status)
        return _REFUSED_SECONDS

    def _see_to_jobs(
        self, observed: Observed, campaign: Campaign, phase: Phase, now: float
    ) -> None:
        """Let a refused campaign keep its place while it works, or end its work if suspended."""
        try:
            jobs = self.observer.jobs_at_work(campaign)
            if _is_suspended(campaign):
                for metadata in (job["metadata"] for job in jobs):
                    if not metadata.get("deletionTimestamp"):
                        self.actor.act(observed, DeleteJob(metadata["name"], metadata["uid"]), now)
        except NmtError as error:
            log.warning("campaign %s: its jobs cannot be seen to: %s", campaign.name, error)
        else:
            self.observer.keep_standing(campaign, phase, is_at_work=bool(jobs))

    def _watch_all_the_same(self, observed: Observed, now: float) -> None:
        """Look at the rollout of a campaign of which nothing else can be read or done."""
        name = observed.name
        try:
            found = self.observer.observe_rollout(name)
            # A look would bring the canary of a suspended campaign to its next step.
            if _is_suspended(observed.campaign):
                actions = watch_rollout(found, now, suspended=True).actions
            else:
                look = due_look(found, now)
                actions = (look,) if look else ()
            for action in actions:
                self.actor.act(found, action, now)
        except NmtError as error:
            log.warning("campaign %s: its rollout cannot be looked at: %s", name, error)

    def __call__(self, name: str) -> float | None:
        """Do for a campaign what has to be done now, as the loop calls it."""
        return self.reconcile(name, time.time())

    def held(self) -> list[str]:
        """List the campaigns that may hold a canary or a route, those that are deleted too.

        Raises:
            NmtError: cluster or storage cannot be read.
        """
        release = self.observer.release()
        storage = open_storage(release, Config.parse(release.config))
        return known_campaigns(storage, release.namespace)


def _is_suspended(campaign: Campaign | None) -> bool:
    return bool(campaign and campaign.spec and campaign.spec.suspend)


def reconciler(cluster: Cluster, release: str) -> Reconciler:
    """Make what brings the campaigns of a release a step further.

    Args:
        cluster: the namespace of the campaigns.
        release: name of the release, as its objects have it.

    Raises:
        InputError: there is no such release, without which nothing can be done.
    """
    observer = Observer(cluster, ClusterObjects(cluster), release)
    observer.release()
    return Reconciler(observer, Actor(cluster, observer.looked_at))
