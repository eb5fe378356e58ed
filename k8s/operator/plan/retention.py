"""Which old revisions make room. Pure."""

from k8s.objects.campaign.spec import Keep
from k8s.operator.observed import Observed
from k8s.operator.plan.actions import DeleteJob, DeleteRun, PlannedAction
from k8s.operator.revision_record import RevisionRecord


def make_room(observed: Observed, keep: Keep) -> tuple[PlannedAction, ...]:
    """List the runs and jobs of old revisions that go.

    The current revision stays, and every engine that an endpoint serves or could roll back to.
    """
    old = _revisions_to_remove(observed, keep)
    gone = {revision.number for revision in old}
    known = {revision.number for revision in observed.record.revisions}
    jobs = [
        DeleteJob(job.name, job.uid)
        for job in observed.jobs
        if not job.deleting and (job.revision in gone or job.revision not in known)
    ]
    runs = [DeleteRun(each.number, each.run, each.engine) for each in old if not each.removed]
    return (*jobs, *runs)


def _revisions_to_remove(observed: Observed, keep: Keep) -> list[RevisionRecord]:
    earlier = [
        each for each in reversed(observed.record.revisions[:-1]) if not _is_used(observed, each)
    ]
    failed = [each for each in earlier if each.outcome in ("failed", "replaced", "aborted")]
    finished = [each for each in earlier if each not in failed]
    # The current revision is one of those that are kept.
    return [*finished[keep.revisions - 1 :], *failed[keep.failed :]]


def _is_used(observed: Observed, revision: RevisionRecord) -> bool:
    rollout = observed.rollout
    rolls_out = rollout is not None and rollout.is_active and rollout.run == revision.run
    return rolls_out or revision.engine in observed.in_use
