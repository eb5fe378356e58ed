"""The base class and the number types of all configuration sections."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

PositiveInt = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
RunName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?$")]
"""Name of a run, which is its folder below the storage root."""


UNQUOTED = "unquoted"
"""Type of an error about a value that its message must not quote."""


def secret_error(message: str) -> PydanticCustomError:
    """Make the error of a validator that has found a secret among the settings."""
    return PydanticCustomError(UNQUOTED, "{message}", {"message": message})


class Section(BaseModel):
    """A frozen part of the configuration that refuses unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        # A misspelt key must not be ignored.
        extra="forbid",
        # The reference and the chart's schema take each description from here.
        use_attribute_docstrings=True,
        # A default must follow the rules that hold for the user's values.
        validate_default=True,
        allow_inf_nan=False,
        # Sections are part of the whole tree, which builds their validators once, on first use.
        defer_build=True,
    )
