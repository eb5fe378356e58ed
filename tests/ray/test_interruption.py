"""A command that waits for Ray is stopped at once, with the exit code of the signal."""

import contextlib
import signal
import subprocess
import sys

import pytest
import ray

from nmt.cli.signals import stop_signals
from nmt.config import Config
from ray_jobs.runtime.connection import connect
from tests.support.signals import take_ctrl_c

COMMAND = """
import sys, time
import ray
from nmt.config import Config
from ray_jobs.runtime.connection import connect
from ray_jobs.cli.runner import guarded

def wait():
    print("starting", flush=True)
    with connect(Config()):
        print("waiting", flush=True)
        ray.get(ray.remote(lambda: time.sleep(60)).remote())

sys.exit(guarded(wait, extra="train"))
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
@pytest.mark.parametrize("moment", ["starting", "waiting"])
def test_a_signal_ends_the_command_with_its_code(
    moment: str, number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=take_ctrl_c,
    )
    assert process.stdout
    for line in process.stdout:
        if line.strip() == moment:
            break
    if moment == "starting":
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.7)  # now inside `ray.init`
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == code, output
    assert "run the same command again to resume" in output


def test_a_signal_that_ray_swallows_while_it_starts_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def swallow(**_options: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(ray, "init", swallow)
    with stop_signals() as arrived, pytest.raises(KeyboardInterrupt), connect(Config()):
        pytest.fail("the command goes on")
    assert arrived == [signal.SIGTERM]
