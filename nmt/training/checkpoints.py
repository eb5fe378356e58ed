"""Checkpoints of a run: written whole or not at all, verified when read, the best kept."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nmt.data.batches import Cursor
from nmt.errors import StorageError
from nmt.models.adapters import trainable
from nmt.storage import Storage

log = logging.getLogger(__name__)

OPTIMIZER, PARAMETERS = "optimizer.safetensors", "parameters.safetensors"


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands; with the weights and the optimizer all that it needs to go on."""

    step: int = 0
    cursor: Cursor = field(default_factory=Cursor)
    best_step: int | None = None
    best_bleu: float | None = None
    """Validation BLEU, 0-100."""
    worse_in_a_row: int = 0
    """Validations since the best."""
    curve: tuple[dict[str, float], ...] = ()
    """One entry per validation: step, bleu, loss."""
    seconds: float = 0.0
    """Time trained, over all attempts."""

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> "State":
        """From a manifest."""
        plain = dict(meta)
        return cls(**{**plain, "cursor": Cursor(**plain["cursor"]), "curve": tuple(plain["curve"])})


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified checkpoint."""

    state: State
    folder: Path

    def parameters(self) -> dict[str, Tensor]:
        """What was trained, by the model's own parameter names."""
        return load_file(self.folder / PARAMETERS)

    def optimizer(self) -> dict[str, Tensor]:
        """The optimizer's moments."""
        return load_file(self.folder / OPTIMIZER)


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints below one folder of the storage root."""

    storage: Storage
    folder: str

    def path(self, step: int) -> str:
        """Where the checkpoint of a step lies."""
        return f"{self.folder}/step-{step:08d}"

    def steps(self) -> list[int]:
        """Steps with a whole checkpoint, ascending."""
        names = [n for n in self.storage.list(self.folder) if n.startswith("step-")]
        steps = [int(name.removeprefix("step-")) for name in names]
        return [step for step in steps if self.storage.is_committed(self.path(step))]

    def save(
        self, state: State, model: nn.Module, optimizer: Mapping[str, Tensor], keep: int
    ) -> None:
        """Write a checkpoint, then drop those that are neither the best nor among the latest."""
        with self.storage.commit(self.path(state.step), asdict(state)) as folder:
            parameters = {n: p.detach().contiguous() for n, p in trainable(model).items()}
            save_file(parameters, folder / PARAMETERS)
            save_file(dict(optimizer), folder / OPTIMIZER)
        kept = {*self.steps()[-keep:], state.best_step}
        for step in self.steps():
            if step not in kept:
                self.storage.delete(self.path(step))

    def load(self, step: int) -> Loaded:
        """One checkpoint.

        Raises:
            StorageError: it is missing or fails its manifest.
        """
        folder = self.storage.fetch(self.path(step))
        return Loaded(State.of(self.storage.manifest(self.path(step))["meta"]), folder)

    def load_last(self) -> Loaded | None:
        """The latest checkpoint that passes its manifest; None when there is none.

        A damaged one is named in the log and left alone, and the one before it is taken.
        """
        for step in reversed(self.steps()):
            try:
                return self.load(step)
            except (StorageError, KeyError, TypeError) as error:
                log.warning("checkpoint of step %d left out: %s", step, error)
        return None
