"""The checkpoint from which a training resumes when some are damaged."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from nmt.errors import StorageError
from nmt.storage import Storage
from nmt.training.saved.checkpoints import OPTIMIZER, PARAMETERS, Checkpoints
from nmt.training.saved.state import State


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    """Checkpoints of steps 2 and 4."""
    made = Checkpoints(Storage(str(tmp_path)), "run/train/checkpoints")
    for step in (2, 4):
        made.save(State(step=step), nn.Linear(2, 2), {"moment": torch.ones(2)}, keep=5)
    return made


def folder_of(checkpoints: Checkpoints, step: int) -> Path:
    return Path(checkpoints.storage.locate(checkpoints.path(step)))


def lose_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def become_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder")


def forget_the_files(folder: Path) -> None:
    """Write what a manifest without a hash of its own would accept."""
    meta = json.loads((folder / "manifest.json").read_text())["meta"]
    (folder / "manifest.json").write_text(json.dumps({"files": {}, "meta": meta}))


def become_another_step(folder: Path) -> None:
    shutil.copytree(folder.with_name("step-00000002"), folder, dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lose_the_manifest, "does not exist, or was never finished"),
        (become_a_file, "does not exist, or was never finished"),
        (forget_the_files, "is not in the manifest"),
        (become_another_step, "holds the checkpoint of step 2"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_named_and_the_one_before_it_is_taken(
    checkpoints: Checkpoints,
    damage: Callable[[Path], None],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(folder_of(checkpoints, 4))
    with caplog.at_level(logging.WARNING):
        found = checkpoints.load_last()
    assert found is not None
    assert found.state.step == 2
    assert "checkpoint of step 4 left out: " in caplog.text
    assert "step-00000004" in caplog.text
    assert reason in caplog.text


@pytest.mark.parametrize("name", ["step-99", "step-00000004.bak", "step-²", "step-௪"])
def test_a_folder_that_no_checkpoint_is_named_like_is_left_alone(
    checkpoints: Checkpoints, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(folder_of(checkpoints, 2), folder_of(checkpoints, 2).with_name(name))
    found = checkpoints.load_last()
    assert found is not None
    assert (found.state.step, caplog.text) == (4, "")


def test_a_checkpoint_without_one_of_its_files_says_which(checkpoints: Checkpoints) -> None:
    (folder_of(checkpoints, 4) / OPTIMIZER).unlink()
    with pytest.raises(StorageError, match=f"{OPTIMIZER}: is missing"):
        checkpoints.load(4)
    assert checkpoints.parameters(4).keys() == {"weight", "bias"}
    assert (folder_of(checkpoints, 4) / PARAMETERS).is_file()
