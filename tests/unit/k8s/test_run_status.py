"""What `nmt-k8s status run=NAME` shows of the steps that jobs are at."""

import pytest

from nmt.runs import layout
from nmt.runs.job_progress import JOB_PROGRESS, JobProgress
from nmt.runs.records import RECORD, Record
from nmt.runs.steps import PREPARE, TRAIN
from nmt.storage import Storage


@pytest.fixture
def root(tmp_path) -> Storage:
    """A storage root with a run whose training has begun."""
    storage = Storage(str(tmp_path / "root"))
    made = Record("prepare", True, {}, {}, result={"sizes": {"train": 9}}, taken_from="earlier")
    RECORD.write(storage, layout.step_record("night", PREPARE), made)
    RECORD.write(storage, layout.step_record("night", TRAIN), Record("train", False, {}, {}))
    return storage


def wrote(root: Storage, job: str, at: float, **fields: object) -> None:
    """Leave the progress of a job that trains."""
    progress = JobProgress(job="", steps=("train",), step="train", updated_at=at)
    path = layout.job_progress("night", job)
    JOB_PROGRESS.write(root, path, progress.model_copy(update=fields))


def shown(nmt_k8s, root: Storage, capsys) -> dict[str, str]:
    """Step -> what its line says."""
    assert nmt_k8s("status", "run=night", "--storage", root.locate("")) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    return {step: " ".join(text.split()) for step, text in lines}


def test_the_step_at_work_has_its_share_its_time_and_its_best_score(nmt_k8s, root, capsys):
    wrote(root, "a", 60.0, percent=41.7, remaining_seconds=700, metric="chrf", best=52.34)
    assert shown(nmt_k8s, root, capsys)["train"] == (
        "unfinished - 42 %, 11 min left, best chrF 52.3, as of 1970-01-01 00:01 UTC"
    )


def test_a_failed_job_says_why(nmt_k8s, root, capsys):
    wrote(root, "a", 60.0, exit_code=1, error="the workers failed")
    text = shown(nmt_k8s, root, capsys)["train"]
    assert text == "unfinished - ended with exit code 1: the workers failed"


def test_the_job_that_wrote_last_counts(nmt_k8s, root, capsys):
    wrote(root, "a", 120.0, percent=50.0)
    wrote(root, "b", 60.0, exit_code=143)
    assert "50 %" in shown(nmt_k8s, root, capsys)["train"]


def test_a_job_that_has_not_written_anything_leaves_the_line_empty(nmt_k8s, root, capsys):
    root.write_bytes(layout.job_attempts("night", "a"), b"{}")
    assert shown(nmt_k8s, root, capsys)["train"] == "unfinished -"


def test_a_step_that_was_taken_over_names_the_run(nmt_k8s, root, capsys):
    text = shown(nmt_k8s, root, capsys)["prepare"]
    assert text == "done 0 s train 9 (taken from run earlier)"
