"""A fixture for tests that run a command in their own process."""

import logging
import signal

import pytest


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """The process as it was: a command sets up logging and signals for itself."""
    root, handler = logging.getLogger(), signal.getsignal(signal.SIGTERM)
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    yield
    signal.signal(signal.SIGTERM, handler)
    root.handlers[:] = handlers
    root.setLevel(level)
