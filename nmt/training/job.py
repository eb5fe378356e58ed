"""The description of a training that its workers receive."""

from dataclasses import dataclass

from nmt.config import Config
from nmt.models.sources.source import ModelSource
from nmt.storage import Storage


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A training as its workers receive it; picklable, without a model."""

    config: Config
    """`adapter`, `training`, `strategy`, `tracking`, `run`, `seed`, the languages and the model's
    token limits are read."""
    storage: Storage
    folder: str
    """Where checkpoints and the best weights go."""
    base: ModelSource
    """The model to start from."""
    data: str
    """Folder commit of the prepared data."""
    name: str = "train"
    """In front of each line of progress."""
    train_split: str = "train"
    validation_split: str = "validation"
    replay_split: str | None = "general_train"
    stop_at_step: int | None = None
    """End here, as if interrupted; the schedule still aims at `training.max_steps`."""
    pauses_every_steps: int | None = None
    """A training that goes on again and again, with another `stop_at_step` each time, is validated
    at the multiples of this too."""
    start_from: str | None = None
    """Folder of checkpoints to go on from when this one has none yet."""
    start_at_step: int | None = None
    """Go on from this step of `start_from`, and leave its earlier validations out. Where its
    checkpoint is gone, the training begins at step 0, which takes longer and ends the same."""
    compares_with_base: bool = False
    """Validate the base too, and publish nothing that is worse."""
    keeps_base: bool = False
    """Keep the base in this process for later trainings, which then start sooner."""
    shared_validation: str | None = None
    """File that fixes the number of validation pairs for several trainings, the first of which
    chooses it; None where the training chooses for itself."""

    @property
    def whole_steps(self) -> int:
        """Return the last step of the training, over all its parts."""
        most = self.config.training.max_steps
        if self.pauses_every_steps is not None:
            return min(most, self.config.tune.max_steps)
        return min(most, self.stop_at_step or most)
