"""One run that is killed in the search and in the training, and ends as if it had not been."""

import importlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray

from nmt.config import Config
from nmt.runs.records import Record
from nmt.runs.steps import pipeline_steps
from nmt.storage import Storage
from ray_jobs.runtime.context import Session
from tests.e2e.conftest import Shell


def wait_until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not true():
        assert process.poll() is None, process.communicate()[0][-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def checkpoints(shell: Shell, pattern: str) -> list[Path]:
    return list(shell.storage.glob(f"small/{pattern}/checkpoints/step-*/manifest.json"))


@pytest.fixture(scope="module")
def killed_in_search(shell: Shell) -> dict[str, float]:
    """Kill -9 after the first checkpoint of a trial; when the steps before it ended."""
    process = shell.start("quickstart")
    wait_until(lambda: bool(checkpoints(shell, "tune/trials/*")), process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return {
        name: (shell.storage / f"small/{name}/step.json").stat().st_mtime
        for name in ("data", "base")
    }


@pytest.fixture(scope="module")
def killed_in_training(shell: Shell, killed_in_search: dict[str, float]) -> tuple[int, str]:
    """The same command again, interrupted after a checkpoint of the training."""
    process = shell.start("quickstart")
    wait_until(lambda: bool(checkpoints(shell, "train")), process)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


@pytest.fixture(scope="module")
def finished(shell: Shell, killed_in_training: tuple[int, str]) -> tuple[int, str]:
    return shell.run("quickstart")


def test_ctrl_c_exits_with_130(killed_in_training: tuple[int, str]) -> None:
    code, output = killed_in_training
    assert code == 130, output[-3000:]


def test_a_killed_run_is_finished_by_the_same_command(finished: tuple[int, str]) -> None:
    code, output = finished
    assert code == 0, output[-3000:]


def test_no_finished_step_is_repeated(
    shell: Shell, killed_in_search: dict[str, float], finished: tuple[int, str]
) -> None:
    for name, before in killed_in_search.items():
        assert (shell.storage / f"small/{name}/step.json").stat().st_mtime == before
    assert "tune: already done" in finished[1]


def scores(summary: dict[str, Any]) -> list[dict[str, Any]]:
    return summary["evaluation"]["scores"]


def test_the_summary_holds_what_the_run_found(shell: Shell, finished: tuple[int, str]) -> None:
    summary = shell.json("small/summary.json")
    rows = {(row["system"], row["test_set"], row["metric"]) for row in scores(summary)}
    for system in ("base", "tuned", "engine"):
        assert {(system, "test", "bleu"), (system, "general", "bleu")} <= rows
    assert all(0 <= row["p_value"] <= 1 for row in summary["evaluation"]["comparisons"])
    assert len(summary["trials"]) == 2
    assert all({"config", "bleu", "state"} <= trial.keys() for trial in summary["trials"])
    steps = ["prepare", "base", "tune", "train", "export", "evaluate", "endpoint"]
    assert sorted(summary["seconds"]) == sorted(steps)


def test_the_endpoint_answered_over_http(shell: Shell, finished: tuple[int, str]) -> None:
    summary = shell.json("small/summary.json")
    assert summary["endpoint"]["checked"]
    assert summary["endpoint"]["engine"] == summary["engine"]


def test_the_report_is_one_page_with_the_scores(shell: Shell, finished: tuple[int, str]) -> None:
    page = (shell.storage / "small/report.html").read_text()
    for row in scores(shell.json("small/summary.json")):
        assert f"{row['value']:.2f}" in page
    assert "src=" not in page


def test_another_call_does_nothing_again(shell: Shell, finished: tuple[int, str]) -> None:
    before = shell.json("small/summary.json")["seconds"]
    code, output = shell.run("quickstart")
    assert code == 0
    assert "already checked" in output
    assert shell.json("small/summary.json")["seconds"] == before


def test_other_settings_are_refused_by_name(shell: Shell, finished: tuple[int, str]) -> None:
    code, output = shell.run("train", "training.learning_rate=1e-3")
    assert code == 2
    assert "training.learning_rate" in output
    assert "--restart" in output


def test_a_shell_translates_with_the_exported_engine(
    shell: Shell, finished: tuple[int, str]
) -> None:
    code, output = shell.run("translate", "The doctor is at home.")
    assert code == 0, output
    assert output.strip()


def test_an_equal_run_takes_over_every_step_and_has_the_same_engine(
    shell: Shell, finished: tuple[int, str]
) -> None:
    given = Config.parse(shell.json("small/data/config.json"))
    config = given.with_overrides({"run": "again", "campaign.reuse": ["small"]})
    session = Session(config, Storage(str(shell.storage)), frozenset(), in_pipeline=True)
    records: dict[str, Record] = {
        step.name: importlib.import_module(f"ray_jobs.{step.name}").run(session)
        for step in pipeline_steps(config)
    }
    assert {record.taken_from for record in records.values()} == {"small"}
    assert records["export"].output == shell.json("small/summary.json")["engine"]
    assert not ray.is_initialized()
