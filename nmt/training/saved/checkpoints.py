"""Checkpoints of a run: written whole or not at all, verified when read, the best kept."""

import logging
import math
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nmt.data.batches import Cursor
from nmt.errors import ModelError, StorageError
from nmt.models.adapters import trainable
from nmt.models.sources.fingerprint import Fingerprint
from nmt.runs import layout
from nmt.storage import Storage

log = logging.getLogger(__name__)

OPTIMIZER, PARAMETERS = "optimizer.safetensors", "parameters.safetensors"


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands; with the weights and the optimizer all that it needs to go on."""

    step: int = 0
    left_out: int = 0
    """Steps without an update, which the optimizer does not count."""
    left_out_in_a_row: int = 0
    """Of them, those up to this step."""
    round_to: int | None = None
    """Multiple of widths that the data was cut for, to which the cursor belongs."""
    loss: float | None = None
    """Of the last step that had a finite one, per target token."""
    cursor: Cursor = field(default_factory=Cursor)
    base_bleu: float | None = None
    """Validation BLEU of the untrained weights, 0-100; None where they were not validated."""
    best_step: int | None = None
    best_bleu: float | None = None
    """Validation BLEU, 0-100."""
    worse_in_a_row: int = 0
    """Validations since the best."""
    curve: tuple[dict[str, float], ...] = ()
    """One entry per validation: step, bleu, and loss once there was a finite one."""
    seconds: float = 0.0
    """Time trained, over all attempts."""

    @property
    def updates(self) -> int:
        """Steps that changed the weights."""
        return self.step - self.left_out

    def after(self, loss: float, *, updated: bool) -> "State":
        """One step later; one without an update leaves weights and optimizer as they were."""
        return replace(
            self,
            step=self.step + 1,
            left_out=self.left_out + (not updated),
            left_out_in_a_row=0 if updated else self.left_out_in_a_row + 1,
            loss=loss if math.isfinite(loss) else self.loss,
        )

    def validated(self, count: int) -> list[int]:
        """Steps of so many latest validations, ascending."""
        return [int(entry["step"]) for entry in self.curve[max(0, len(self.curve) - count) :]]

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> "State":
        """From a manifest."""
        plain = dict(meta)
        return cls(**{**plain, "cursor": Cursor(**plain["cursor"]), "curve": tuple(plain["curve"])})


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified checkpoint, there until it is closed: on an object store it is a large copy."""

    state: State
    folder: Path
    reading: ExitStack

    def parameters(self) -> dict[str, Tensor]:
        """What was trained, by the model's own parameter names."""
        return load_file(self.folder / PARAMETERS)

    def optimizer(self) -> dict[str, Tensor]:
        """The optimizer's moments."""
        return load_file(self.folder / OPTIMIZER)

    def close(self) -> None:
        """It has been read."""
        self.reading.close()


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints below one folder of the storage root."""

    storage: Storage
    folder: str
    base: Fingerprint | None = None
    """What the model below them must hold; None where that does not matter."""

    def path(self, step: int) -> str:
        """Where the checkpoint of a step lies."""
        return layout.checkpoint(self.folder, step)

    def steps(self) -> list[int]:
        """List the steps with a whole checkpoint, ascending."""
        return [step for step in self._named() if self.storage.is_committed(self.path(step))]

    def _named(self) -> list[int]:
        """List the steps that have a folder, ascending, whether or not it has a manifest."""
        steps = [layout.checkpoint_step(name) for name in self.storage.list(self.folder)]
        return [step for step in steps if step is not None]

    def save(
        self,
        state: State,
        model: nn.Module,
        optimizer: Mapping[str, Tensor],
        keep: int,
        keep_validated: int = 0,
    ) -> None:
        """Write a checkpoint, then drop those that nothing asks for.

        Args:
            state: where the run stands.
            model: holds what was trained.
            optimizer: its moments.
            keep: so many of the latest stay, beside the best one.
            keep_validated: and those of so many latest validations.
        """
        meta = asdict(state)
        if self.base:
            meta["base"] = self.base.model_dump(mode="json")
        with self.storage.commit(self.path(state.step), meta) as folder:
            parameters = {n: p.detach().contiguous() for n, p in trainable(model).items()}
            save_file(parameters, folder / PARAMETERS)
            save_file(dict(optimizer), folder / OPTIMIZER)
        # Later ones are there when they were damaged: they must not push out what is good.
        behind = [step for step in self.steps() if step <= state.step]
        kept = {state.best_step, *behind[-keep:], *state.validated(keep_validated)}
        for step in behind:
            if step not in kept:
                self.storage.delete(self.path(step))

    def load(self, step: int) -> Loaded:
        """One checkpoint.

        Raises:
            StorageError: it is missing, lacks a file or fails its manifest.
            ModelError: it belongs to another base.
        """
        needed = [PARAMETERS, OPTIMIZER]
        with ExitStack() as reading:
            folder = reading.enter_context(self.storage.reading(self.path(step), only=needed))
            return Loaded(self._state(step), folder, reading.pop_all())

    def parameters(self, step: int) -> dict[str, Tensor]:
        """What was trained, of one checkpoint whose optimizer is not looked at.

        Raises:
            StorageError: it is missing or fails its manifest.
        """
        with self.storage.reading(self.path(step), only=[PARAMETERS]) as folder:
            return load_file(folder / PARAMETERS)

    def _state(self, step: int) -> State:
        path = self.path(step)
        place = self.storage.locate(path)
        try:
            meta = dict(self.storage.manifest(path)["meta"])
            base = meta.pop("base", None)
            state = State.of(meta)
            trained_on = None if base is None else Fingerprint.model_validate(base)
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(f"{place}: its manifest is not a checkpoint's: {error!r}") from error
        if state.step != step:
            raise StorageError(f"{place}: holds the checkpoint of step {state.step}")
        self._check_base(place, trained_on)
        return state

    def _check_base(self, place: str, trained_on: Fingerprint | None) -> None:
        if self.base is None:
            return
        if trained_on is None:
            raise StorageError(f"{place}: does not say what base it belongs to")
        if changes := self.base.changes_since(trained_on):
            raise ModelError(
                f"{place}: the base has changed since this checkpoint was written: {changes}. Put "
                "the old files back, or train on the new ones under another run=NAME"
            )

    def load_last(self) -> Loaded | None:
        """The latest checkpoint that passes its manifest; None when there is none.

        One that is damaged, or has lost its manifest, is named in the log and left alone, and the
        one before it is taken.

        Raises:
            ModelError: it belongs to another base.
        """
        for step in reversed(self._named()):
            try:
                return self.load(step)
            except StorageError as error:
                log.warning("checkpoint of step %d left out: %s", step, error)
        return None

    def last_state(self) -> State | None:
        """Where the latest checkpoint stands, by its manifest alone; None when there is none."""
        for step in reversed(self.steps()):
            with suppress(StorageError):  # named when it is loaded
                return self._state(step)
        return None
