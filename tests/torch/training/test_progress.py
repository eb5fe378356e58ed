import logging
import re

import pytest

from nmt.training.monitoring import progress
from nmt.training.monitoring.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Now, in seconds; the tests move it."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def take_steps(made: Progress, clock: list[float], first: int, last: int) -> None:
    """Each of 100 tokens in a second."""
    for step in range(first, last + 1):
        clock[0] += 1.0
        made.step(step, 2.0, 1e-3, 100, 0.5)


def test_a_line_comes_every_few_seconds_and_at_the_last_step(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    made = Progress("train", 12, 5.0, True, _started=0.0, _last=0.0)
    with caplog.at_level(logging.INFO):
        take_steps(made, clock, 1, 12)
    assert [line.split(" | ")[0] for line in lines(caplog)] == [
        "train step 5/12", "train step 10/12", "train step 12/12",
    ]  # fmt: skip


def test_the_rate_is_that_of_the_steps_though_a_validation_lay_between_them(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    made = Progress("train", 20, 5.0, True, _started=0.0, _last=0.0)
    with caplog.at_level(logging.INFO):
        take_steps(made, clock, 1, 3)
        with made.paused():
            clock[0] += 100.0
        take_steps(made, clock, 4, 10)
    assert [re.findall(r"(\d+) tokens/s", line) for line in lines(caplog)] == [["100"], ["100"]]


def test_the_time_left_counts_validations(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    made = Progress("train", 20, 5.0, True, _started=0.0, _last=0.0)
    with caplog.at_level(logging.INFO):
        with made.paused():
            clock[0] += 100.0
        take_steps(made, clock, 1, 10)
    assert lines(caplog)[-1].endswith("4m07s left")  # 14 steps more, as slow as the first 6


def test_workers_that_write_no_log_gather_nothing(clock: list[float]) -> None:
    made = Progress("train", 20, 5.0, False, _started=0.0, _last=0.0)
    take_steps(made, clock, 1, 10)
    assert made._losses == []
