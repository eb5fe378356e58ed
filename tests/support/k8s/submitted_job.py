"""Jobs that run in parallel to a test, so that the test can disturb them."""

import re
import subprocess

from tests.support.k8s.installed_release import Installed, wait_for
from tests.support.project import PROJECT


class Submitted:
    """A `nmt-k8s submit` that runs in parallel to the test."""

    def __init__(self, release: Installed, words: str, name: str) -> None:
        self.release, self.name = release, name
        command = f".venv/bin/nmt-k8s submit {words} --name {name} -n {release.namespace}"
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self, seconds: float = 600) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=seconds)
        print(said)
        return self.process.returncode, said

    def pod(self, kind: str) -> str:
        select = f"ray.io/node-type={kind},app.kubernetes.io/component=job"
        said = self.release.kubectl(f"get pods -l {select} -o name", check=False)
        names = [name for name in said.split() if name.startswith(f"pod/{self.name}-")]
        return names[0] if names else ""

    def log(self) -> str:
        return self.release.kubectl(f"logs job/{self.name} --tail=400", check=False)

    def wait_for_checkpoint(self) -> None:
        wait_for(lambda: "validation BLEU" in self.log(), 240, "no validation was reached")

    def step(self) -> int:
        """Return the latest step in its log."""
        return max(map(int, re.findall(r"train step (\d+)/", self.log())), default=0)


def began_at(said: str) -> list[int]:
    """Return the step at which each attempt of a training began."""
    return [int(number) for number in re.findall(r"train from step (\d+) of", said)]
