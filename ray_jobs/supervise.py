"""Runs one job as the entry point of a RayJob: keeps its log, and goes on after it was killed.

    python -m ray_jobs.supervise --name NAME --retries 3 train run=demo training.max_steps=500

The words are percent-encoded: KubeRay and Ray each paste them into a shell.
Imports neither ray nor torch; the job is a process of its own.
"""

import argparse
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import IO, Annotated
from urllib.parse import unquote

from pydantic import Field

from nmt.cli.log_file import LogFile
from nmt.cli.signals import STOP_SIGNALS, exit_code_of, handled_signals
from nmt.cli.translation import TRANSLATE, read_option_words
from nmt.config import LoadedConfig, load_with_user_set
from nmt.errors import NmtError
from nmt.runs import layout
from nmt.storage import RecordKind, Storage
from ray_jobs.cli.runner import guarded, jobs
from ray_jobs.runtime.restart import discard
from ray_jobs.runtime.storage_location import absolute_storage, submission_id
from ray_jobs.translation.work import discard_output

_AGAIN = "the job starts again and goes on from its last checkpoint"


@dataclass(frozen=True, slots=True)
class Attempts:
    """What `RUN/logs/NAME.json` remembers of a job over the heads that it outlives."""

    job: str
    """Ray's submission id: another job of the same name begins anew."""
    begun_at: float
    """Seconds since 1970."""
    made: Annotated[int, Field(ge=0)] = 0


ATTEMPTS = RecordKind(Attempts, "the record of a job's attempts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job; its own exit code."""
    options = _parser().parse_args(arguments)
    return guarded(lambda: _supervise(options), extra="train")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ray_jobs.supervise", description=__doc__)
    parser.add_argument("--name", required=True, help="names the log: RUN/logs/NAME.log")
    parser.add_argument("--retries", type=int, default=0, help="new attempts after a kill")
    parser.add_argument("--deadline", type=float, metavar="SECONDS", help="stop the job after it")
    parser.add_argument("--restart", action="store_true", help="discard what was made before, once")
    parser.add_argument("step", choices=sorted([*jobs(), TRANSLATE]))
    parser.add_argument("words", nargs="*", metavar="key=value")
    return parser


def _supervise(options: argparse.Namespace) -> int:
    words = [unquote(word) for word in options.words]
    # Options of the job itself are encoded up to their dashes, so that they are words here.
    own_options = [word for word in words if word.startswith("--")]
    loaded = load_with_user_set(overrides=[word for word in words if word not in own_options])
    config = loaded.config
    storage = Storage(absolute_storage(config))
    log = LogFile(storage, layout.job_log(config.run, options.name))
    attempts_file = layout.job_attempts(config.run, options.name)
    try:
        with _logged_errors(log):
            attempts = _attempts(storage, attempts_file, log, restart=options.restart)
            if options.restart and not attempts.made:
                _discard(storage, loaded, options.step, own_options)
        while attempts.made <= options.retries:
            if attempts.made:
                _tell(log, _AGAIN)
            attempts = replace(attempts, made=attempts.made + 1)
            ATTEMPTS.write(storage, attempts_file, attempts)
            deadline = options.deadline and attempts.begun_at + options.deadline - time.time()
            code = _run([options.step, *words], log, deadline)
            if code >= 0:
                return code
            if -code in STOP_SIGNALS:
                return exit_code_of(-code)
            _tell(log, f"killed by {signal.Signals(-code).name}")
        _tell(log, f"lost {attempts.made} times: not tried again")
        return exit_code_of(signal.SIGKILL)
    finally:
        log.close()


@contextmanager
def _logged_errors(log: LogFile) -> Iterator[None]:
    """Write an error into the log too; the terminal gets it from our caller."""
    try:
        yield
    except NmtError as error:
        log.write(f"nmt: {error}\n".encode())
        raise


def _discard(storage: Storage, loaded: LoadedConfig, step: str, own_options: Sequence[str]) -> None:
    """Discard what earlier jobs made, before the first attempt is counted."""
    # A kill before that count discards again, and a kill after it never does. If the first attempt
    # discarded by itself, a kill before or during the deletion would leave old work in place.
    if step == TRANSLATE:
        discard_output(read_option_words(own_options), loaded.config)
    else:
        discard(storage, loaded, step, jobs()[step].after)


def _attempts(storage: Storage, path: str, log: LogFile, *, restart: bool) -> Attempts:
    """Read the attempts of this job; start at 0 if the file is from another job.

    Raises:
        StorageError: the file is damaged, so that it is not known whether this job has discarded
            what was made before it.
    """
    new = Attempts(submission_id(), time.time())
    if restart:
        remedy = (
            "delete this one file, and the job discards what was made before it and begins, or "
            "leave out --restart"
        )
        found = ATTEMPTS.find(storage, path, remedy)
    else:
        anew = "attempts and deadline are counted anew"
        found = ATTEMPTS.find_or_leave_out(storage, path, anew, lambda text: _tell(log, text))
    return found if found and found.job == new.job else new


def _run(words: list[str], log: LogFile, deadline_seconds: float | None) -> int:
    """Exit code of the job's process, below 0 when a signal killed it."""
    step, *rest = words
    with subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-u", "-m", f"ray_jobs.{step}", *rest],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        timer = threading.Timer(max(0.0, deadline_seconds or 0.0), process.terminate)
        if deadline_seconds is not None:
            timer.start()

        def pass_on(number: int, frame: FrameType | None) -> None:
            process.send_signal(number)

        try:
            with handled_signals(STOP_SIGNALS, pass_on):
                _copy(process.stdout, log)
                code = process.wait()
        finally:
            timer.cancel()
    return code


def _copy(source: IO[bytes], log: LogFile) -> None:
    for line in source:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        log.write(line)


def _tell(log: LogFile, message: str) -> None:
    line = f"nmt: {message}\n".encode()
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    log.write(line)


if __name__ == "__main__":
    sys.exit(main())
