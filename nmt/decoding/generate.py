"""Translation of many sentences with a model, in batches of similar length."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch

from nmt.decoding.ranking import best_hypotheses
from nmt.decoding.search import search
from nmt.decoding.settings import SearchSettings
from nmt.errors import InsufficientMemoryError
from nmt.models.families import max_positions
from nmt.models.out_of_memory import DoesNotFitError, attempt
from nmt.models.tokenization.codec import Codec
from nmt.text.normalise import normalise
from nmt.text.packing import batches_by_length

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Sources = Sequence[Sequence[int]]
"""Token ids of several sources."""

_MAX_SOURCE_TOKENS = 1024
"""Upper limit of `model.max_source_tokens`."""
_TAG_TOKENS = 32
"""More than any codec puts around a sentence."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The translation of a sentence."""

    text: str
    confidence: float | None
    """Mean log-probability of its tokens with the end token; None if the source has no text."""


def ignore(count: int) -> None:
    """Do nothing after a batch."""
    del count


def translate(
    model: torch.nn.Module,
    codec: Codec,
    sentences: Sequence[str],
    *,
    beam_size: int = 1,
    batch_tokens: int = 8192,
    after_batch: Callable[[], None] | None = None,
) -> list[str]:
    """Translate sentences into the codec's target language, in their order.

    Args:
        model: the model, whose mode is restored at the end.
        codec: the model's tokenization.
        sentences: the sources; one that is too long for the model is cut. Empty text stays empty.
        beam_size: number of beams; 1 is greedy search.
        batch_tokens: padded source tokens of a batch.
        after_batch: called after each batch; an exception that it raises ends the translation.

    Raises:
        InsufficientMemoryError: the memory does not suffice for a single sentence.
    """
    settings = SearchSettings(beam_size=beam_size)

    def search_texts(sources: Sources) -> list[str]:
        return search(model, codec, sources, settings).decode(codec)

    found = _translate_in_batches(
        model,
        codec,
        sentences,
        search_texts,
        settings,
        batch_tokens,
        lambda count: after_batch() if after_batch else None,
    )
    return [text or "" for text in found]


def translate_scored(
    model: torch.nn.Module,
    codec: Codec,
    sentences: Sequence[str],
    *,
    settings: SearchSettings | None = None,
    batch_tokens: int = 8192,
    after_batch: Callable[[int], None] = ignore,
) -> list[Translation]:
    """Translate sentences, and say how confident the model is of each translation.

    Args:
        model: the model, whose mode is restored at the end.
        codec: the model's tokenization.
        sentences: the sources; one that is too long for the model is cut, which is logged. Empty
            text stays empty.
        settings: of the search; by default greedy.
        batch_tokens: padded source tokens of a batch; sampling divides them by the samples.
        after_batch: called after each batch with the number of its sentences.

    Raises:
        InsufficientMemoryError: the memory does not suffice for a single sentence.
    """
    settings = settings or SearchSettings()
    if settings.method == "mbr":
        # Greedy search with the whole budget has about as many rows.
        batch_tokens = max(1, batch_tokens // settings.mbr_samples)

    def search_best(sources: Sources) -> list[Translation]:
        generated = search(model, codec, sources, settings)
        texts = generated.decode(codec)
        found = best_hypotheses(model, codec, sources, generated, texts, settings, scored=True)
        return [Translation(best.text, best.confidence) for (best,) in found]

    _warn_of_cut_sources(model, codec, sentences)
    found = _translate_in_batches(
        model, codec, sentences, search_best, settings, batch_tokens, after_batch
    )
    return [translation or Translation("", None) for translation in found]


def _translate_in_batches(
    model: torch.nn.Module,
    codec: Codec,
    sentences: Sequence[str],
    work: Callable[[Sources], list[Result]],
    settings: SearchSettings,
    batch_tokens: int,
    after_batch: Callable[[int], None],
) -> list[Result | None]:
    """Translate batches with a function; return None for sentences without text."""
    was_training = model.training
    model.eval()
    # A model that is asked to translate nothing makes something up.
    places = [place for place, sentence in enumerate(sentences) if normalise(sentence)]
    texts = [sentences[place] for place in places]
    encoded = codec.encode_sources(texts, _max_source_tokens(model, codec))
    found: list[Result | None] = [None] * len(sentences)
    try:
        pending = batches_by_length([len(ids) for ids in encoded], batch_tokens)
        while pending:
            rows = pending.pop(0)
            try:
                results = attempt(partial(work, [encoded[row] for row in rows]), len(rows))
            except DoesNotFitError as error:
                # The batches after it have as many tokens, so they would not fit either.
                pending = _halved([rows, *pending], error.rows, settings)
                continue
            for row, result in zip(rows, results, strict=True):
                found[places[row]] = result
            after_batch(len(rows))
    finally:
        model.train(was_training)
    return found


def _max_source_tokens(model: torch.nn.Module, codec: Codec) -> int:
    positions = max_positions(model)
    if not positions:
        return _MAX_SOURCE_TOKENS
    # A decoder-only model continues its source: half of the positions are for the translation.
    return min(_MAX_SOURCE_TOKENS, positions // 2 if codec.one_sequence else positions)


def _warn_of_cut_sources(model: torch.nn.Module, codec: Codec, sentences: Sequence[str]) -> None:
    limit = _max_source_tokens(model, codec)
    # Only these are encoded twice: a character has at most four tokens, one for each byte.
    long = [sentence for sentence in sentences if 4 * len(sentence) > limit - _TAG_TOKENS]
    cut = sum(codec.count_own_tokens(ids) > limit for ids in codec.encode_sources(long))
    if cut:
        log.warning(
            "%d sentences have more than %d tokens: only their first part is translated", cut, limit
        )


def _halved(batches: list[list[int]], rows: int, settings: SearchSettings) -> list[list[int]]:
    if rows == 1:
        smaller = ""
        if settings.method == "mbr":
            smaller = "take fewer samples, or "
        elif settings.beam_size > 1:
            smaller = "take a smaller beam, or "
        raise InsufficientMemoryError(
            "the memory does not suffice to translate a single sentence: "
            f"{smaller}leave out the longest sentences"
        )
    log.warning("translating %d sentences at once does not fit into the memory: halved", rows)
    # Every other row, since rows are sorted by length: both halves then need the same memory.
    halves = (list(half) for batch in batches for half in (batch[::2], batch[1::2]))
    return [half for half in halves if half]
