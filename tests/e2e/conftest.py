"""The command line as a user runs it, on settings that take seconds."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SMALL = [
    "run=small",
    "data.phrasebook.general_pairs=300",
    "data.phrasebook.domain_pairs=120",
    "data.validation_fraction=0.1",
    "data.test_fraction=0.1",
    "model.base_steps=80",
    "training.max_steps=60",
    "training.warmup_steps=2",
    "training.micro_batch_tokens=256",
    "training.evaluate_every_steps=4",
    "training.validation_sentences=8",
    "tune.trials=2",
    "tune.max_steps=12",
    "tune.grace_steps=8",
    "evaluation.bootstrap_samples=100",
]
ROOT = Path(__file__).parents[2]


class Shell:
    """Runs `nmt` with a storage root of its own."""

    def __init__(self, storage: Path) -> None:
        self.storage = storage

    def start(self, command: str, *words: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "ray_jobs.cli",
                command,
                *SMALL,
                f"storage={self.storage}",
                *words,
            ],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A test run in the background of a shell is told to ignore Ctrl-C, and hands that on.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, command: str, *words: str) -> tuple[int, str]:
        """Exit code and all output."""
        process = self.start(command, *words)
        output, _ = process.communicate(timeout=400)
        return process.returncode, output

    def json(self, path: str) -> Any:
        """A JSON file of the storage root."""
        return json.loads((self.storage / path).read_text())


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("storage"))
