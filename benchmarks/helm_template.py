"""Duration of `helm template` for the slowest of the chart's example values, including checks.

Uses `helm` from the PATH, or else Helm's library for Python. The target is 3 s, since users wait
for it after every change of their values.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml

CHART = Path(__file__).parents[1] / "helm" / "nmt"
ROUNDS = 5
TARGET_SECONDS = 3.0


def main() -> int:
    """Render each example file, print the slowest and return 1 when it misses the target."""
    helm = shutil.which("helm")
    render = _with_binary(helm) if helm else _with_library
    slowest, name = max((_seconds(render, path), path.name) for path in CHART.glob("values/*.yaml"))
    tool = helm or "helm-python-sdk"
    print(f"{slowest:.2f} s for {name} with {tool}, best of {ROUNDS}; target {TARGET_SECONDS} s")
    return int(slowest > TARGET_SECONDS)


def _seconds(render: Callable[[Path], object], values: Path) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        render(values)
        best = min(best, time.perf_counter() - start)
    return best


def _with_binary(helm: str) -> Callable[[Path], object]:
    def render(values: Path) -> object:
        command = [helm, "template", "nmt", str(CHART), "--values", str(values)]
        return subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return render


def _with_library(values: Path) -> object:
    import helm_python

    with helm_python.Chart.load(str(CHART)) as chart:
        return chart.render(yaml.safe_load(values.read_text("utf-8")), name="nmt")


if __name__ == "__main__":
    sys.exit(main())
