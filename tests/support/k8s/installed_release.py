"""A release under test, and the commands of its users."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from nmt.network.tcp import connection_error
from tests.support.project import PROJECT


def shell(
    command: str,
    *,
    environ: dict[str, str] | None = None,
    check: bool = True,
    quiet: bool = False,
) -> str:
    """Run a command and return its output with standard error; fail the test if it fails."""
    path = f"{PROJECT / '.venv/bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=PROJECT,
        env=os.environ | {"PATH": path} | (environ or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not quiet:
        print(f"$ {command}\n{done.stdout}", flush=True)
    if check:
        assert done.returncode == 0, f"exit code {done.returncode} of: {command}\n{done.stdout}"
    return done.stdout


def wait_for(what: Callable[[], object], seconds: float, why: str) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"after {seconds:g} s: {why}"
        time.sleep(1)


@dataclass(frozen=True)
class Installed:
    """A release `nmt` in its own namespace."""

    namespace: str

    def kubectl(self, words: str, *, check: bool = True) -> str:
        return shell(f"kubectl -n {self.namespace} {words}", check=check, quiet=True)

    def nmt(self, words: str, *, code: int = 0) -> str:
        """Run nmt-k8s, check its exit code, and return its output."""
        said = shell(f"nmt-k8s {words} -n {self.namespace} && rc=0 || rc=$?; echo rc=$rc")
        assert said.rstrip().endswith(f"rc={code}"), said
        return said

    def helm(self, words: str) -> str:
        return shell(f"helm -n {self.namespace} {words}")

    def endpoint(self) -> str:
        """Return the URL of the endpoint, without a port-forward, which ends with its Pod."""
        address = self.kubectl("get service nmt-endpoint -o jsonpath={.spec.clusterIP}").strip()
        if connection_error(address, 8000):
            pytest.skip(f"this machine does not reach Services of the cluster ({address}:8000)")
        return f"http://{address}:8000"
