"""The checkpoint that all workers of a training resume from."""

from dataclasses import replace

from nmt.errors import ModelError
from nmt.training.saved.checkpoints import Checkpoints, Loaded
from nmt.training.strategies import Strategy


def find_checkpoint(own: Checkpoints, start_from: str | None, strategy: Strategy) -> Loaded | None:
    """Open the checkpoint that rank 0 finds: the training's own, else one of `start_from`.

    Args:
        own: the training's checkpoints.
        start_from: folder of the checkpoints to start from where there is none of its own.
        strategy: every worker of it calls this.

    Raises:
        StorageError: this worker cannot read what rank 0 has found.
        ModelError: the latest checkpoint belongs to another base.
    """
    sources, place, found, error = [own], None, None, None
    if start_from:
        sources.append(replace(own, folder=start_from))
    try:
        for number, source in enumerate(sources if strategy.rank == 0 else []):
            if found := source.load_last():
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
    return sources[number].load(step)
