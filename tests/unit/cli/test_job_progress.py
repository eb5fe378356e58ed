"""What a job on Kubernetes leaves on the storage root about its progress and its end."""

import io
import json
import logging
from types import SimpleNamespace

import pytest

from nmt.cli.log_file import LogFile
from nmt.cli.progress import PairProgress
from nmt.runs import layout
from nmt.runs.job_progress import JobProgress, read_job_progress
from nmt.runs.trials import Trial
from nmt.storage import Storage
from nmt.training.monitoring.progress import Progress
from ray_jobs.search.table import table_lines
from ray_jobs.supervision import process
from ray_jobs.supervision.log_progress import LogProgress
from ray_jobs.supervision.progress_file import ProgressFile


def after(*lines: str, steps: tuple[str, ...] = ("train",)) -> JobProgress:
    read = LogProgress(JobProgress(job="", steps=steps, updated_at=0.0))
    for line in lines:
        read.read(line)
    return read.progress


def training_line(caplog, name: str, step: int, best: float | None, metric="bleu") -> str:
    """Have a training write its line of a step of 200."""
    with caplog.at_level(logging.INFO):
        Progress(name, 200, 0.0, enabled=True, metric=metric).step(step, 2.5, 1e-4, 900, 1.0, best)
    return f"17:05:09 {caplog.messages[-1]}\n"


def pairs_line(caplog, work: str, done: int, units: str) -> str:
    """Have a progress of pairs write its line of so many of 100."""
    with caplog.at_level(logging.INFO):
        PairProgress(work, 100, 0.0, units=units).add(done)
    return f"17:05:09 {caplog.messages[-1]}\n"


def test_a_training_tells_its_share_its_time_and_its_best_score(caplog):
    found = after(training_line(caplog, "train", 50, 21.5))
    assert (found.step, found.percent, found.remaining_seconds) == ("train", 25.0, 0.0)
    assert (found.metric, found.best) == ("bleu", 21.5)


def test_before_the_first_validation_there_is_no_score(caplog):
    found = after(training_line(caplog, "train", 50, None))
    assert (found.metric, found.best) == (None, None)


def test_the_hours_that_are_left_are_read():
    line = "train step 1/9 | loss 1.0 | best BLEU - | 3h20m left [repeated 2x across cluster]"
    assert after(line).remaining_seconds == 12_000


def test_the_base_that_a_training_makes_first_is_not_its_share(caplog):
    assert after(training_line(caplog, "base", 50, None)).percent is None


def test_a_search_counts_its_trials_and_keeps_the_best_of_all(caplog):
    trial = Trial(config={"seed": 1}, state="finished", score=3.0)
    begun = Trial(config={"seed": 2}, state="running")
    found = after(
        training_line(caplog, "seed=1", 150, 52.0, "ter"),
        training_line(caplog, "seed=2", 150, 61.0, "ter"),
        *table_lines([trial, begun], 8),
        steps=("tune",),
    )
    assert (found.percent, found.metric, found.best) == (12.5, "ter", 52.0)


def test_variants_count_the_trainings_before(caplog):
    lines = ["variants: [2/4] seed-3", training_line(caplog, "seed-3", 100, None)]
    found = after(*lines, steps=("variants",))
    assert (found.percent, found.remaining_seconds) == (37.5, None)


@pytest.mark.parametrize("step", ["evaluate", "gate"])
def test_systems_on_test_sets_count_what_is_translated(caplog, step):
    begun = "evaluate: [3/4] engine translates test, 100 sentences"
    line = pairs_line(caplog, "evaluate: engine, test:", 50, "sentences")
    assert after(begun, line, steps=(step,)).percent == 62.5


def test_prepare_counts_the_pairs_that_are_cleaned(caplog):
    line = pairs_line(caplog, "prepare: cleaned", 40, "pairs")
    assert after(line, steps=("prepare",)).percent == 40.0


def test_a_step_that_is_done_is_followed_by_the_next(caplog):
    steps = ("prepare", "base", "train")
    done = ["17:05:09 prepare: done in 3.2 s", "17:05:09 base: already done (18.4 s then)"]
    found = after(*done, steps=steps)
    assert (found.step, found.percent) == ("train", None)
    assert after(*done, "train: done in 60.0 s", steps=steps).step is None


def test_an_earlier_step_that_is_looked_at_again_changes_nothing():
    assert after("base: already done (18.4 s then)", steps=("tune", "train")).step == "tune"


def test_a_pipeline_names_each_step_that_begins():
    assert after("[2/6] base", steps=("prepare", "base", "train")).step == "base"


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(str(tmp_path))


def progress_file(storage: Storage, clock: SimpleNamespace) -> ProgressFile:
    path = layout.job_progress("demo", "job")
    return ProgressFile(storage, path, ["prepare", "train"], lambda: clock.now)


def found_of(storage: Storage) -> JobProgress:
    """Read what the file of the job says."""
    found = read_job_progress(storage, "demo", "job")
    assert found
    return found


def test_it_is_written_at_most_every_five_seconds(storage):
    clock = SimpleNamespace(now=100.0)
    file = progress_file(storage, clock)
    file.begin()
    clock.now = 104.0
    file.see(b"prepare: done in 3.2 s\n")
    assert found_of(storage).step == "prepare"
    clock.now = 105.0
    file.see(b"any other line\n")
    found = found_of(storage)
    assert (found.step, found.updated_at) == ("train", 105.0)


def test_a_failed_job_leaves_its_last_error_and_the_step_at_work(storage):
    file = progress_file(storage, SimpleNamespace(now=100.0))
    file.begin()
    copied = io.BytesIO(b"prepare: done in 1.0 s\nnmt: the workers failed\nand a line after it\n")
    process.copy_lines(copied, LogFile(storage, "log"), file.see)
    file.end(1)
    found = found_of(storage)
    assert (found.exit_code, found.error, found.step) == (1, "the workers failed", "train")


def test_a_fault_of_the_program_leaves_the_end_of_its_traceback(storage):
    file = progress_file(storage, SimpleNamespace(now=100.0))
    file.see(b"Traceback (most recent call last):\nValueError: of the test\n\n")
    file.see(b"ValueError: of the test\n")
    file.end(1)
    assert found_of(storage).error == "ValueError: of the test"


def test_another_attempt_forgets_how_the_one_before_ended(storage):
    file = progress_file(storage, SimpleNamespace(now=100.0))
    file.see(b"nmt: killed by SIGKILL\n")
    file.end(137)
    file.begin()
    assert found_of(storage).exit_code is None
    file.end(1)
    assert found_of(storage).error == ""


def test_a_job_that_succeeds_has_no_error(storage):
    file = progress_file(storage, SimpleNamespace(now=100.0))
    file.see(b"nmt: killed by SIGKILL\n")
    file.end(0)
    found = found_of(storage)
    assert (found.exit_code, found.error) == (0, "")


def test_a_job_that_has_not_begun_has_no_progress(storage):
    assert read_job_progress(storage, "demo", "job") is None


def test_a_damaged_file_is_named_and_counts_as_none(storage, caplog):
    storage.write_bytes(layout.job_progress("demo", "job"), b"{")
    assert read_job_progress(storage, "demo", "job") is None
    assert "job.progress.json" in caplog.text


def test_the_fields_of_a_later_release_are_ignored(storage):
    file = progress_file(storage, SimpleNamespace(now=100.0))
    file.end(0)
    path = layout.job_progress("demo", "job")
    content = storage.read_json(path)
    content = {key: value for key, value in content.items() if key != "sha256"}
    storage.write_bytes(path, json.dumps(content | {"new": 1}).encode())
    assert found_of(storage).exit_code == 0
