"""Programs that check the chart, and that no package of Python contains."""

import os
import shutil
import sys
from pathlib import Path

import pytest

SEARCHED = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def program(name: str, installed_by: str = "make chart-tools") -> str:
    """Find a program beside Python's or on the PATH; without it, skip the test."""
    found = shutil.which(name, path=SEARCHED)
    if not found:
        pytest.skip(f"{name} is not installed; `{installed_by}` does it where there is Go")
    return found
