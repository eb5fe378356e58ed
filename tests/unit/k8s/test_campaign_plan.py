"""What holds for every plan, whatever is observed."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.jobs import plan_jobs
from k8s.objects.campaign.settings import revision_settings
from k8s.objects.campaign.spec import CampaignSpec
from k8s.observe.job_status import JobState, JobStatus
from k8s.operator.observed import (
    Observed,
    ObservedData,
    ObservedJob,
    ObservedRollout,
    ObservedRoute,
    ObservedStep,
)
from k8s.operator.plan.actions import (
    BeginAttempt,
    CommandRollout,
    CreateJob,
    DeleteJob,
    FinishRevision,
    FollowAction,
    LookAtRollout,
    Plan,
    StartRevision,
    StartRollout,
)
from k8s.operator.plan.campaign import plan_campaign
from k8s.operator.record import CampaignRecord
from k8s.operator.revision_record import Outcome, RevisionRecord
from nmt.runs.gate import GateResult
from tests.support.k8s.campaign_world import CONFIG
from tests.unit.k8s.conftest import make_release

_NOW = 1_790_000_000.0
_RELEASE = make_release()
_SPEC: dict[str, Any] = {"release": "demo", "config": CONFIG}
_SETTINGS = revision_settings(_RELEASE, CampaignSpec.model_validate(_SPEC))
_PLANNED = plan_jobs(_RELEASE, CampaignSpec.model_validate(_SPEC), _SETTINGS.config)
_STEPS = [step for job in _PLANNED for step in job.steps]
_ENGINES = st.sampled_from(["aaaaaaaaaaaa", "bbbbbbbbbbbb", None])
_RARELY = st.sampled_from([False, False, False, True])
_OUTCOMES: st.SearchStrategy[Outcome | None] = st.sampled_from(
    [
        None,
        None,
        None,
        None,
        None,
        None,
        "failed",
        "rejected",
        "accepted",
        "served",
        "rolled_back",
        "aborted",
    ]
)


def _campaign(draw: st.DrawFn) -> Campaign:
    action = {
        "id": draw(st.sampled_from(["1", "2"])),
        "do": draw(st.sampled_from(["promote", "abort", "rollback", "retry", "pause", "resume"])),
        "reason": draw(st.sampled_from(["", "people prefer it"])),
    }
    spec = _SPEC | {"suspend": draw(_RARELY)}
    spec |= {"action": action} if draw(_RARELY) else {}
    metadata = {"name": "clinic", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return Campaign.parse({"metadata": metadata, "spec": spec})


def _jobs(draw: st.DrawFn) -> tuple[ObservedJob, ...]:
    """Draw at most one job for each kind and attempt, as the names of jobs allow."""
    jobs: list[ObservedJob] = []
    for planned in _PLANNED:
        for attempt in (0, 1):
            if not draw(_RARELY):
                continue
            state = draw(st.sampled_from(list(JobState)))
            name = f"clinic-{planned.kind}-{attempt}"
            jobs.append(
                ObservedJob(
                    name, f"uid-{name}", planned.kind, draw(st.sampled_from([1, 2])), attempt,
                    planned.steps, JobStatus(state, "it says why"), draw(st.booleans()),
                    ended=_NOW - draw(st.sampled_from([1.0, 1000.0])),
                )
            )  # fmt: skip
    return tuple(jobs)


def _gate(draw: st.DrawFn) -> GateResult:
    return GateResult(
        verdict=draw(st.sampled_from(["accept", "reject", "undecided"])), reason="it says why",
        engine="bbbbbbbbbbbb", baseline=draw(_ENGINES), endpoint="default",
        route="eng_Latn-tam_Taml", metric="chrf++", signature="s", goal="better",
        rules_digest="r", error_rate=0.01, difference=1.0, standard_error=0.1, low=0.5, high=2.0,
        rules=(), sets=(),
    )  # fmt: skip


@st.composite
def _observed(draw: st.DrawFn) -> Observed:
    done = _STEPS[: draw(st.integers(0, len(_STEPS)))]
    exported = "export" in done
    current = RevisionRecord(
        number=2, trigger="spec", inputs=draw(st.sampled_from([_SETTINGS.inputs] * 4 + ["other"])),
        data=draw(st.sampled_from(["d", "d", "d", "other"])), run="clinic-r2", started=_NOW - 100,
        attempt=draw(st.sampled_from([0, 1])), attempt_started=_NOW - 100,
        outcome=draw(_OUTCOMES),
    )  # fmt: skip
    rollout = ObservedRollout(
        id="x", run=draw(st.sampled_from(["clinic-r1", "clinic-r2"])), engine="bbbbbbbbbbbb",
        stable="aaaaaaaaaaaa", percent=1, step=0, since=_NOW - 50, pairs=3, harm="",
        state=draw(
            st.sampled_from(["running", "paused", "promoted", "rolled_back", "aborted"])
        ), reason="it says why",
        paused_by_suspension=draw(st.booleans()),
    )  # fmt: skip
    return Observed(
        name="clinic",
        campaign=_campaign(draw),
        release=_RELEASE,
        settings=_SETTINGS,
        jobs_planned=_PLANNED,
        record=CampaignRecord(revisions=() if draw(_RARELY) else (current,)),
        next_number=3,
        jobs=_jobs(draw),
        steps={step: ObservedStep(1.0, "") for step in done},
        engine="bbbbbbbbbbbb" if exported else None,
        gate=_gate(draw) if "gate" in done else None,
        data=ObservedData("d", draw(st.booleans())),
        route=ObservedRoute("default", "eng_Latn-tam_Taml", None, draw(_ENGINES)),
        rollout=rollout if draw(_RARELY) else None,
    )


_FIRST = (FollowAction, FinishRevision, CommandRollout, LookAtRollout)
"""What a plan does before it ends the jobs of a suspended campaign."""


def _operations(plan: Plan) -> list[object]:
    """List the actions of a plan, those that people ask for too."""
    found: list[object] = []
    for action in plan.actions:
        found += action.operations if isinstance(action, FollowAction) else [action]
    return found


@settings(max_examples=150, deadline=None)
@given(_observed())
def test_no_plan_makes_a_second_job_of_one_kind_and_attempt(observed: Observed) -> None:
    created = [
        each for each in _operations(plan_campaign(observed, _NOW)) if isinstance(each, CreateJob)
    ]
    assert len(created) <= 1
    for each in created:
        assert not any(job.deleting or not job.has_ended for job in observed.jobs)
        same = (each.revision, each.attempt, each.planned.kind)
        assert same not in [(job.revision, job.attempt, job.kind) for job in observed.jobs]


@settings(max_examples=150, deadline=None)
@given(_observed())
def test_no_plan_lets_an_engine_serve_without_the_gate_or_a_reason(observed: Observed) -> None:
    plan = plan_campaign(observed, _NOW)
    gate, route = observed.gate, observed.route
    for action in plan.actions:
        if isinstance(action, StartRollout):
            assert gate
            assert gate.verdict == "accept"
            assert route
            assert route.stable in (gate.baseline, gate.engine)
            assert not action.at_once
        assert not (isinstance(action, CommandRollout) and action.do == "promote")
    for operation in _operations(plan):
        if isinstance(operation, StartRollout):
            assert operation.reason or (gate and gate.verdict == "accept")


@settings(max_examples=150, deadline=None)
@given(_observed())
def test_a_suspended_campaign_starts_nothing_by_itself(observed: Observed) -> None:
    plan = plan_campaign(observed, _NOW)
    if observed.campaign and observed.campaign.spec and observed.campaign.spec.suspend:
        own = (CreateJob, StartRevision, StartRollout, BeginAttempt)
        assert not any(isinstance(action, own) for action in plan.actions)
        live = {job.name for job in observed.jobs if not job.has_ended and not job.deleting}
        deleted = {action.name for action in plan.actions if isinstance(action, DeleteJob)}
        assert live == deleted or any(isinstance(action, _FIRST) for action in plan.actions)


@settings(max_examples=100, deadline=None)
@given(_observed())
def test_the_same_observation_gives_the_same_status_later_on(observed: Observed) -> None:
    observed = replace(observed, jobs=())
    status = plan_campaign(observed, _NOW).status
    assert status
    assert observed.campaign
    written = replace(observed, campaign=replace(observed.campaign, status=status))
    assert plan_campaign(written, _NOW + 1000).status == status
