"""The step that makes the base, with a stand-in for its training."""

import re
from typing import Any

import pytest

from nmt.config import load_config
from nmt.errors import PreemptedError
from nmt.storage import Storage
from nmt.training.saved.state import State
from nmt.training.trainer import Outcome
from ray_jobs import base


def make_after(outcome: Outcome, monkeypatch: pytest.MonkeyPatch, storage: Storage) -> Any:
    monkeypatch.setattr("nmt.training.base.train_tiny_base", lambda *_: outcome)
    return base.make_base(load_config(overrides=["run=demo"]), storage)


def test_a_base_whose_worker_was_told_to_stop_is_not_looked_for(tmp_path, monkeypatch):
    stopped = Outcome(State(step=7), finished=False, trained_parameters=1, dropped_pairs=0)
    said = re.escape("base: told to stop at step 7: the same command goes on from there")
    with pytest.raises(PreemptedError, match=said):
        make_after(stopped, monkeypatch, Storage(str(tmp_path)))


def test_a_finished_base_is_named_by_its_files_and_score(tmp_path, monkeypatch):
    storage = Storage(str(tmp_path))
    with storage.commit("demo/base/best") as folder:
        (folder / "weights").write_text("1")
    finished = Outcome(State(step=9, curve=({"step": 9, "bleu": 5.0},)), True, 1, 0)
    made = make_after(finished, monkeypatch, storage)
    assert (made.result.validation_bleu, bool(made.digest)) == (5.0, True)
