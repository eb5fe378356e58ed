"""What the console commands do alike: settings among their words, signals, exit codes."""

import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from types import FrameType
from typing import NoReturn

from nmt.errors import MissingPackageError, NmtError, install_command

FORCE_HELP = "promote an engine that is worse than its base, and keep this reason beside it"

_STOPPED = {signal.SIGINT: ("interrupted", 130), signal.SIGTERM: ("terminated", 143)}
_OVERRIDE = re.compile(r"^[A-Za-z_][\w.]*=")
_OURS = ("nmt", "ray_jobs", "k8s")


def is_override(word: str) -> bool:
    """Whether a word of the command line sets a key rather than being text."""
    return bool(_OVERRIDE.match(word))


def guarded(action: Callable[[], int | None], *, program: str, extra: str, after: str = "") -> int:
    """Exit code of an action: its error is one message, only a fault of ours is a traceback.

    Args:
        action: may give an exit code of its own.
        program: begins each message.
        extra: of the package, which has what the action imports.
        after: what follows the word that a signal has stopped the action.
    """

    def stopped(number: int) -> int:
        word, code = _STOPPED[signal.Signals(number)]
        _say(program, word + after)
        return code

    _open_streams()
    with stop_signals() as arrived:
        try:
            code = action()
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            # Libraries turn an interruption into errors of their own, depending on the moment.
            if arrived:
                return stopped(arrived[0])
            if isinstance(error, KeyboardInterrupt):
                return stopped(signal.SIGINT)
            return _failed(error, program, extra)
    return code or 0


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Turn Ctrl-C and SIGTERM into exceptions; the numbers of those that arrived.

    What a shell has told this process to ignore stays ignored.
    """
    arrived: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> NoReturn:
        arrived.append(number)
        if number == signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)  # once is enough: the clean-up has to finish
        # The one exception that `ray.get` lets through at once.
        raise KeyboardInterrupt(signal.Signals(number))

    before = {number: signal.getsignal(number) for number in _STOPPED}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, on_signal)
    try:
        yield arrived
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _failed(error: BaseException, program: str, extra: str) -> int:
    if isinstance(error, BrokenPipeError):
        _silence()  # the reader of our output has gone
        return 0
    package = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and package not in _OURS:
        error = MissingPackageError(
            f"this command needs the package '{package}': {install_command(extra)}"
        )
    if isinstance(error, NmtError):
        _say(program, str(error))
        return error.exit_code
    traceback.print_exception(error)
    return 1


def _open_streams() -> None:
    """Write UTF-8 whatever the terminal's encoding: it may lack the letters that are to be told.

    What was closed before the start goes nowhere.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _silence() -> None:
    """What standard output still holds goes nowhere, also when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(program: str, message: str) -> None:
    try:
        sys.stdout.flush()
    except OSError:  # its reader has gone, or its disk is full
        _silence()
    sys.stderr.write(f"{program}: {message}\n")
