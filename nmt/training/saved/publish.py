"""The weights that a training publishes: of its best validation, or the mean of its last ones."""

import logging
from dataclasses import dataclass, replace

from nmt.errors import CheckpointError, StorageError, WorseThanBaseError
from nmt.models.adapters import load_weights, save_weights
from nmt.runs import layout
from nmt.runs.records import is_intact
from nmt.training.loading import LoadedTraining, TrainingJob
from nmt.training.saved.averaging import Candidate, mean_parameters
from nmt.training.saved.checkpoints import Checkpoints
from nmt.training.saved.state import State
from nmt.training.strategies import Strategy
from nmt.training.validation import validation_bleu

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Leaves the best weights as a folder that other tools can load."""

    job: TrainingJob
    material: LoadedTraining
    strategy: Strategy
    checkpoints: Checkpoints

    def publish(self, state: State) -> None:
        """Once: whole weights that are there already stay.

        Raises:
            CheckpointError: no validation took place, or no checkpoint is whole.
            WorseThanBaseError: they are worse than the base, and that is not allowed.
        """
        path = layout.published_weights(self.job.folder)
        is_first = self.strategy.rank == 0
        # Rank 0 alone looks and writes: the others must not see its new folder halfway.
        if self.strategy.gather(is_first and is_intact(self.job.storage, path))[0]:
            return
        if state.best_step is None:
            raise CheckpointError(f"{self.job.name}: no validation took place")
        mean = self._mean_of_last(state)
        best = self._better(state, mean) if is_first else None
        self._compare_with_base(state, best)
        with self.strategy.gathered_weights():
            if best:
                self._write(path, best)
                log.info(
                    "%s: published the %s, validation BLEU %.2f",
                    self.job.name, best.describe(), best.bleu,
                )  # fmt: skip

    def _better(self, state: State, mean: Candidate | None) -> Candidate:
        """Choose between the best checkpoint and the mean of the last ones."""
        single = self._best_checkpoint(state)
        return mean if mean and mean.bleu > single.bleu else single

    def _compare_with_base(self, state: State, best: Candidate | None) -> None:
        """Refuse weights that are worse than the base, on every worker alike.

        Raises:
            WorseThanBaseError: they are, and `training.allow_worse_than_base` is false.
        """
        # Rank 0 alone has read the checkpoint that it chose.
        found = self.strategy.gather(_shortfall(state, best) if best else None)[0]
        if found is None:
            return
        training, name = self.job.config.training, self.job.name
        if not training.allow_worse_than_base:
            raise WorseThanBaseError(
                f"{name}: nothing is published: {found}: lower training.learning_rate "
                f"({training.learning_rate:g} now), or train with more data or for more steps, "
                "under another run=NAME, or here with --restart, which discards these checkpoints; "
                "training.allow_worse_than_base=true publishes these weights all the same"
            )
        if self.strategy.rank == 0:
            log.warning("%s: worse than the base, and published as you allow: %s", name, found)

    def _write(self, path: str, best: Candidate) -> None:
        load_weights(self.material.model, best.parameters)
        with self.job.storage.commit(path, best.meta()) as folder:
            save_weights(self.material.model, folder)
            self.material.codec.save(folder)

    def _mean_of_last(self, state: State) -> Candidate | None:
        """None where no mean was asked for, or there are no two whole checkpoints.

        Those of validations alone: where others lie depends on what has interrupted the run.
        """
        wanted = self.job.config.training.average_checkpoints
        if wanted == 1:
            return None
        # Rank 0 writes checkpoints: it alone knows that the last one is there already.
        whole = self.strategy.gather(self.checkpoints.steps())[0]
        steps = [step for step in state.validated(wanted) if step in whole]
        if len(steps) < 2:
            return None
        parameters = None
        try:
            parameters = mean_parameters(self.checkpoints, steps)
        except StorageError as error:
            log.warning("%s: no mean of checkpoints: %s", self.job.name, error)
        readers = self.strategy.gather(parameters is not None)
        if parameters is None or not all(readers):
            return None
        bleu = validation_bleu(self.material, self.strategy, parameters)
        return None if bleu is None else Candidate(parameters, bleu, steps)

    def _best_checkpoint(self, state: State) -> Candidate:
        """Of the best validation; of the next best one where that is damaged, and named.

        Raises:
            CheckpointError: none is whole.
        """
        for entry in sorted(state.curve, key=lambda entry: -entry["bleu"]):
            step = int(entry["step"])
            holder = self._holder_of(step)
            if step != state.best_step and not self.job.storage.is_committed(holder.path(step)):
                continue  # dropped long ago
            try:
                return Candidate(holder.parameters(step), entry["bleu"], [step])
            except StorageError as error:
                log.warning("%s: best checkpoint left out: %s", self.job.name, error)
        raise CheckpointError(
            f"{self.job.name}: no checkpoint with a validation is whole below "
            f"{self.job.storage.locate(self.checkpoints.folder)}: add --restart to train anew"
        )

    def _holder_of(self, step: int) -> Checkpoints:
        is_own = self.job.storage.is_committed(self.checkpoints.path(step))
        if is_own or not self.job.start_from:
            return self.checkpoints
        return replace(self.checkpoints, folder=self.job.start_from)


def _shortfall(state: State, best: Candidate) -> str | None:
    """Say by how much weights are worse than the base; None where they are not."""
    if state.base_bleu is None or best.bleu >= state.base_bleu:
        return None
    digits = 2 if round(best.bleu, 2) < round(state.base_bleu, 2) else 6
    return (
        f"the best validation BLEU is {best.bleu:.{digits}f} ({best.describe()}), below the "
        f"{state.base_bleu:.{digits}f} of the base"
    )
