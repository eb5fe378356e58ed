"""The weights that a training publishes: its best checkpoint, or the mean of its last ones."""

import logging
from dataclasses import dataclass, replace

from nmt.errors import CheckpointError, StorageError, WorseThanBaseError
from nmt.models.adapters import load_weights, save_weights
from nmt.runs import layout
from nmt.runs.evaluation import METRIC_NAMES
from nmt.runs.records import is_intact
from nmt.runs.validation_scores import gain_of, score_of
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining
from nmt.training.saved.averaging import Candidate, mean_parameters
from nmt.training.saved.checkpoints import Checkpoints
from nmt.training.saved.state import State
from nmt.training.strategies import Strategy
from nmt.training.validation import Measure, validate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Publisher:
    """The writer of the best weights, in a folder that other tools can load."""

    job: TrainingJob
    material: LoadedTraining
    strategy: Strategy
    checkpoints: Checkpoints

    def publish(self, state: State) -> None:
        """Write the best weights; do nothing if an intact copy exists.

        Raises:
            CheckpointError: no validation took place, or no checkpoint is intact.
            WorseThanBaseError: they are worse than the base, and that is not allowed.
        """
        path = layout.published_weights(self.job.folder)
        is_first = self.strategy.rank == 0
        # Rank 0 alone looks and writes: the others must not see its folder while it is incomplete.
        if self.strategy.gather(is_first and is_intact(self.job.storage, path))[0]:
            return
        if state.best_step is None:
            raise CheckpointError(f"{self.job.name}: no validation took place")
        mean = self._mean_of_last(state)
        best = self._best_checkpoint(state) if is_first else None
        if best and mean and mean.gain > best.gain:
            best = mean
        self._compare_with_base(state, best)
        with self.strategy.gathered_weights():
            if best:
                self._write(path, best)
                log.info(
                    "%s: published the %s, validation %s %.2f",
                    self.job.name, best.describe(), METRIC_NAMES[best.metric], best.score,
                )  # fmt: skip

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
            log.warning("%s: worse than the base, and published as you allowed: %s", name, found)

    def _write(self, path: str, best: Candidate) -> None:
        """Write the weights and their tokenizer as a folder commit."""
        load_weights(self.material.model, best.parameters)
        with self.job.storage.commit(path, best.meta()) as folder:
            save_weights(self.material.model, folder)
            self.material.codec.save(folder)

    def _mean_of_last(self, state: State) -> Candidate | None:
        """Average the last validated checkpoints; None where there is no mean."""
        # Checkpoints without a validation do not count: where a run has them depends on its
        # interruptions.
        wanted = self.job.config.training.average_checkpoints
        if wanted == 1:
            return None
        # Rank 0 writes checkpoints: it alone knows that the last one exists already.
        intact = self.strategy.gather(self.checkpoints.steps())[0]
        steps = [step for step in state.validated(wanted) if step in intact]
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
        measure = Measure(state.metric, state.validation_sentences)
        found = validate(self.material, self.strategy, measure, parameters)
        if found is None:
            return None
        return Candidate(parameters, found.bleu, steps, found.score, state.metric)

    def _best_checkpoint(self, state: State) -> Candidate:
        """Read the checkpoint of the best validation, or of the next best one if it is damaged.

        Raises:
            CheckpointError: none is intact.
        """
        for entry in sorted(state.curve, key=lambda entry: -state.gain_of(entry)):
            step = int(entry["step"])
            checkpoints = self._folder_with(step)
            if step != state.best_step and not self.job.storage.is_committed(
                checkpoints.path(step)
            ):
                continue  # deleted long ago, as planned
            try:
                parameters = checkpoints.parameters(step)
                return Candidate(parameters, entry["bleu"], [step], score_of(entry), state.metric)
            except StorageError as error:
                log.warning("%s: best checkpoint left out: %s", self.job.name, error)
        raise CheckpointError(
            f"{self.job.name}: no checkpoint with a validation is intact below "
            f"{self.job.storage.locate(self.checkpoints.folder)}: add --restart to train anew"
        )

    def _folder_with(self, step: int) -> Checkpoints:
        """Return the checkpoints that contain a step: the run's own, or those it started from."""
        is_own = self.job.storage.is_committed(self.checkpoints.path(step))
        if is_own or not self.job.start_from:
            return self.checkpoints
        return replace(self.checkpoints, folder=self.job.start_from)


def _shortfall(state: State, best: Candidate) -> str | None:
    """Say by how much weights are worse than the base; None where they are not."""
    base = state.base_score
    if base is None or best.gain >= gain_of(best.metric, base):
        return None
    digits = 2 if round(best.score, 2) != round(base, 2) else 6
    return (
        f"the best validation {METRIC_NAMES[best.metric]} is {best.score:.{digits}f} "
        f"({best.describe()}), worse than the {base:.{digits}f} of the base"
    )
