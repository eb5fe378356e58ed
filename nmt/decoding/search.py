"""The search of translations of one batch: greedy, with beams, or by sampling."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    StoppingCriteria,
    StoppingCriteriaList,
)

from nmt.decoding.length import output_limit
from nmt.decoding.sampling import EpsilonSampling, random_numbers
from nmt.decoding.settings import SearchSettings
from nmt.models.families import device_of, max_positions, unwrap
from nmt.models.tokenization.codec import Codec


@dataclass(frozen=True, slots=True)
class Generated:
    """The hypotheses of a batch, those of one row after those of the row before it."""

    sequences_HT: Tensor
    """Tokens as `generate` returns them."""
    source_width: int
    """Padded width of the sources."""
    tokens: list[list[int]]
    """New tokens of each hypothesis: up to its end token, or to its limit."""
    is_complete: list[bool]
    """Whether the model ended it; False if it ran into its limit."""
    forced_tokens: int
    """Number of first tokens that the model had no choice about: the language code."""

    def decode(self, codec: Codec) -> list[str]:
        """Decode the hypotheses."""
        return codec.decode(self.sequences_HT, self.source_width)


@torch.inference_mode()
def search(
    model: torch.nn.Module,
    codec: Codec,
    sources: Sequence[Sequence[int]],
    settings: SearchSettings,
    *,
    count: int = 1,
) -> Generated:
    """Search the translations of one batch of encoded sources, each row as if it were alone.

    The model must be in evaluation mode.

    Args:
        model: the model.
        codec: the model's tokenization.
        sources: the encoded sources.
        settings: of the search; with the method `mbr`, all samples are returned.
        count: number of hypotheses of each row, at most the beam size.
    """
    batch = codec.pad(sources).to(device_of(model))
    width = batch["input_ids"].shape[1]
    limits = _output_limits(sources, max_positions(model), codec)
    options = codec.generation_options()
    source_width = width if codec.one_sequence else 0
    method = _beam_options(settings, source_width)
    if settings.method == "mbr":
        count = settings.mbr_samples
        numbers = random_numbers(sources, limits, count, settings.seed).to(device_of(model))
        # `generate` then samples among one token, which the random numbers have chosen.
        processors = LogitsProcessorList([EpsilonSampling(numbers)])
        method = {"do_sample": True, "logits_processor": processors}
    # `max_new_tokens` is one limit for the batch: with it alone, a short source next to a long one
    # could get a longer translation than by itself.
    own_limits = _OwnLimits(torch.tensor(limits, device=batch["input_ids"].device))
    sequences_HT = model.generate(  # pyright: ignore[reportCallIssue]
        **batch,
        **options,
        **method,
        num_return_sequences=count,
        max_new_tokens=max(limits),
        stopping_criteria=StoppingCriteriaList([own_limits]),
    )
    # An encoder-decoder begins with a start token, a decoder-only model repeats its source.
    new_tokens: list[list[int]] = sequences_HT[:, width if codec.one_sequence else 1 :].tolist()
    ends = _end_tokens(model, options)
    limits = [limit for limit in limits for _ in range(count)]
    tokens = [_up_to_end(row[:limit], ends) for row, limit in zip(new_tokens, limits, strict=True)]
    return Generated(
        sequences_HT,
        width,
        tokens,
        [row[-1] in ends for row in tokens],
        int("forced_bos_token_id" in options),
    )


def _beam_options(settings: SearchSettings, source_width: int) -> dict[str, Any]:
    """Return the options of `generate` for a greedy or a beam search.

    Args:
        settings: of the search.
        source_width: number of tokens that stand before the new ones in the same sequence.
    """
    options: dict[str, Any] = {"do_sample": False, "num_beams": settings.beam_size}
    # Greedy search would warn of a penalty.
    if settings.beam_size > 1:
        options["length_penalty"] = settings.length_penalty
    if settings.no_repeat_ngram_size:
        repetitions = _NoRepetitions(settings.no_repeat_ngram_size, source_width)
        options["logits_processor"] = LogitsProcessorList([repetitions])
    return options


class _NoRepetitions(NoRepeatNGramLogitsProcessor):
    """A ban on word pieces that are already in the translation."""

    # The option of `generate` would also ban the names that a decoder-only model has in its source.
    def __init__(self, size: int, source_width: int) -> None:
        super().__init__(size)
        self._source_width = source_width

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Give the tokens that would repeat a word piece no probability."""
        new_tokens: Any = input_ids[:, self._source_width :]
        return super().__call__(new_tokens, cast(Any, scores))


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
    sources: Sequence[Sequence[int]], positions: int | None, codec: Codec
) -> list[int]:
    limits = [output_limit(codec.count_own_tokens(source)) for source in sources]
    if positions is None:
        return limits
    left = [positions - len(source) if codec.one_sequence else positions for source in sources]
    # `generate` needs a limit of at least 1, also for a source that fills all positions.
    return [max(1, min(pair)) for pair in zip(limits, left, strict=True)]


def _end_tokens(model: torch.nn.Module, options: dict[str, Any]) -> set[int]:
    """Find the tokens at which `generate` ends a hypothesis."""
    config: Any = unwrap(model).generation_config
    ends = options.get("eos_token_id", config.eos_token_id)
    return set(ends) if isinstance(ends, list) else {ends}


def _up_to_end(tokens: list[int], ends: set[int]) -> list[int]:
    """Cut a row behind its first end token; what follows is padding."""
    # Not at the padding token: some models end with the token that they pad with.
    return next((tokens[: i + 1] for i, token in enumerate(tokens) if token in ends), tokens)
