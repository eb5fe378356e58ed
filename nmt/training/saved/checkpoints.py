"""Checkpoints of a run: written completely or not at all, and verified when they are read."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nmt.errors import ModelError, StorageError
from nmt.models.adapters import trainable
from nmt.models.sources.fingerprint import Fingerprint
from nmt.runs import layout
from nmt.storage import Storage
from nmt.training.saved.hypotheses import write_hypotheses
from nmt.training.saved.state import State

log = logging.getLogger(__name__)

OPTIMIZER, PARAMETERS = "optimizer.safetensors", "parameters.safetensors"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified checkpoint, which stays available until it is closed."""

    # On an object store the folder is a large temporary copy, so it must be closed soon.

    state: State
    folder: Path
    reading: ExitStack

    def parameters(self) -> dict[str, Tensor]:
        """Read the trained weights, by the model's own parameter names."""
        return load_file(self.folder / PARAMETERS)

    def optimizer(self) -> dict[str, Tensor]:
        """Read the optimizer's moments."""
        return load_file(self.folder / OPTIMIZER)

    def close(self) -> None:
        """Give up the folder."""
        self.reading.close()


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints in one folder of the storage root."""

    storage: Storage
    folder: str
    base: Fingerprint | None = None
    """Fingerprint of the model that they were trained on; None where it does not matter."""

    def path(self, step: int) -> str:
        """Return the path of a step's checkpoint."""
        return layout.checkpoint(self.folder, step)

    def steps(self) -> list[int]:
        """List the steps with a committed checkpoint, ascending."""
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
        hypotheses: Sequence[str] = (),
        start_at_step: int | None = None,
    ) -> None:
        """Write a checkpoint, then delete those that are no longer needed.

        Args:
            state: of the run.
            model: contains the trained weights.
            optimizer: its moments.
            keep: number of the latest checkpoints to keep, in addition to the best one.
            keep_validated: number of the latest validations whose checkpoints are kept too.
            hypotheses: translations of the validation pairs; empty where it was not validated.
            start_at_step: where a copied trial begins; its best checkpoint after that is kept too.
        """
        meta = state.meta()
        if self.base:
            meta["base"] = self.base.model_dump(mode="json")
        with self.storage.commit(self.path(state.step), meta) as folder:
            parameters = {n: p.detach().contiguous() for n, p in trainable(model).items()}
            save_file(parameters, folder / PARAMETERS)
            save_file(dict(optimizer), folder / OPTIMIZER)
            if hypotheses:
                write_hypotheses(folder, hypotheses)
        # Later checkpoints exist when they are damaged. They must not push out intact ones.
        earlier = [step for step in self.steps() if step <= state.step]
        kept = {state.best_step, *earlier[-keep:], *state.validated(keep_validated)}
        if start_at_step is not None:
            # A search compares the trial by its own validations.
            kept.add(state.best_step_after(start_at_step))
        for step in earlier:
            if step not in kept:
                self.storage.delete(self.path(step))

    def load(self, step: int) -> Loaded:
        """Verify a step's checkpoint and open it.

        Raises:
            StorageError: it is missing, lacks a file or does not match its manifest.
            ModelError: it belongs to another base.
        """
        needed = [PARAMETERS, OPTIMIZER]
        with ExitStack() as reading:
            folder = reading.enter_context(self.storage.reading(self.path(step), only=needed))
            return Loaded(self._state(step), folder, reading.pop_all())

    def parameters(self, step: int) -> dict[str, Tensor]:
        """Read the trained weights of a step's checkpoint, without its optimizer.

        Raises:
            StorageError: it is missing or does not match its manifest.
        """
        # On an object store this leaves out most of the download.
        with self.storage.reading(self.path(step), only=[PARAMETERS]) as folder:
            return load_file(folder / PARAMETERS)

    def _state(self, step: int) -> State:
        """Read the state from a checkpoint's manifest, and check that it belongs to the base."""
        path = self.path(step)
        place = self.storage.locate(path)
        try:
            meta = dict(self.storage.manifest(path)["meta"])
            base = meta.pop("base", None)
            state = State.of(meta)
            trained_on = None if base is None else Fingerprint.model_validate(base)
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(f"{place}: its manifest is not a checkpoint's: {error!r}") from error
        # Somebody may have copied or renamed the folder.
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
        """Open the latest intact checkpoint, and name damaged ones after it in the log.

        Returns:
            None where there is no intact one.

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
        """Read the state of the latest checkpoint, by its manifest alone; None without one."""
        for step in reversed(self.steps()):
            with suppress(StorageError):  # `load_last` will name it
                return self._state(step)
        return None
