"""One attempt at a training: what the workers get, and how they report its end to the driver."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmt.errors import NmtError
from nmt.runs.results import TrainResult

# Ray's controller imports this module to read an attempt, and must not pay for these.
if TYPE_CHECKING:
    from nmt.config import Config
    from nmt.storage import Storage
    from ray_jobs.workers.interruption import StopCoordinator


@dataclass(frozen=True, slots=True)
class TrainingPlace:
    """Where a training keeps its files, and how its lines in the log begin."""

    name: str
    folder: str
    """Its training folder, relative to the storage root."""
    ray_files: str
    """Folder in which Ray keeps its own files."""
    compares_with_base: bool = True
    """Whether weights that are worse than the base are not published."""


@dataclass(frozen=True, slots=True)
class AttemptSettings:
    """What each worker of an attempt needs."""

    config: "Config"
    storage: "Storage"
    place: TrainingPlace
    start_from: str | None
    """Folder of the checkpoints to go on from where the training has none yet."""
    coordinator: "StopCoordinator"


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that reached the end of the training, or was stopped by the driver."""

    result: TrainResult


@dataclass(frozen=True, slots=True)
class Preempted:
    """An attempt whose workers were told to go, after they had saved a checkpoint."""

    step: int


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt with an error that another attempt would only repeat."""

    error: NmtError


Attempt = Finished | Preempted | Failed
