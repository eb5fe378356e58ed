import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import pytest

from nmt.runs import layout
from nmt.runs.job_progress import read_job_progress
from nmt.runs.records import Record
from nmt.runs.steps import PREPARE
from nmt.storage import Storage
from ray_jobs import supervise
from ray_jobs.supervision import process
from ray_jobs.supervision.process import Ended
from tests.support.project import PROJECT

FAKE = """
import os, pathlib, signal, sys, time
told = pathlib.Path(os.environ["TOLD"])
before = told.read_text().splitlines() if told.exists() else []
told.write_text("\\n".join([*before, " ".join(sys.argv[1:])]) + "\\n")
print("attempt", len(before) + 1, flush=True)
work = pathlib.Path(os.environ["WORK"])
work.parent.mkdir(parents=True, exist_ok=True)
with work.open("a") as stream:
    stream.write(f"{len(before) + 1}\\n")
plan = os.environ["PLAN"].split()
what = plan[min(len(before), len(plan) - 1)]
if what == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if what in ("wait", "deaf"):
    time.sleep(60)
    told.with_name("not killed").touch()
if what.startswith("SIG"):
    os.kill(os.getpid(), getattr(signal, what))
sys.exit(int(what))
"""


class FakeJob:
    """Runs a job whose attempts end as planned: exit codes, or the signal that kills it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.log = folder / "root/demo/logs/a.log"
        package = folder / "fake" / "ray_jobs"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "train.py").write_text(FAKE)
        monkeypatch.setenv("PYTHONPATH", str(folder / "fake"))
        monkeypatch.setenv("TOLD", str(folder / "told"))
        self.work = folder / "root/demo/train/work"
        monkeypatch.setenv("WORK", str(self.work))
        monkeypatch.chdir(folder)

    def __call__(self, plan: str, *options: str, words: tuple[str, ...] = ()) -> int:
        self.monkeypatch.setenv("PLAN", plan)
        place = f"storage={self.folder / 'root'}"
        return supervise.main(["--name", "a", *options, "train", place, *words])

    def done_before(self) -> None:
        """As by an earlier job of the run."""
        storage = Storage(str(self.folder / "root"))
        storage.write_json(
            layout.step_record("demo", PREPARE), asdict(Record("prepare", True, {}, {}))
        )
        storage.write_bytes("demo/train/work", b"before\n")

    def told(self) -> list[str]:
        """The words of each attempt."""
        return (self.folder / "told").read_text().splitlines()


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeJob:
    return FakeJob(tmp_path, monkeypatch)


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_the_jobs_own_exit_code_is_the_outcome(job, code):
    assert job(str(code), "--retries", "3") == code
    assert len(job.told()) == 1


@pytest.mark.parametrize("plan", ["0", "2", "SIGKILL"])
def test_the_outcome_is_on_the_storage_root_too(job, plan):
    code = job(plan)
    found = read_job_progress(Storage(str(job.folder / "root")), "demo", "a")
    assert found
    assert (found.exit_code, found.steps) == (code, ("train",))


def test_what_the_job_prints_stays_on_the_storage_root(job):
    job("0")
    assert job.log.read_text() == "attempt 1\n"


def test_a_killed_job_starts_again(job):
    assert job("SIGKILL 0", "--retries", "1") == 0
    assert "killed by SIGKILL" in job.log.read_text()


def test_a_job_that_is_killed_each_time_ends_as_a_shell_says_it(job):
    assert job("SIGKILL", "--retries", "1") == 128 + signal.SIGKILL
    assert len(job.told()) == 2


def test_a_job_that_is_told_to_stop_does_not_start_again(job):
    assert job("SIGTERM 0", "--retries", "1") == 128 + signal.SIGTERM


def test_a_translation_gets_its_options_and_a_restart_discards_its_output(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(
        supervise, "run_logged", lambda words, *_: started.append(words[3:]) or Ended(0)
    )
    output = tmp_path / "out.en"
    output.write_text("old")
    words = ["%2D%2Dinput=s3://bucket/a%20b", f"%2D%2Doutput={output}", f"storage={tmp_path}"]
    assert supervise.main(["--name", "a", "--restart", "translate", *words]) == 0
    own = ["--input=s3://bucket/a b", f"--output={output}"]
    assert started == [["ray_jobs.translate", *own, f"storage={tmp_path}"]]
    assert not output.exists()


def test_a_restart_discards_once_whichever_attempt_dies(job):
    job.done_before()
    job("SIGKILL SIGKILL 0", "--retries", "2", "--restart")
    assert job.work.read_text() == "1\n2\n3\n"
    assert not any("--restart" in line for line in job.told())


def test_a_restart_that_was_killed_in_its_midst_discards_the_rest(job, monkeypatch):
    job.done_before()
    with monkeypatch.context() as patch:
        patch.setattr(Storage, "delete", lambda *_: sys.exit(137))
        with pytest.raises(SystemExit):
            job("0", "--restart")
    assert not (job.folder / "told").exists()
    job("0", "--restart")
    assert job.work.read_text() == "1\n"


def test_without_a_restart_the_work_of_an_earlier_job_stays(job):
    job.done_before()
    job("0")
    assert job.work.read_text() == "before\n1\n"


def test_a_restart_that_is_refused_discards_nothing_and_says_so_in_the_log(job, capfd):
    job.done_before()
    (job.folder / "root/demo/data/step.json").unlink()
    assert job("0", "--restart") == 2
    found = read_job_progress(Storage(str(job.folder / "root")), "demo", "a")
    assert found
    assert found.exit_code == 2
    assert found.error in job.log.read_text()
    assert job.work.read_text() == "before\n"
    assert "run `nmt prepare run=demo` first" in job.log.read_text()
    assert "run `nmt prepare run=demo` first" in capfd.readouterr().err


def as_ray_job(monkeypatch, number: int) -> None:
    mark = {"metadata": {"job_submission_id": f"raysubmit_{number}"}}
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", json.dumps(mark))


def test_a_head_that_comes_back_does_not_discard_the_work(job, monkeypatch):
    as_ray_job(monkeypatch, 1)
    job.done_before()
    job("0", "--restart", "--retries", "1")
    job("0", "--restart", "--retries", "1")
    assert job.work.read_text() == "1\n2\n"
    assert "goes on from its last checkpoint" in job.log.read_text()


def test_another_job_of_the_same_name_discards_anew(job, monkeypatch):
    job.done_before()
    for number in (1, 2):
        as_ray_job(monkeypatch, number)
        job("0", "--restart")
    assert job.work.read_text() == "2\n"
    assert "goes on" not in job.log.read_text()


def test_attempts_count_over_all_heads(job, monkeypatch):
    as_ray_job(monkeypatch, 1)
    assert [job("SIGKILL", "--retries", "1"), job("0", "--retries", "1")] == [137, 137]
    assert len(job.told()) == 2
    assert "lost 2 times: not tried again" in job.log.read_text()


def test_a_deadline_stops_the_job_and_says_so(job):
    assert job("wait", "--retries", "1", "--deadline", "0.5") == 124
    assert "stopped at its deadline of 0.5 s" in job.log.read_text()
    assert "starts again" not in job.log.read_text()


def test_a_job_that_does_not_stop_at_its_deadline_is_killed_within_10_seconds(job, monkeypatch):
    assert process.SAVE_SECONDS < 10
    monkeypatch.setattr(process, "SAVE_SECONDS", 0.5)
    assert job("deaf", "--retries", "1", "--deadline", "0.5") == 124
    assert not (job.folder / "not killed").exists()


def test_a_deadline_counts_from_the_submission_of_the_job(job):
    hour_ago = str(time.time() - 3600)
    words = ("--deadline", "3000", "--submitted-at", hour_ago, "--longest-wait", "3600")
    assert job("0", *words) == 124
    assert not (job.folder / "told").exists()


@pytest.mark.parametrize("hours", [-5, 5], ids=["behind", "ahead"])
def test_a_wrong_clock_at_the_submission_costs_at_most_the_time_for_the_pods(job, hours):
    wrong = str(time.time() + hours * 3600)
    words = ("--deadline", "100", "--submitted-at", wrong, "--longest-wait", "60")
    assert job("0", *words) == 0


def test_several_steps_are_done_by_one_process(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(
        supervise, "run_logged", lambda words, *_: started.append(words[3:]) or Ended(0)
    )
    assert supervise.main(["--name", "a", "prepare,base", f"storage={tmp_path}"]) == 0
    assert started == [["ray_jobs.steps", "prepare,base", f"storage={tmp_path}"]]


def test_an_unknown_step_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        supervise.main(["--name", "a", "prepare,bas", f"storage={tmp_path}"])
    assert "'bas' is not one of" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["data.path=/a b/c$d;`e`.tmx", 'model.name_or_path="தமிழ்%41"'])
def test_words_arrive_whole_through_the_shells(job, word):
    assert job("0", words=(quote(word, safe="/:=,.+@-_"),)) == 0
    assert job.told()[0].endswith(word)


def test_a_wrong_setting_is_bad_input(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert supervise.main(["--name", "a", "train", "trainng.max_steps=3"]) == 2
    assert "trainng" in capfd.readouterr().err


def test_sigterm_reaches_the_job(tmp_path):
    package = tmp_path / "ray_jobs"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text(FAKE)
    environ = os.environ | {
        "TOLD": str(tmp_path / "told"),
        "WORK": str(tmp_path / "work"),
        "PLAN": "wait",
        "PYTHONPATH": str(tmp_path),
    }
    words = ["--name", "a", "train", f"storage={tmp_path / 'root'}"]
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); " + (
        f"from ray_jobs import supervise; sys.exit(supervise.main({words!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=environ, cwd=tmp_path)
    deadline = time.monotonic() + 20
    while not (tmp_path / "told").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    threading.Timer(0.2, process.terminate).start()
    assert process.wait(20) == 128 + signal.SIGTERM
