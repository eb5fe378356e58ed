"""Steps whose work is counted and takes no time."""

from typing import Any

from nmt.config import Config, load_config
from nmt.runs.running import StepOutput, run_step
from nmt.runs.steps import Step
from nmt.storage import Storage
from tests.support.runs.records import step_output


class Work:
    """Counts its calls; fails when it is told to."""

    def __init__(
        self, error: BaseException | None = None, output: str = "", **result: object
    ) -> None:
        self.calls = 0
        self.error = error
        self.output = output
        self.result = result

    def __call__(self) -> StepOutput[Any]:
        self.calls += 1
        if self.error:
            raise self.error
        return step_output(self.output, **self.result)


def config(*words: str) -> Config:
    return load_config(overrides=words)


def finish(storage: Storage, *steps: Step, output: str = "one") -> None:
    for step in steps:
        run_step(storage, config(), step, Work(output=output))
