"""From an action to an exit code: signals, errors of ours, and faults."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from nmt.errors import MissingPackageError, NmtError

_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def guarded(action: Callable[[], int]) -> int:
    """Exit code of an action: its error is one message, only a fault of ours is a traceback."""
    with _as_interruptions():
        try:
            return action()
        except KeyboardInterrupt as stop:
            number = stop.args[0] if stop.args else signal.SIGINT
            _say("interrupted" if number == signal.SIGINT else "terminated")
            return _CODES[number]
        except NmtError as error:
            _say(str(error))
            return error.exit_code
        except BrokenPipeError:  # the reader of our output has gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as error:
            return _failed(error)


def _failed(error: Exception) -> int:
    package = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and package not in ("nmt", "k8s"):
        _say(f"this command needs the package '{package}': pip install 'nmt[k8s]'")
        return MissingPackageError.exit_code
    traceback.print_exception(error)
    return 1


@contextmanager
def _as_interruptions() -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into KeyboardInterrupt with the signal's number."""

    def on_signal(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(signal.Signals(number))

    before = {number: signal.getsignal(number) for number in _CODES}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(message: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"nmt-k8s: {message}\n")
