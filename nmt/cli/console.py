"""Errors, signals and exit codes of the console commands."""

import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from io import TextIOWrapper

from nmt.cli.signals import exit_code_of, signal_of, stop_signals
from nmt.errors import MissingPackageError, NmtError, install_command

_STOPPED = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_OVERRIDE = re.compile(r"^[A-Za-z_][\w.]*=")
_OURS = ("nmt", "ray_jobs", "k8s")


def is_override(word: str) -> bool:
    """Tell whether a word of the command line is an override, such as `run=demo`, and not text."""
    return bool(_OVERRIDE.match(word))


def split_words(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Separate the plain words of a command line from its overrides; return both, in order."""
    plain: list[str] = []
    overrides: list[str] = []
    for word in words:
        (overrides if is_override(word) else plain).append(word)
    return plain, overrides


def print_line(text: str) -> None:
    """Write the answer of a command to standard output, with an end of line."""
    sys.stdout.write(text + "\n")


def guarded(action: Callable[[], int | None], *, program: str, extra: str, after: str = "") -> int:
    """Run an action and return its exit code; known errors print one line, bugs a traceback.

    Args:
        action: returns an exit code, or None for success.
        program: begins each message.
        extra: the extra that contains the packages of the action.
        after: ending of the message when a signal stops the action.
    """

    def stopped(number: int) -> int:
        _print_error(program, _STOPPED[signal.Signals(number)] + after)
        return exit_code_of(number)

    _open_streams()
    with stop_signals() as arrived:
        try:
            code = action()
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            # Libraries may turn an interruption into errors of their own.
            if arrived:
                return stopped(arrived[0])
            if isinstance(error, KeyboardInterrupt):
                return stopped(signal_of(error))
            return _handle_error(error, program, extra)
    return code or 0


def _handle_error(error: BaseException, program: str, extra: str) -> int:
    if isinstance(error, BrokenPipeError):
        _silence()  # the reader of the output, such as `head`, has ended
        return 0
    package = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and package not in _OURS:
        error = MissingPackageError(
            f"this command needs the package '{package}': {install_command(extra)}"
        )
    if isinstance(error, NmtError):
        _print_error(program, str(error))
        return error.exit_code
    traceback.print_exception(error)
    return 1


def _open_streams() -> None:
    """Make standard output and error accept every text."""
    # A service may start this process with closed streams.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # The encoding of the terminal may lack the letters of a translation.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _silence() -> None:
    """Discard what standard output has buffered."""
    # Otherwise the interpreter would try to write it at its end, and print an error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error(program: str, message: str) -> None:
    try:
        sys.stdout.flush()
    except OSError:  # its reader has ended, or its disk is full
        _silence()
    sys.stderr.write(f"{program}: {message}\n")
