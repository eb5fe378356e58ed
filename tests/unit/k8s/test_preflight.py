import re

import pytest

from k8s.objects.limits import MAX_SECONDS
from k8s.objects.manifests import ray_job
from k8s.objects.preflight import check_submission
from nmt.errors import InputError
from tests.unit.k8s.test_manifests import submission


def test_a_job_with_default_options_passes():
    check_submission(submission())


@pytest.mark.parametrize("to", ["", "shared"], ids=["own-cluster", "running-cluster"])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "x" * 48, "has 48 characters"),
        ("name", "1st", "begin with a lower-case letter"),
        ("name", "a_b", "'a_b'"),
        ("queue", "two words", "--queue 'two words'"),
        ("deadline_seconds", 0, "--deadline 0"),
        ("pending_seconds", -5, "--pending-timeout -5"),
        (
            "deadline_seconds",
            2_147_483_600,
            "--deadline 2147483600: must be from 1 to 1000000000 seconds",
        ),
        ("pending_seconds", 2_147_483_600, "--pending-timeout 2147483600"),
        ("retries", -1, "--retries -1"),
    ],
)
def test_a_value_that_kuberay_would_refuse_later_is_named(to, field, value, message):
    with pytest.raises(InputError, match=re.escape(message)):
        check_submission(submission(to=to, **{field: value}))


@pytest.mark.parametrize("queue", ["", "team"], ids=["own-limit", "queue"])
def test_the_longest_times_fit_into_the_numbers_of_kuberay(release, queue):
    longest = submission(
        queue=queue,
        deadline_seconds=MAX_SECONDS,
        pending_seconds=MAX_SECONDS,
        submitted_at=None if queue else 0,
    )
    check_submission(longest)
    spec = ray_job(release, longest)["spec"]
    assert max(value for value in spec.values() if isinstance(value, int)) < 2**31


def test_all_problems_are_reported_at_once():
    with pytest.raises(InputError, match=r"--deadline 0.*--pending-timeout 0"):
        check_submission(submission(deadline_seconds=0, pending_seconds=0))
