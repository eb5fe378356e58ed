"""Which samples each step of a training has seen, written by every attempt at it."""

import hashlib
import itertools
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from torch import Tensor

from nmt.data.batches import Rows
from nmt.training.events import Signal
from nmt.training.saved.state import State
from nmt.training.strategies import Single
from nmt.training.trainer import Trainer


@contextmanager
def kept(folder: Path, attempt: int, kill_at_step: int | None = None) -> Iterator[None]:
    """Within it, each step that this process takes adds a line: its number and its samples.

    In its step number `kill_at_step`, counted from 1, it is killed between backward and update.
    """
    steps = itertools.count(1)
    samples: list[str] = []
    backward, train_step = Single.backward, Trainer.train_step

    def noting_backward(
        self: Single, batch: dict[str, Tensor], weight: float, last: bool
    ) -> Tensor:
        if weight:  # a worker with nothing to do sends a row of no weight through
            samples.extend(_names(batch))
        loss = backward(self, batch, weight, last)
        if last and next(steps) == kill_at_step:
            os.kill(os.getpid(), signal.SIGKILL)
        return loss

    def noting_step(
        self: Trainer, state: State, rows: list[Rows], wanted: Signal
    ) -> tuple[State, Signal]:
        samples.clear()
        answer = train_step(self, state, rows, wanted)
        line = {"attempt": attempt, "step": state.step, "samples": samples}
        with (folder / f"ledger-{attempt}-{os.getpid()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        return answer

    with (
        mock.patch.object(Single, "backward", noting_backward),
        mock.patch.object(Trainer, "train_step", noting_step),
    ):
        yield


def _names(batch: dict[str, Tensor]) -> Iterator[str]:
    """A name for each pair: its tokens without the padding around them."""
    for source, target in zip(batch["input_ids"], batch["labels"], strict=True):
        pair = [[token for token in side.tolist() if token >= 2] for side in (source, target)]
        yield hashlib.sha256(json.dumps(pair).encode()).hexdigest()[:16]


def lines(folder: Path) -> list[dict[str, Any]]:
    """All of them."""
    files = sorted(folder.glob("ledger-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def by_step(folder: Path) -> dict[int, Counter[str]]:
    """The samples of each step, by the last attempt that took it, of all its workers."""
    last: dict[int, int] = {}
    for line in lines(folder):
        last[line["step"]] = max(line["attempt"], last.get(line["step"], 0))
    steps: dict[int, Counter[str]] = {step: Counter() for step in sorted(last)}
    for line in lines(folder):
        if line["attempt"] == last[line["step"]]:
            steps[line["step"]].update(line["samples"])
    return steps
