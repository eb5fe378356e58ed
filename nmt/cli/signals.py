"""Handlers for SIGTERM and Ctrl-C, each removed again by the code that installed it."""

import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
DEADLINE_EXIT_CODE = 124
"""Exit code of a job that its deadline has ended, as of the command `timeout`."""

Handler = Callable[[int, FrameType | None], object]


@contextmanager
def restored_handlers(numbers: Collection[int]) -> Iterator[None]:
    """Put the handlers of some signals back at the end, whatever replaced them meanwhile."""
    # Python lets no other thread set a handler, so there is nothing to restore in one.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def handled_signals(numbers: Collection[int], handler: Handler) -> Iterator[None]:
    """Handle some signals until the end of the block; do nothing outside the main thread."""
    with restored_handlers(numbers):
        # Elsewhere Python refuses to set a handler.
        if threading.current_thread() is threading.main_thread():
            for number in numbers:
                signal.signal(number, handler)
        yield


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Turn Ctrl-C and SIGTERM into KeyboardInterrupt, and list the numbers that arrived."""
    arrived: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> NoReturn:
        arrived.append(number)
        if number == signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)  # once is enough: the clean-up has to finish
        # `ray.get` lets no other exception through at once.
        raise KeyboardInterrupt(signal.Signals(number))

    # A shell makes its background jobs ignore Ctrl-C, and they must keep doing so.
    wanted = [n for n in STOP_SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
    with handled_signals(wanted, on_signal):
        yield arrived


def signal_of(error: KeyboardInterrupt) -> signal.Signals:
    """Return the signal that `stop_signals` turned into this exception."""
    # Python's own exception for Ctrl-C carries nothing.
    number = error.args[0] if error.args else None
    return number if isinstance(number, signal.Signals) else signal.SIGINT


def prepend_handler(number: int, handles: Callable[[], bool]) -> None:
    """Call `handles` at each signal, and the present handler where it returns False."""
    before = signal.getsignal(number)

    def on_signal(number: int, frame: FrameType | None) -> None:
        if not handles() and callable(before):
            before(number, frame)

    signal.signal(number, on_signal)


def exit_code_of(number: int) -> int:
    """Return the exit code by which a shell reports a process that a signal ended."""
    return 128 + number
