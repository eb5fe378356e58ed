from collections.abc import Callable

import pytest

from nmt.training import validation
from tests.support.training.small_training import _one_thread, config, job, prepared, trained
from tests.support.training.token_files import counted, own_job

__all__ = [
    "_one_thread",
    "config",
    "counted",
    "job",
    "own_job",
    "prepared",
    "quick_validation",
    "trained",
]


@pytest.fixture
def quick_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """For where it does not matter what is decoded: that takes most of a short run's time."""

    def echo(
        model: object, codec: object, sentences: list[str], *, after_batch: Callable[[], None]
    ) -> list[str]:
        after_batch()
        return list(sentences)

    monkeypatch.setattr(validation, "translate", echo)
