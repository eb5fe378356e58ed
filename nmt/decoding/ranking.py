"""The best of the hypotheses that a search has generated."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from nmt.decoding.consensus import rank_samples
from nmt.decoding.hypothesis import Hypothesis, length_score
from nmt.decoding.probability import log_probabilities
from nmt.decoding.search import Generated
from nmt.decoding.settings import SearchSettings
from nmt.models.tokenization.codec import Codec


class _Chosen(NamedTuple):
    """One of the generated hypotheses."""

    row: int
    """Index of its source."""
    place: int
    """Its place among all generated hypotheses."""
    utility: float


def best_hypotheses(
    model: torch.nn.Module,
    codec: Codec,
    sources: Sequence[Sequence[int]],
    generated: Generated,
    texts: Sequence[str],
    settings: SearchSettings,
    *,
    count: int = 1,
    scored: bool = False,
) -> list[list[Hypothesis]]:
    """Choose the best hypotheses of each source.

    Args:
        model: the model that generated them.
        codec: the model's tokenization.
        sources: the encoded sources.
        generated: their hypotheses.
        texts: the decoded hypotheses.
        settings: of the search.
        count: maximum number of hypotheses of each source; there are fewer where samples are equal.
        scored: whether to compute their probabilities.
    """
    chosen = list(_choose(texts, len(sources), settings, count))
    scores = [0.0] * len(chosen)
    if scored:
        scores = log_probabilities(
            model,
            codec,
            [sources[each.row] for each in chosen],
            [generated.tokens[each.place] for each in chosen],
            forced_tokens=generated.forced_tokens,
        )
    found: list[list[Hypothesis]] = [[] for _ in sources]
    for each, log_probability in zip(chosen, scores, strict=True):
        # `generate` counts the language code too.
        length = len(generated.tokens[each.place])
        by_length = length_score(log_probability, length, settings.length_penalty)
        found[each.row].append(
            Hypothesis(
                texts[each.place],
                length - generated.forced_tokens,
                log_probability,
                generated.is_complete[each.place],
                each.utility if settings.method == "mbr" else by_length,
            )
        )
    return found


def _choose(
    texts: Sequence[str], sources: int, settings: SearchSettings, count: int
) -> Iterator[_Chosen]:
    """Yield the best hypotheses of each source in turn."""
    of_each = len(texts) // max(1, sources)
    for row in range(sources):
        start = row * of_each
        if settings.method == "mbr":
            for place, utility in rank_samples(texts[start : start + of_each])[:count]:
                yield _Chosen(row, start + place, utility)
        else:
            # A beam search returns them in their order.
            for place in range(start, start + min(count, of_each)):
                yield _Chosen(row, place, 0.0)
