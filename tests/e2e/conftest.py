"""The command line as a user runs it, on settings that take seconds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import PROJECT
from tests.support.runs.small_run import SMALL_RUN
from tests.support.signals import take_ctrl_c

SMALL = [
    *SMALL_RUN,
    "training.max_steps=60",
    "training.validation_sentences=8",
    "tune.trials=2",
    "tune.max_steps=12",
    "tune.grace_steps=8",
]


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
                "ray_jobs.cli.main",
                command,
                *SMALL,
                f"storage={self.storage}",
                *words,
            ],
            cwd=PROJECT,
            env={k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=take_ctrl_c,
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
