"""The checkpoint that all workers of a training resume from."""

import logging
from dataclasses import replace

from nmt.errors import ModelError, StorageError
from nmt.training.saved.checkpoints import Checkpoints, Loaded
from nmt.training.strategies import Strategy

log = logging.getLogger(__name__)


def find_checkpoint(
    own: Checkpoints, start_from: str | None, strategy: Strategy, start_at_step: int | None = None
) -> Loaded | None:
    """Open the checkpoint that rank 0 finds: the training's own, else one of `start_from`.

    Args:
        own: the training's checkpoints.
        start_from: folder of the checkpoints to start from where there is none of its own.
        strategy: every worker of it calls this.
        start_at_step: the step of `start_from`; None: its last one.

    Returns:
        None where there is none. At `start_at_step`, it has one validation, that of this step.

    Raises:
        StorageError: this worker cannot read what rank 0 has found.
        ModelError: the latest checkpoint belongs to another base.
    """
    sources, place, found, error = [own], None, None, None
    if start_from:
        sources.append(replace(own, folder=start_from))
    try:
        for number, source in enumerate(sources if strategy.rank == 0 else []):
            if start_at_step is None or source is own:
                found = source.load_last()
            else:
                found = _branch(source, start_at_step)
            if found:
                place = (number, found.state.step)
                break
    except ModelError as refusal:
        error = refusal  # raised below, after the other workers have received it too
    place, error = strategy.gather((place, error))[0]
    if error:
        raise error
    if place is None or strategy.rank == 0:
        return found
    # A worker that cannot read this step fails. From another step it would train on other data.
    number, step = place
    loaded = sources[number].load(step)
    return loaded if number == 0 or start_at_step is None else _with_last_validation(loaded)


def _branch(source: Checkpoints, step: int) -> Loaded | None:
    """Open the checkpoint at which a trial branches off another; None where it is gone."""
    try:
        return _with_last_validation(source.load(step))
    except StorageError as error:
        log.warning(
            "begins at step 0, since the trial it goes on from has no step %d: %s", step, error
        )
        return None


def _with_last_validation(loaded: Loaded) -> Loaded:
    # The checkpoints of the others are in another folder, where they are deleted in time.
    return replace(loaded, state=replace(loaded.state, curve=loaded.state.curve[-1:]))
