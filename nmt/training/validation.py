"""BLEU of the validation split, decoded by all workers together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from nmt.decoding.generate import translate
from nmt.metrics import corpus_bleu
from nmt.models.adapters import load_weights
from nmt.training.events import never
from nmt.training.loading import LoadedTraining
from nmt.training.strategies import Strategy


class _Stopped(Exception):
    """A stop request that arrived during a worker's part."""


def validation_bleu(
    material: LoadedTraining,
    strategy: Strategy,
    weights: dict[str, Tensor] | None = None,
    stop_wanted: Callable[[], bool] = never,
) -> float | None:
    """Measure BLEU, 0-100; return None where a worker received a stop request.

    Args:
        material: the model and the pairs.
        strategy: its workers share the pairs.
        weights: trained weights to load into the model first.
        stop_wanted: called by each worker between two batches.
    """
    pairs = material.validation
    sources = [pair.source for pair in pairs[strategy.rank :: strategy.workers]]
    with strategy.gathered_weights():
        if weights:
            load_weights(material.model, weights)
        hypotheses = _translate(material, sources, stop_wanted)
    gathered = strategy.gather(hypotheses)
    if any(part is None for part in gathered):
        return None
    ordered = [gathered[i % strategy.workers][i // strategy.workers] for i in range(len(pairs))]
    references = [pair.target for pair in pairs]
    return corpus_bleu(ordered, references, material.codec.target_language)


def base_validation_bleu(
    material: LoadedTraining, strategy: Strategy, stop_wanted: Callable[[], bool] = never
) -> float | None:
    """Validate a model that no checkpoint was loaded into, before the strategy takes it over.

    Returns:
        BLEU, 0-100, or None where a worker received a stop request.
    """
    with _restored_buffers(material.model):
        return validation_bleu(material, strategy, stop_wanted=stop_wanted)


@contextmanager
def _restored_buffers(model: nn.Module) -> Iterator[None]:
    """Restore the model's buffers at the end."""
    # A long hypothesis extends a table of positions on its own worker, and a strategy begins by
    # comparing the workers' buffers.
    kept = [(module, dict(module.named_buffers(recurse=False))) for module in model.modules()]
    yield
    for module, buffers in kept:
        for name, buffer in buffers.items():
            setattr(module, name, buffer)


def _translate(
    material: LoadedTraining, sources: list[str], stop_wanted: Callable[[], bool]
) -> list[str] | None:
    """Translate this worker's sources; return None after a stop request."""

    def check_stop() -> None:
        if stop_wanted():
            raise _Stopped

    try:
        return translate(material.model, material.codec, sources, after_batch=check_stop)
    except _Stopped:
        return None
