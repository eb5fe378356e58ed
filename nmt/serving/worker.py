"""A thread that makes calls for an event loop, and never keeps its process alive."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Worker:
    """A daemon thread that makes one call after the other.

    The threads of `asyncio.to_thread` are joined when a process exits: an engine that hangs, or
    storage that does not answer, would keep a replica alive that Serve has given up.
    """

    def __init__(self, name: str) -> None:
        """Set up the worker; its thread starts with the first call."""
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: Thread | None = None

    async def run(self, function: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
        """Call a function in the thread, after all earlier calls.

        A cancelled call is not made if it has not begun; else it goes on in the thread.
        """
        outcome: Future[_T] = Future()

        def call() -> None:
            if not outcome.set_running_or_notify_cancel():
                return
            try:
                result = function(*args, **options)
            except BaseException as error:
                outcome.set_exception(error)
            else:
                outcome.set_result(result)

        if self._thread is None:
            self._thread = Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._calls.put(call)
        return await asyncio.wrap_future(outcome)

    def close(self) -> None:
        """End the thread after the calls that were made; another call would start a new one."""
        self._calls.put(None)
        self._thread = None

    def _work(self) -> None:
        while call := self._calls.get():
            call()
            # Else the last call keeps its arguments alive, which may be an unloaded engine.
            del call
