"""What may happen to a training on one machine, and that none of it costs more than time."""

import os
import random
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from safetensors.torch import load_file

from nmt.errors import StorageError
from nmt.runs import layout
from nmt.storage import Storage
from nmt.training.job import TrainingJob
from nmt.training.saved.checkpoints import OPTIMIZER, PARAMETERS, Checkpoints
from nmt.training.trainer import run_training
from tests.support.training import sample_ledger as ledger
from tests.support.training.forked_process import start, wait
from tests.support.training.small_training import same
from tests.support.training.worker_group import train_together

KILLS = 8
SEED = 5


def state_of(job: TrainingJob) -> dict[str, torch.Tensor]:
    """Weights and moments of the last checkpoint."""
    checkpoints = Checkpoints(job.storage, layout.checkpoints(job.folder))
    folder = Path(job.storage.locate(checkpoints.path(checkpoints.steps()[-1])))
    return load_file(folder / PARAMETERS) | load_file(folder / OPTIMIZER)


def train_with_ledger(
    job: TrainingJob, folder: Path, attempt: int, kill_at_step: int | None = None
) -> None:
    torch.set_num_threads(1)
    with ledger.kept(folder, attempt, kill_at_step):
        run_training(job)


@pytest.fixture
def busy(job: TrainingJob) -> TrainingJob:
    """A training that writes a checkpoint after every other step."""
    settings = {
        "training.max_steps": 60,
        "training.evaluate_every_steps": 30,
        "training.checkpoint_every_steps": 2,
        "training.validation_sentences": 1,
    }
    return replace(job, config=job.config.with_overrides(settings))


def folder_of(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name


def test_kills_in_random_steps_change_neither_the_data_order_nor_the_weights(
    busy: TrainingJob, tmp_path: Path
) -> None:
    whole = replace(busy, folder="small/whole")
    notes, whole_notes = folder_of(tmp_path, "notes"), folder_of(tmp_path, "whole-notes")
    assert wait(start(train_with_ledger, whole, whole_notes, 0)) == 0

    draw = random.Random(SEED)
    for attempt in range(KILLS):
        step = draw.randint(1, 7)
        assert wait(start(train_with_ledger, busy, notes, attempt, step)) == -signal.SIGKILL
    assert wait(start(train_with_ledger, busy, notes, KILLS)) == 0

    assert ledger.by_step(notes) == ledger.by_step(whole_notes)
    assert same(state_of(busy), state_of(whole))


def die_at_call(moment: int) -> None:
    """Kill this process when it makes its so manyeth call of the file system, from now on."""
    calls = 0

    def on_call(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal calls
        if event in {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.scandir"}:
            calls += 1
            if calls == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(on_call)


def save_and_die(job: TrainingJob, moment: int) -> None:
    """Take two more steps; in the writing of the last checkpoint, die at a call of the system."""
    save = Checkpoints.save

    def watched(*arguments: Any) -> None:
        die_at_call(moment)
        save(*arguments)
        os._exit(0)

    with mock.patch.object(Checkpoints, "save", watched):
        run_training(job)


def test_a_kill_at_any_call_of_a_save_leaves_a_checkpoint_to_go_on_from(job: TrainingJob) -> None:
    run_training(replace(job, folder="small/whole"))
    run_training(replace(job, stop_at_step=3))
    checkpoints = Checkpoints(job.storage, layout.checkpoints(job.folder))
    folder = Path(job.storage.locate(checkpoints.folder))
    moment, code, most_left = 0, -signal.SIGKILL, 0
    while code == -signal.SIGKILL:
        moment += 1
        code = wait(start(save_and_die, replace(job, stop_at_step=5), moment))
        most_left = max(most_left, len(list(folder.glob(".*"))))
        last = checkpoints.load_last()
        assert last is not None
        assert last.state.step in {3, 4, 5}, f"killed at call {moment}"
    assert code == 0
    assert moment > 5, "the save was over at once"
    assert most_left == 1, "a part is there until the next attempt begins"
    run_training(job)
    assert same(state_of(job), state_of(replace(job, folder="small/whole")))


def commit_and_die(url: str, text: str, moment: int) -> None:
    storage = Storage(url)
    die_at_call(moment)
    with storage.commit("many/one", {"text": text}) as folder:
        (folder / "a").write_text("same")
        (folder / "b").write_text(text)
    os._exit(0)


@pytest.mark.parametrize("changed", [True, False], ids=["other-files", "the-same-files"])
def test_a_kill_at_any_call_of_a_second_save_leaves_the_first_or_the_second(
    tmp_path: Path, changed: bool
) -> None:
    storage = Storage(str(tmp_path))
    moment, code = 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        with storage.commit("many/one", {"text": "old"}) as folder:
            (folder / "a").write_text("same")
            (folder / "b").write_text("old" if changed else "new")
        moment += 1
        code = wait(start(commit_and_die, str(tmp_path), "new", moment))
        assert changed or storage.is_committed("many/one"), f"killed at call {moment}"
        storage.sweep("many")
        content = (storage.fetch("many/one") / "b").read_text()
        assert not changed or content == storage.manifest("many/one")["meta"]["text"]
        assert storage.list("many") == ["one"]
    assert code == 0
    assert moment > 5, "the save was over at once"


def train_on_a_full_disk(job: TrainingJob, error_file: Path) -> None:
    """No file can grow beyond 64 KiB: less than a checkpoint, more than a manifest."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))
    try:
        run_training(job)
    except StorageError as error:
        error_file.write_text(str(error))
        sys.exit(3)


def test_a_disk_that_is_full_costs_the_new_checkpoint_alone(
    job: TrainingJob, tmp_path: Path
) -> None:
    run_training(replace(job, folder="small/whole"))
    run_training(replace(job, stop_at_step=3))
    said = tmp_path / "said"
    assert wait(start(train_on_a_full_disk, replace(job, stop_at_step=6), said)) == 3
    assert "no space left" in said.read_text()
    assert job.folder in said.read_text()
    run_training(job)
    assert same(state_of(job), state_of(replace(job, folder="small/whole")))


def test_other_numbers_of_workers_see_each_sample_of_the_epochs_once(
    busy: TrainingJob, tmp_path: Path
) -> None:
    whole = replace(busy, folder="small/whole")
    together = replace(
        busy,
        config=busy.config.with_overrides({"strategy.type": "ddp", "scaling.workers": 3}),
    )
    notes, whole_notes = folder_of(tmp_path, "notes"), folder_of(tmp_path, "whole-notes")
    with ledger.kept(whole_notes, 0):
        run_training(whole)
    for attempt, (workers, step) in enumerate([(3, 11), (1, 30), (2, 60)]):
        begun = replace(together, stop_at_step=step)
        train_together([begun], workers, tmp_path, (notes, attempt))
    assert ledger.by_step(notes) == ledger.by_step(whole_notes)
