"""Small records in a training's folder."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from nmt.storage import RecordKind


def _power_of_two(parts: int) -> int:
    if parts < 1 or parts & (parts - 1):
        raise ValueError("is not a power of two")
    return parts


@dataclass(frozen=True, slots=True)
class Cut:
    """The content of `micro_batches.json`."""

    parts: Annotated[int, AfterValidator(_power_of_two)]
    """Number of parts into which each micro-batch is split."""


@dataclass(frozen=True, slots=True)
class MlflowRun:
    """The content of `mlflow.json`."""

    run_id: Annotated[str, Field(pattern=r"^[0-9a-zA-Z_-]+$")]


@dataclass(frozen=True, slots=True)
class ChosenSample:
    """The content of `validation.json`: how many pairs all trials of a search validate."""

    sentences: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class BaseTranslations:
    """The content of `base_validation.json`: what the base made of the validation pairs."""

    hypotheses: tuple[str, ...]


CHOSEN_SAMPLE = RecordKind(ChosenSample, "the number of validation pairs")
BASE_TRANSLATIONS = RecordKind(BaseTranslations, "the base's translations")
CUT = RecordKind(Cut, "the cut of a run's micro-batches")
MLFLOW_RUN = RecordKind(MlflowRun, "the record of an MLflow run")
