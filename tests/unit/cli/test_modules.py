"""Commands that are run as modules."""

import subprocess
import sys

import pytest

from tests.support.project import PROJECT

MODULES = sorted(path.stem for path in (PROJECT / "ray_jobs").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_a_command_can_be_run(name: str) -> None:
    # Without this ending it would do nothing, and exit with 0.
    assert 'if __name__ == "__main__":' in (PROJECT / "ray_jobs" / f"{name}.py").read_text("utf-8")


def test_a_command_without_a_session_can_be_run_as_a_module() -> None:
    words = [sys.executable, "-m", "ray_jobs.keys", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: nmt keys")
