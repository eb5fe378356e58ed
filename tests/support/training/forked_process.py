"""Processes that are there at once, so that a test can kill many of them."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess

_GIVE_UP_SECONDS = 120.0


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nmt.training.trainer", "tests.support.training.sample_ledger"])
    return context


def start(work: Callable[..., None], *arguments: object) -> BaseProcess:
    """Run a function of a module in a process of its own."""
    process = _context().Process(target=work, args=arguments)
    process.start()
    return process


def wait(process: BaseProcess) -> int:
    """The exit code; negative where a signal ended it."""
    process.join(_GIVE_UP_SECONDS)
    assert process.exitcode is not None, "still running"
    return process.exitcode
