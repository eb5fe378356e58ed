"""Greedy and beam search over many sentences, in batches of similar length."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList
from transformers.generation.utils import GenerateOutput

from nmt.decoding.length import output_limit
from nmt.errors import InsufficientMemoryError
from nmt.models.families import device_of, max_positions
from nmt.models.out_of_memory import DoesNotFitError, attempt
from nmt.models.tokenization.codec import Codec
from nmt.text.packing import batches_by_length

log = logging.getLogger(__name__)

_MAX_SOURCE_TOKENS = 1024
"""Upper limit of `model.max_source_tokens`."""


def nothing() -> None:
    """Do nothing after a batch."""


def translate(
    model: torch.nn.Module,
    codec: Codec,
    sentences: Sequence[str],
    *,
    beam_size: int = 1,
    batch_tokens: int = 8192,
    after_batch: Callable[[], None] = nothing,
) -> list[str]:
    """Translate sentences into the codec's target language, in their order.

    Args:
        model: the model, whose mode is restored at the end.
        codec: the model's tokenization.
        sentences: the sources; one that is too long for the model is cut.
        beam_size: number of beams; 1 is greedy search.
        batch_tokens: padded source tokens of a batch.
        after_batch: called after each batch; an exception that it raises ends the translation.

    Raises:
        InsufficientMemoryError: the memory does not suffice for a single sentence.
    """
    was_training = model.training
    model.eval()
    encoded = codec.encode_sources(sentences, _max_source_tokens(model, codec))
    hypotheses = [""] * len(sentences)
    try:
        pending = batches_by_length([len(ids) for ids in encoded], batch_tokens)
        while pending:
            rows = pending.pop(0)
            sources = [encoded[row] for row in rows]
            try:
                generated = attempt(partial(search, model, codec, sources, beam_size), len(rows))
            except DoesNotFitError as error:
                # The batches after it have as many tokens, so they would not fit either.
                pending = _halved([rows, *pending], error.rows, beam_size)
                continue
            for row, text in zip(rows, generated.decode(codec), strict=True):
                hypotheses[row] = text
            after_batch()
    finally:
        model.train(was_training)
    return hypotheses


def _max_source_tokens(model: torch.nn.Module, codec: Codec) -> int:
    positions = max_positions(model)
    if not positions:
        return _MAX_SOURCE_TOKENS
    # A decoder-only model continues its source: half of the positions are for the translation.
    return min(_MAX_SOURCE_TOKENS, positions // 2 if codec.one_sequence else positions)


@dataclass(frozen=True, slots=True)
class Generated:
    """The hypotheses of a batch, those of one row after those of the row before it."""

    sequences_HT: Tensor
    """Tokens as `generate` returns them."""
    source_width: int
    """Padded width of the sources."""
    new_tokens_HT: Tensor
    """Tokens without the start token or the source."""
    log_probabilities: list[float]
    """Natural logarithm of each hypothesis's probability; 0 unless it was asked for."""
    limits: list[int]
    """Maximum number of new tokens of each hypothesis."""

    def decode(self, codec: Codec) -> list[str]:
        """Decode the hypotheses."""
        return codec.decode(self.sequences_HT, self.source_width)


@torch.inference_mode()
def search(
    model: torch.nn.Module,
    codec: Codec,
    sources: Sequence[Sequence[int]],
    beam_size: int,
    *,
    count: int = 1,
    scored: bool = False,
) -> Generated:
    """Search the translations of one batch of encoded sources, each row as if it were alone.

    The model must be in evaluation mode.

    Args:
        model: the model.
        codec: the model's tokenization.
        sources: the encoded sources.
        beam_size: number of beams; 1 is greedy search.
        count: number of hypotheses of each row, at most the beam size.
        scored: whether to compute their probabilities.
    """
    batch = codec.pad(sources).to(device_of(model))
    width = batch["input_ids"].shape[1]
    limits = _output_limits(sources, max_positions(model), codec.one_sequence)
    # `max_new_tokens` is one limit for the batch: with it alone, a short source next to a long one
    # could get a longer translation than by itself.
    own_limits = _OwnLimits(torch.tensor(limits, device=batch["input_ids"].device))
    output = model.generate(  # pyright: ignore[reportCallIssue]
        **batch,
        **codec.generation_options(),
        num_beams=beam_size,
        num_return_sequences=count,
        do_sample=False,
        max_new_tokens=max(limits),
        stopping_criteria=StoppingCriteriaList([own_limits]),
        return_dict_in_generate=True,
        output_scores=scored,
    )
    # An encoder-decoder begins with a start token, a decoder-only model repeats its source.
    new_tokens_HT = output.sequences[:, width if codec.one_sequence else 1 :]
    log_probabilities = [0.0] * len(new_tokens_HT)
    if scored:
        log_probabilities = _log_probabilities(model, output, new_tokens_HT, codec.pad_token)
    limits = [limit for limit in limits for _ in range(count)]
    return Generated(output.sequences, width, new_tokens_HT, log_probabilities, limits)


def _log_probabilities(
    model: torch.nn.Module, output: GenerateOutput, new_tokens_HT: Tensor, pad_token: int
) -> list[float]:
    """Add up the log-probabilities of the tokens of each hypothesis."""
    beams: Tensor | None = getattr(output, "beam_indices", None)
    scores_HT: Tensor = model.compute_transition_scores(  # pyright: ignore[reportCallIssue]
        output.sequences, output.scores, beams, normalize_logits=beams is None
    )
    # After the end of a hypothesis there are scores of padding.
    scores_HT = scores_HT[:, : new_tokens_HT.shape[1]]
    is_padding_HT = new_tokens_HT[:, : scores_HT.shape[1]] == pad_token
    return scores_HT.masked_fill(is_padding_HT, 0.0).sum(dim=1).tolist()


class _OwnLimits(StoppingCriteria):
    """A length limit for each row and its beams."""

    def __init__(self, limits_B: Tensor) -> None:
        self._limits_B = limits_B
        self._tokens = 0

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input_ids: Tensor, scores: object, **kwargs: object
    ) -> Tensor:
        """Tell which candidates have reached their limit; called once for each new token."""
        del scores, kwargs
        self._tokens += 1
        # With beams, `generate` passes several candidates for each row.
        candidates = len(input_ids) // len(self._limits_B)
        return (self._limits_B <= self._tokens).repeat_interleave(candidates)


def _output_limits(
    sources: Sequence[Sequence[int]], positions: int | None, one_sequence: bool
) -> list[int]:
    limits = [output_limit(len(source)) for source in sources]
    if positions is None:
        return limits
    left = [positions - len(source) if one_sequence else positions for source in sources]
    # `generate` needs a limit of at least 1, also for a source that fills all positions.
    return [max(1, min(pair)) for pair in zip(limits, left, strict=True)]


def _halved(batches: list[list[int]], rows: int, beam_size: int) -> list[list[int]]:
    if rows == 1:
        smaller = "take a smaller beam, or leave out" if beam_size > 1 else "leave out"
        raise InsufficientMemoryError(
            f"the memory does not suffice to translate a single sentence: {smaller} the longest "
            "sentences"
        )
    log.warning("translating %d sentences at once does not fit into the memory: halved", rows)
    # Every other row, since rows are sorted by length: both halves then need the same memory.
    halves = (list(half) for batch in batches for half in (batch[::2], batch[1::2]))
    return [half for half in halves if half]
