"""Records as a test needs them, as if the program had written them so."""

from typing import Any

from nmt.runs.running import StepOutput
from nmt.runs.step_result import StepResult
from nmt.storage import Storage


class AnyResult(StepResult, extra="allow"):
    """A result with any fields, for a step of any kind."""


def step_output(digest: str = "", **fields: object) -> StepOutput[Any]:
    """Return what the work of a step hands over, with any fields as its result."""
    return StepOutput(AnyResult.model_validate(fields), digest)


def change_record(storage: Storage, path: str, **changes: Any) -> dict[str, Any]:
    """Give fields of a record other values; what it held before, without its hash."""
    before = storage.read_json(path)
    before.pop("sha256", None)  # a record without a hash is one of an earlier release
    storage.write_json(path, {**before, **changes})
    return before
