"""Runs one job as the entry point of a RayJob: keeps its log, and goes on after it was killed.

    python -m ray_jobs.supervise --name NAME --retries 3 train run=demo training.max_steps=500

The words are percent-encoded: KubeRay and Ray each paste them into a shell.
Imports neither ray nor torch; the job is a process of its own.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import IO
from urllib.parse import unquote

from nmt.config import load_config
from nmt.log_file import LogFile
from nmt.storage import Storage
from ray_jobs.entry import JOBS, guarded
from ray_jobs.place import absolute_storage

_STOPPED = (signal.SIGTERM, signal.SIGINT)
_AGAIN = "the job starts again and goes on from its last checkpoint"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job; its own exit code."""
    options = _parser().parse_args(arguments)
    code = 0

    def action() -> None:
        nonlocal code
        code = _supervise(options)

    return guarded(action, extra="train") or code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ray_jobs.supervise", description=__doc__)
    parser.add_argument("--name", required=True, help="names the log: RUN/logs/NAME.log")
    parser.add_argument("--retries", type=int, default=0, help="new attempts after a kill")
    parser.add_argument("--restart", action="store_true", help="passed on, the first time alone")
    parser.add_argument("step", choices=sorted(JOBS))
    parser.add_argument("words", nargs="*", metavar="key=value")
    return parser


def _supervise(options: argparse.Namespace) -> int:
    words = [unquote(word) for word in options.words]
    config = load_config(overrides=words)
    log = LogFile(Storage(absolute_storage(config)), log_path(config.run, options.name))
    # A head Pod that was lost starts this process anew: its work must not be discarded again.
    restart = options.restart and not log.existed
    try:
        if log.existed:
            _tell(log, _AGAIN)
        left = options.retries
        while True:
            code = _run([options.step, *(["--restart"] if restart else []), *words], log)
            if code >= 0:
                return code
            if -code in _STOPPED or left == 0:
                return 128 - code
            left, restart = left - 1, False
            _tell(log, f"killed by {signal.Signals(-code).name}; {_AGAIN}")
    finally:
        log.close()


def log_path(run: str, name: str) -> str:
    """Where the log of a job lies on the storage root."""
    return f"{run}/logs/{name}.log"


def _run(words: list[str], log: LogFile) -> int:
    """Exit code of the job's process, below 0 when a signal killed it."""
    step, *rest = words
    with subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-u", "-m", f"ray_jobs.{step}", *rest],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        before = {number: signal.getsignal(number) for number in _STOPPED}

        def pass_on(number: int, frame: FrameType | None) -> None:
            process.send_signal(number)

        for number in _STOPPED:
            signal.signal(number, pass_on)
        try:
            _copy(process.stdout, log)
            return process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


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
