"""Handlers of signals and how they are removed again."""

import signal
import threading
from collections.abc import Iterator

import pytest

from nmt.cli.signals import (
    STOP_SIGNALS,
    exit_code_of,
    handled_signals,
    prepend_handler,
    restored_handlers,
    signal_of,
    stop_signals,
)


@pytest.fixture(autouse=True)
def handler_of_the_test_run() -> Iterator[None]:
    with restored_handlers(STOP_SIGNALS):
        # A test run in a shell's background inherits that Ctrl-C is ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield


def test_a_handler_is_removed_at_the_end_of_its_block() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []
    with handled_signals([signal.SIGTERM], lambda number, frame: seen.append(number)):
        signal.raise_signal(signal.SIGTERM)
    assert seen == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_handler_that_a_library_installs_is_replaced_by_the_one_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with restored_handlers([signal.SIGTERM]):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_no_handler_is_installed() -> None:
    seen = []

    def work() -> None:
        with handled_signals([signal.SIGTERM], print):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_signal_is_an_exception_that_names_it(number: signal.Signals, code: int) -> None:
    with stop_signals() as arrived, pytest.raises(KeyboardInterrupt) as stopped:
        signal.raise_signal(number)
    assert arrived == [number]
    assert exit_code_of(signal_of(stopped.value)) == code


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    with restored_handlers([signal.SIGINT]):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with stop_signals() as arrived:
            signal.raise_signal(signal.SIGINT)
        assert arrived == []


@pytest.mark.parametrize("handled", [True, False])
def test_the_handler_before_is_called_where_the_new_one_does_not_handle(handled: bool) -> None:
    seen = []
    signal.signal(signal.SIGTERM, lambda number, frame: seen.append("before"))
    prepend_handler(signal.SIGTERM, lambda: handled)
    signal.raise_signal(signal.SIGTERM)
    assert seen == ([] if handled else ["before"])
