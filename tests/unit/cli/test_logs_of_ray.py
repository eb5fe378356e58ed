"""What a log shows of the lines that Ray brings from other processes."""

import logging

import pytest
from ray._private import worker

from nmt.errors import UnavailableError
from nmt.runs import layout
from nmt.runs.steps import TRAIN
from nmt.storage import Storage
from ray_jobs.runtime.logs import VERBOSE_VARIABLE, lines_for_users, quiet_ray
from ray_jobs.train import place_of
from ray_jobs.workers.lost_workers import LostWorkers

GLOG = "[2026-11-27 03:29:30,104 E 116 200] actor_manager.cc:81: PreemptionWatcher has constructor"


@pytest.fixture
def printed(monkeypatch) -> list[tuple[list[str], bool]]:
    """What reaches Ray's own function: the lines, and whether their prefix is left out."""
    seen: list[tuple[list[str], bool]] = []

    def show(data: dict, ignore_prefix: bool) -> None:
        seen.append((data["lines"], ignore_prefix))

    monkeypatch.setattr(worker, "print_to_stdstream", show)
    monkeypatch.delenv(VERBOSE_VARIABLE, raising=False)
    return seen


def say(**data: object) -> None:
    worker.print_to_stdstream({"is_err": False, **data}, ignore_prefix=False)


def test_a_workers_line_is_shown_as_the_worker_wrote_it(printed):
    quiet_ray()
    say(pid=116, lines=["12:00:01 train step 20/60", GLOG])
    assert printed == [(["12:00:01 train step 20/60"], True)]


@pytest.mark.parametrize("pid", ["raylet", "autoscaler"])
def test_what_ray_says_about_itself_is_left_out(printed, pid):
    quiet_ray()
    say(pid=pid, lines=["Raylet is terminated. Termination is unexpected."])
    assert printed == []


def test_verbose_keeps_all_of_it(printed, monkeypatch):
    monkeypatch.setenv(VERBOSE_VARIABLE, "1")
    quiet_ray()
    say(pid="raylet", lines=["Raylet is terminated."])
    assert printed == [(["Raylet is terminated."], False)]


def test_a_second_connection_filters_once(printed):
    quiet_ray()
    once = worker.print_to_stdstream
    quiet_ray()
    assert worker.print_to_stdstream is once


@pytest.mark.parametrize("line", ["[state-dump] NodeManager:", GLOG])
def test_lines_of_rays_own_code_are_not_for_users(line):
    assert lines_for_users({"pid": 7, "lines": [line, "mine"]}) == ["mine"]


@pytest.mark.parametrize("line", ["[2026] a sentence", "[1/6] prepare", "", "[E] 5"])
def test_lines_of_the_work_that_begin_with_a_bracket_are_kept(line):
    assert lines_for_users({"pid": 7, "lines": [line]}) == [line]


@pytest.fixture
def lost(tmp_path) -> LostWorkers:
    """The callback of a training that has saved steps 100 and 200."""
    storage = Storage(str(tmp_path))
    for step in (100, 200):
        path = layout.checkpoint(layout.checkpoints(layout.step_folder("demo", TRAIN)), step)
        storage.write_bytes(f"{path}/manifest.json", b"{}")
    return LostWorkers(storage, place_of("demo"))


def test_a_lost_worker_is_told_with_the_step_from_which_the_training_goes_on(lost, capsys):
    lost.after_exception(None, {1: RuntimeError("The actor died unexpectedly")})
    logging.shutdown()
    assert "train: a worker was lost: the training goes on from step 200" in capsys.readouterr().out


def test_an_error_of_a_worker_is_told_as_such(lost, capsys):
    lost.after_exception(None, {0: UnavailableError("the hub does not answer")})
    assert "a worker failed (the hub does not answer)" in capsys.readouterr().out


def test_the_same_loss_is_told_once(lost, capsys):
    for _ in range(3):
        lost.after_exception(None, {1: RuntimeError("The actor died unexpectedly")})
    assert capsys.readouterr().out.count("a worker was lost") == 1
