import sys
import time

import pytest

from ray_jobs.runtime import progress_bar
from ray_jobs.runtime.progress_bar import step_bar


class Drawn:
    """Stands in for Ray's progress_bar, which needs a running Ray and a terminal."""

    bars: list["Drawn"]

    def __init__(self, *, desc: str, total: int, unit: str, flush_interval_s: float) -> None:
        self.at, self.total, self.closed = 0, total, False
        Drawn.bars.append(self)

    def update(self, steps: int) -> None:
        self.at += steps

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    Drawn.bars = []
    monkeypatch.setattr(progress_bar.tqdm_ray, "tqdm", Drawn)
    monkeypatch.setattr(progress_bar, "_LOOK_EVERY_SECONDS", 0.01)


@pytest.mark.parametrize("last", [7, 10], ids=["stopped early", "whole"])
def test_the_bar_ends_where_the_training_did(monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    steps = iter([0, 4, 4])
    with step_bar("train", 10, lambda: next(steps, last)):
        time.sleep(0.1)
    (drawn,) = Drawn.bars
    assert (drawn.at, drawn.total, drawn.closed) == (last, 10, True)


def test_nothing_is_drawn_where_there_is_no_terminal() -> None:
    with step_bar("train", 10, lambda: 5):
        time.sleep(0.05)
    assert Drawn.bars == []
