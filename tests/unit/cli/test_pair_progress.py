import logging

import pytest

from nmt.cli import progress as progress_module
from nmt.cli.progress import PairProgress


def test_progress_shows_the_speed_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    progress = PairProgress("train: tokenized", 100_000, 5.0)
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            now[0] += 1.0
            progress.add(2000)
        progress.finish()
    assert caplog.messages[0] == (
        "train: tokenized 10,000 of 100,000 pairs | 2,000 pairs/s | 0m45s left"
    )
    assert caplog.messages[-1] == "train: tokenized 100,000 pairs in 0m50s"
