"""Trainings on several Pods: DeepSpeed and a quantized base, and a Pod that goes."""

import json

import pytest

from tests.support.k8s.installed_release import Installed, wait_for
from tests.support.k8s.submitted_job import began_at
from tests.support.runs.small_run import SMALL_RUN

CHECKPOINT_EVERY = 100
STEPS = 600
# Validated at the end alone, so that what is published is what all steps together have made.
SMALL = " ".join((*SMALL_RUN, "tune.trials=0")).replace(
    "evaluate_every_steps=4",
    f"evaluate_every_steps={STEPS} training.checkpoint_every_steps={CHECKPOINT_EVERY}",
)
TWO = f"training.micro_batches_per_step=2 training.max_steps={STEPS} scaling.workers=2"
CASES = {
    "zero-2": f"{TWO} strategy.type=deepspeed strategy.zero_stage=2",
    "qlora": f"{TWO} strategy.type=ddp adapter.type=qlora",
}


@pytest.fixture(scope="module")
def release(install) -> Installed:
    release = install("nmt-strategies", "--set serving.enabled=false")
    for step in ("prepare", "base"):
        release.nmt(f"submit {step} {SMALL}")
    return release


def digest_of_weights(release: Installed) -> str:
    """Of the weights that the run's training published."""
    said = release.nmt("status run=small -o json")
    return json.loads(said[said.index("{") : said.rindex("}") + 1])["steps"]["train"]["output"]


@pytest.mark.parametrize("case", CASES)
def test_two_pods_train_and_a_deleted_one_changes_nothing(submitted, release, case):
    words = f"train {SMALL} {CASES[case]} --restart"
    code, said = submitted(words, f"{case}-whole").end()
    assert code == 0
    assert "2 workers" in said
    whole = digest_of_weights(release)

    job = submitted(words, f"{case}-lost")
    wait_for(lambda: job.step() > CHECKPOINT_EVERY, 240, "no checkpoint was reached")
    release.kubectl(f"delete {job.pod('worker')} --grace-period=5 --wait=false")
    code, said_of_lost = job.end()
    assert code == 0
    first, *later = began_at(said_of_lost)
    assert first == 0
    assert later
    assert min(later) >= CHECKPOINT_EVERY
    assert digest_of_weights(release) == whole
