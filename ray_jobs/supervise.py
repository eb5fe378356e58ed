"""Runs one job as the entry point of a RayJob: keeps its log, and goes on after it was killed.

    python -m ray_jobs.supervise --name NAME --retries 3 train run=demo training.max_steps=500

The words are percent-encoded: KubeRay and Ray each paste them into a shell. Several steps are
joined by commas and run in one process, one after the other.
Imports neither ray nor torch; the job is a process of its own.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from nmt.cli.log_file import LogFile
from nmt.cli.signals import DEADLINE_EXIT_CODE, STOP_SIGNALS, exit_code_of
from nmt.cli.translation import TRANSLATE, read_option_words
from nmt.config import LoadedConfig, load_with_user_set
from nmt.errors import NmtError
from nmt.runs import layout
from nmt.runs.steps import steps_of
from nmt.storage import Storage
from ray_jobs.cli.runner import guarded, jobs
from ray_jobs.runtime.logs import VERBOSE_VARIABLE
from ray_jobs.runtime.restart import discard
from ray_jobs.runtime.storage_location import absolute_storage
from ray_jobs.supervision.attempts import ATTEMPTS, Attempts, begin, read_attempts, seconds_left
from ray_jobs.supervision.process import Ended, run_logged, tell_line
from ray_jobs.supervision.progress_file import ProgressFile
from ray_jobs.translation.work import discard_output

_AGAIN = "the job starts again and goes on from its last checkpoint"


@dataclass(frozen=True, slots=True)
class _Job:
    """A job to run: its steps, its words, and where its log and its progress go."""

    options: argparse.Namespace
    steps: tuple[str, ...]
    words: list[str]
    loaded: LoadedConfig
    storage: Storage
    log: LogFile
    progress: ProgressFile

    def tell(self, message: str) -> None:
        """Write a line of our own to standard output and to the log."""
        line = f"nmt: {message}\n".encode()
        tell_line(line, self.log)
        self.progress.see(line)

    @property
    def own_options(self) -> list[str]:
        """Return the options of the job itself, which only a translation has."""
        return [word for word in self.words if word.startswith("--")]

    @property
    def attempts_file(self) -> str:
        """Return the path of the record of its attempts."""
        return layout.job_attempts(self.loaded.config.run, self.options.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job; its own exit code."""
    options = _parser().parse_args(arguments)
    return guarded(lambda: _supervise(options), extra="train")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ray_jobs.supervise", description=__doc__)
    add = parser.add_argument
    add("--name", required=True, help="names the log: RUN/logs/NAME.log")
    add("--retries", type=int, default=0, help="new attempts after a kill")
    add("--deadline", type=float, metavar="SECONDS", help="stop the job after it")
    add("--submitted-at", type=float, metavar="TIME", help="the deadline counts from it (1970)")
    add("--longest-wait", type=float, default=0, metavar="SECONDS", help="of that for the Pods")
    add("--restart", action="store_true", help="discard what was made before, once")
    add("--verbose", action="store_true", help="keep what Ray itself says in the log")
    add("steps", type=_steps, metavar="STEP[,STEP]")
    add("words", nargs="*", metavar="key=value")
    return parser


def _steps(word: str) -> tuple[str, ...]:
    steps = tuple(word.split(","))
    known = sorted([*jobs(), TRANSLATE])
    for step in steps:
        if step not in known:
            raise argparse.ArgumentTypeError(f"'{step}' is not one of {', '.join(known)}")
    return steps


def _supervise(options: argparse.Namespace) -> int:
    if options.verbose:
        os.environ[VERBOSE_VARIABLE] = "1"
    words = [unquote(word) for word in options.words]
    # Options of the job itself are encoded up to their dashes, so that they are words here.
    loaded = load_with_user_set(overrides=[word for word in words if not word.startswith("--")])
    storage = Storage(absolute_storage(loaded.config))
    run = loaded.config.run
    log = LogFile(storage, layout.job_log(run, options.name))
    steps = [step.name for name in options.steps for step in steps_of(name, loaded.config)]
    progress = ProgressFile(storage, layout.job_progress(run, options.name), steps)
    try:
        code = _run_attempts(_Job(options, options.steps, words, loaded, storage, log, progress))
        progress.end(code)
    except NmtError as error:
        # The terminal gets it from our caller.
        line = f"nmt: {error}\n".encode()
        log.write(line)
        progress.see(line)
        progress.end(error.exit_code)
        raise
    finally:
        log.close()
    return code


def _run_attempts(job: _Job) -> int:
    """Run the job until it ends by itself, its deadline is over, or it was killed too often."""
    attempts = _begin(job)
    while attempts.made <= job.options.retries:
        if attempts.made:
            job.tell(_AGAIN)
        attempts = replace(attempts, made=attempts.made + 1)
        ATTEMPTS.write(job.storage, job.attempts_file, attempts)
        job.progress.begin()
        ended = _attempt(job, attempts)
        if ended.timed_out:
            return _end_at_deadline(job)
        if ended.code >= 0:
            return ended.code
        if -ended.code in STOP_SIGNALS:
            return exit_code_of(-ended.code)
        job.tell(f"killed by {signal.Signals(-ended.code).name}")
    job.tell(f"lost {attempts.made} times: not tried again")
    return exit_code_of(signal.SIGKILL)


def _begin(job: _Job) -> Attempts:
    """Read the earlier attempts of this job, and discard what it was told to before the first."""
    options = job.options
    begun_at = begin(options.submitted_at, options.longest_wait, time.time())
    attempts = read_attempts(
        job.storage, job.attempts_file, begun_at, job.tell, restart=options.restart
    )
    if options.restart and not attempts.made:
        _discard(job)
    return attempts


def _discard(job: _Job) -> None:
    """Discard what earlier jobs made, before the first attempt is counted."""
    # A kill before that count discards again, and a kill after it never does. If the first attempt
    # discarded by itself, a kill before or during the deletion would leave old work in place.
    if job.steps == (TRANSLATE,):
        discard_output(read_option_words(job.own_options), job.loaded.config)
    else:
        discard(job.storage, job.loaded, {step: jobs()[step].after for step in job.steps})


def _attempt(job: _Job, attempts: Attempts) -> Ended:
    """Run the job's process once, unless its time is over."""
    left = seconds_left(attempts, job.options.deadline)
    if left == 0:
        return Ended(0, timed_out=True)
    # Several steps share a process, and with it the imports and the connection to Ray.
    module, first = job.steps[0], []
    if len(job.steps) > 1:
        module, first = "steps", [",".join(job.steps)]
    command = [sys.executable, "-u", "-m", f"ray_jobs.{module}", *first, *job.words]
    return run_logged(command, job.log, left, job.progress.see)


def _end_at_deadline(job: _Job) -> int:
    job.tell(
        f"stopped at its deadline of {job.options.deadline:g} s: the same command with a longer "
        "one goes on from its last checkpoint",
    )
    return DEADLINE_EXIT_CODE


if __name__ == "__main__":
    sys.exit(main())
