"""Scores of the validation split, decoded by all workers together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn

from nmt.decoding.generate import translate
from nmt.metrics import corpus_bleu, corpus_score
from nmt.models.adapters import load_weights
from nmt.text.pair import Pair
from nmt.training.events import never
from nmt.training.loading import LoadedTraining
from nmt.training.strategies import Strategy


class _Stopped(Exception):
    """A stop request that arrived during a worker's part."""


@dataclass(frozen=True, slots=True)
class Validated:
    """What a validation found."""

    bleu: float
    """0-100."""
    score: float
    """In the metric of the training."""
    hypotheses: tuple[str, ...]
    """One for each pair."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What validations of a training translate, and by what they are scored."""

    metric: str = "bleu"
    """A value of `training.validation_metric`."""
    sentences: int | None = None
    """Number of pairs, from the first one on; None: all that were loaded."""

    def of(self, hypotheses: tuple[str, ...], pairs: list[Pair], language: str) -> Validated:
        """Score translations of the first pairs."""
        references = [pair.target for pair in pairs[: len(hypotheses)]]
        bleu = corpus_bleu(hypotheses, references, language)
        score = bleu
        if self.metric != "bleu":
            score = corpus_score(self.metric, hypotheses, references, language)
        return Validated(bleu, score, hypotheses)


def validate(
    material: LoadedTraining,
    strategy: Strategy,
    measure: Measure,
    weights: dict[str, Tensor] | None = None,
    stop_wanted: Callable[[], bool] = never,
) -> Validated | None:
    """Translate and score the validation pairs; return None where a worker had to stop.

    Args:
        material: the model and the pairs.
        strategy: its workers share the pairs.
        measure: how many pairs, and the metric.
        weights: trained weights to load into the model first.
        stop_wanted: called by each worker between two batches.

    Raises:
        DataError: the metric cannot be computed for the target language.
    """
    pairs = material.validation[: measure.sentences]
    sources = [pair.source for pair in pairs[strategy.rank :: strategy.workers]]
    with strategy.gathered_weights():
        if weights:
            load_weights(material.model, weights)
        hypotheses = _translate(material, sources, stop_wanted)
    gathered = strategy.gather(hypotheses)
    if any(part is None for part in gathered):
        return None
    ordered = (gathered[i % strategy.workers][i // strategy.workers] for i in range(len(pairs)))
    return measure.of(tuple(ordered), pairs, material.codec.target_language)


def validate_base(
    material: LoadedTraining,
    strategy: Strategy,
    measure: Measure,
    stop_wanted: Callable[[], bool] = never,
) -> Validated | None:
    """Validate a model that no checkpoint was loaded into, before the strategy takes it over.

    Returns:
        What was found, or None where a worker received a stop request.
    """
    with _restored_buffers(material.model):
        return validate(material, strategy, measure, stop_wanted=stop_wanted)


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
