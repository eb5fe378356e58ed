"""A campaign as the API server returns it, and the names of what it owns."""

from typing import Any

import pytest

from k8s.objects.campaign.campaign import Campaign
from k8s.objects.campaign.names import (
    MAX_NAME_LENGTH,
    campaign_job_name,
    name_problem,
    revision_number,
    run_name,
)
from k8s.objects.campaign.spec import CampaignSpec
from k8s.objects.campaign.status import (
    CampaignStatus,
    Condition,
    ConditionStatus,
    time_of,
    with_transition_times,
)
from k8s.objects.names import MAX_JOB_NAME_LENGTH, job_name_problem


def _object(**changes: Any) -> dict[str, Any]:
    metadata = {
        "name": "clinic",
        "namespace": "team",
        "uid": "u1",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return {"metadata": metadata, "spec": {"release": "nmt"}, **changes}


def test_the_fields_have_the_names_of_the_kubernetes_api() -> None:
    spec = {"release": "nmt", "stepDeadlineSeconds": 60, "onDataChange": "ignore"}
    campaign = Campaign.parse(_object(spec=spec))
    assert campaign.spec == CampaignSpec(
        release="nmt", step_deadline_seconds=60, on_data_change="ignore"
    )


def test_a_spec_that_cannot_be_used_is_a_problem_and_not_an_error() -> None:
    campaign = Campaign.parse(_object(spec={"release": "nmt", "retries": -1}))
    assert campaign.spec is None
    assert campaign.problem.startswith("spec.retries: ")


@pytest.mark.parametrize("key", ["deadlineSeconds", "stepDeadlineSeconds"])
def test_a_time_that_kuberay_could_not_read_is_a_problem(key: str) -> None:
    campaign = Campaign.parse(_object(spec={"release": "nmt", key: 2**31 - 1}))
    assert campaign.problem.startswith(f"spec.{key}: ")


def test_a_status_of_another_form_counts_as_none() -> None:
    campaign = Campaign.parse(_object(status={"phase": "Dancing"}))
    assert campaign.status == CampaignStatus()


def test_a_status_is_read_as_it_was_written() -> None:
    condition = Condition(
        type="Ready", status="True", reason="Served", last_transition_time=time_of(1_000.7)
    )
    status = CampaignStatus(phase="Served", conditions=(condition,))
    written = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert written["conditions"][0]["lastTransitionTime"] == "1970-01-01T00:16:40Z"
    assert Campaign.parse(_object(status=written)).status == status


@pytest.mark.parametrize("name", ["a" * (MAX_NAME_LENGTH + 1), "Clinic", "1st", "a.b", "a-"])
def test_names_that_the_objects_of_a_campaign_cannot_carry_are_refused(name: str) -> None:
    assert name_problem(name)


def test_the_longest_name_still_gives_a_job_that_kuberay_accepts() -> None:
    name = "a" * MAX_NAME_LENGTH
    assert name_problem(name) is None
    job = campaign_job_name(name, "finish", ["export"], "x", 0)
    assert len(job) <= MAX_JOB_NAME_LENGTH
    assert job_name_problem(job) is None


def test_the_same_job_has_the_same_name_and_another_attempt_another_one() -> None:
    first = campaign_job_name("clinic", "train", ["train"], "clinic-r1", 0)
    assert first == campaign_job_name("clinic", "train", ["train"], "clinic-r1", 0)
    assert first != campaign_job_name("clinic", "train", ["train"], "clinic-r1", 1)
    assert first != campaign_job_name("clinic", "train", ["train"], "clinic-r2", 0)


def test_the_number_of_a_revision_is_read_from_its_own_runs_alone() -> None:
    assert revision_number("clinic", run_name("clinic", 12)) == 12
    assert revision_number("clinic", "clinic-r01") is None
    assert revision_number("clinic", "clinic-r2-r3") is None
    assert revision_number("clinic-r2", "clinic-r2-r3") == 3


def _ready(status: ConditionStatus, seconds: float) -> Condition:
    return Condition(
        type="Ready", status=status, reason="Test", last_transition_time=time_of(seconds)
    )


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    assert with_transition_times([_ready("True", 20)], [_ready("True", 10)]) == (
        _ready("True", 10),
    )
    assert with_transition_times([_ready("False", 20)], [_ready("True", 10)]) == (
        _ready("False", 20),
    )
