"""The process of a job: its output goes to the log, and its deadline ends it."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import IO

from nmt.cli.log_file import LogFile
from nmt.cli.signals import STOP_SIGNALS, handled_signals

# A deadline is kept within 10 seconds. This is the part of them in which a training may save a
# checkpoint; the rest is for the end of its workers.
SAVE_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    code: int
    """Exit code, below 0 if a signal killed the process."""
    timed_out: bool = False
    """Whether the deadline ended it."""


def run_logged(
    command: Sequence[str],
    log: LogFile,
    seconds_left: float | None,
    see: Callable[[bytes], None] = lambda line: None,
) -> Ended:
    """Run a process and copy its output to standard output and to the log.

    Args:
        command: the words of its command line.
        log: the job's log.
        seconds_left: time after which the process is told to stop; None for no limit.
        see: receives each line too.
    """
    with subprocess.Popen(  # noqa: S603 - our own modules
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe

        def pass_on(number: int, frame: FrameType | None) -> None:
            process.send_signal(number)

        with _ended_at(process, seconds_left) as over, handled_signals(STOP_SIGNALS, pass_on):
            copy_lines(process.stdout, log, see)
            code = process.wait()
    return Ended(code, over.is_set())


@contextmanager
def _ended_at(
    process: subprocess.Popen[bytes], seconds_left: float | None
) -> Iterator[threading.Event]:
    """Tell a process to stop when its time is over, and kill it if it has not stopped soon."""
    over = threading.Event()
    if seconds_left is None:
        yield over
        return

    def stop() -> None:
        if process.poll() is None:
            over.set()
            process.terminate()

    timers = (
        threading.Timer(seconds_left, stop),
        threading.Timer(seconds_left + SAVE_SECONDS, process.kill),
    )
    for timer in timers:
        timer.start()
    try:
        yield over
    finally:
        for timer in timers:
            timer.cancel()


def copy_lines(
    source: IO[bytes], log: LogFile, see: Callable[[bytes], None] = lambda line: None
) -> None:
    """Copy lines to standard output and to the log as they appear."""
    for line in source:
        tell_line(line, log)
        see(line)


def tell_line(line: bytes, log: LogFile) -> None:
    """Write a line, which includes its line end, to standard output and to the log."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    log.write(line)
