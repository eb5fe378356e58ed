"""The base class of what a step found, and how it is read from the step's record."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from nmt.errors import StorageError, first_validation_error


class ResultPart(BaseModel):
    """A frozen part of a result."""

    # Fields of a later release are ignored, so that two releases can share a storage root.
    # Validators are built on first use: most commands read few of the results.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)


class StepResult(ResultPart):
    """The result of a step."""

    def headline(self) -> str:
        """Summarize the result in a few words, for a table with one line per step."""
        return ""

    def as_json(self) -> dict[str, JsonValue]:
        """Return the fields as the step's record keeps them."""
        return self.model_dump(mode="json")


ResultT = TypeVar("ResultT", bound=StepResult)


def read_result(
    kind: type[ResultT], content: Mapping[str, Any], *, step: str, place: str
) -> ResultT:
    """Read the stored result of a step.

    Args:
        kind: the result type of the step.
        content: the result in the step's record.
        step: name of the step, for the message.
        place: the record's file, for the message.

    Raises:
        StorageError: the content does not fit; names the command that makes it again.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        # One error is enough: a result of another release differs in many fields.
        problem = first_validation_error(error, prefix="result")
        raise StorageError(
            f"{place}: not the result of `nmt {step}` as this release reads it "
            f"({problem}): give `nmt {step} --restart` with this run's name, which makes it again"
        ) from None
