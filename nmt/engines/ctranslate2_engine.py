"""Engines that run in CTranslate2: NLLB models. Imports neither torch nor transformers."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import ctranslate2

from nmt.config import ServingConfig
from nmt.decoding.consensus import rank_samples
from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.length import output_limit
from nmt.decoding.settings import DEFAULT_SEARCH, Sampling, Search
from nmt.engines.card import EngineCard
from nmt.engines.ctranslate2_parts import END, Parts, load_parts
from nmt.engines.golden import check_golden
from nmt.engines.memory import estimate_memory, return_free_memory
from nmt.errors import TranslationError
from nmt.text.normalise import normalise
from nmt.text.packing import batches_by_length
from nmt.text.segment import split_to_fit

_SPECIAL_TOKENS = 2
"""Tokens around a sentence: its language code and the end token."""
_LIMIT_STEP = 16
# The start of an answer is evidence enough, and a model that does not end it would delay the load.
# Only where the start has no text, as of a barely trained model, the search goes on.
_GOLDEN_TOKENS = (16, 256)
_WARM_UP_TOKENS = 4
_LONG_SEARCH_SECONDS = 0.5
_MAX_LOGITS = 2**24
"""Logits that are computed at once when outputs are scored: 64 MiB of float32."""
# CTranslate2 has no epsilon sampling. These come close to it: at most as many tokens, and no
# improbable ones beside a probable one.
_SAMPLED_TOKENS, _SAMPLED_PROBABILITY = 50, 0.9


@dataclass(frozen=True, slots=True)
class _SearchOptions:
    """How CTranslate2 searches; by default greedily."""

    count: int = 1
    """Number of hypotheses of each row, at most the beam size unless they are sampled."""
    scored: bool = False
    beam_size: int = 1
    length_penalty: float = 1.0
    sampling: bool = False
    no_repeat_ngram_size: int = 0


class CTranslate2Engine:
    """An NLLB model in CTranslate2, with rows of the form `[source code] tokens </s>`."""

    def __init__(self, folder: Path, digest: str, card: EngineCard, serving: ServingConfig) -> None:
        """Load an engine folder.

        Raises:
            TranslationError: a part is missing or unreadable.
        """
        self.digest = digest
        self.card = card
        self._beam_size, self._length_penalty = serving.beam_size, serving.length_penalty
        self._parts: Parts | None = load_parts(folder, card, serving)
        self.memory_bytes = estimate_memory(folder)

    def warm_up(self) -> None:
        """Translate the golden sentence and compare, then allocate what a batch needs.

        Raises:
            TranslationError: the golden sentence is mistranslated.
        """
        text, is_complete = self.answer_golden(self.card.golden.source)
        check_golden(self.digest, self.card.golden, text, is_complete=is_complete)
        # The first real batch would else pay for memory that is allocated lazily.
        rows = self.encode(self.card.golden.source) * 4
        self._search(rows, _WARM_UP_TOKENS, _SearchOptions(beam_size=self._beam_size))
        return_free_memory()

    def answer_golden(self, sentence: str) -> tuple[str, bool]:
        """Translate a golden sentence greedily.

        Returns:
            The translation or its start, and whether the model ended it.
        """
        rows, text, is_complete = self.encode(sentence), "", False
        for limit in _GOLDEN_TOKENS:
            results = self._search(rows, limit, _SearchOptions())
            outputs = [result.hypotheses[0] for result in results]
            text = " ".join(map(self._decode, outputs))
            is_complete = all(tokens[-1] == END for tokens in outputs)
            if text or is_complete:
                break
        return text, is_complete

    def close(self) -> None:
        """Free the model and the tokenizer; the engine translates nothing any more."""
        if self._parts:
            self._parts.model.unload_model()
            self._parts = None
            return_free_memory()

    def encode(self, sentence: str) -> list[list[str]]:
        """Encode a sentence as rows of at most `max_source_tokens`, without dropping any text."""
        limit = self.card.max_source_tokens - _SPECIAL_TOKENS
        text = normalise(sentence)
        if not text:
            return []
        tokens = self._tokens(text)
        # Most sentences fit, and are tokenized only once then.
        if len(tokens) <= limit:
            return [self._row(tokens)]
        parts = split_to_fit(text, self._token_ends, limit)
        return [self._row(self._tokens(part)) for part in parts]

    def translate(self, rows: Sequence[list[str]]) -> list[str]:
        """Translate rows with the configured beam size, each as if it were alone in the batch."""
        return [found[0].text for found in self.search(rows)]

    def search(
        self,
        rows: Sequence[list[str]],
        options: Search = DEFAULT_SEARCH,
        *,
        scored: bool = False,
        sampling: Sampling | None = None,
    ) -> list[list[Hypothesis]]:
        """Find the best hypotheses of each row, each as if it were alone in the batch.

        Samples are the exception: CTranslate2 draws those of all rows from one generator.
        """
        if sampling:
            ctranslate2.set_random_seed(sampling.seed)
            drawing = _SearchOptions(sampling.samples, scored, sampling=True)
            drawn = self._in_groups(rows, drawing)
            return [_best_samples(found, options.count) for found in drawn]
        searching = _SearchOptions(
            options.count,
            scored,
            options.beams(self._beam_size),
            self._length_penalty,
            no_repeat_ngram_size=options.no_repeat_ngram_size,
        )
        if searching.beam_size == 1:
            return [[found] for found in self._search_greedily(rows, searching)]
        return self._in_groups(rows, searching)

    def _in_groups(
        self, rows: Sequence[list[str]], options: "_SearchOptions"
    ) -> list[list[Hypothesis]]:
        """Search rows with equal output limits together, as CTranslate2 has one for a batch."""
        # Rounded up, so that more rows share a batch.
        limits = [output_limit(_LIMIT_STEP * math.ceil(len(row) / _LIMIT_STEP)) for row in rows]
        found: list[list[Hypothesis]] = [[] for _ in rows]
        for limit in set(limits):
            group = [index for index in range(len(rows)) if limits[index] == limit]
            results = self._search([rows[index] for index in group], limit, options)
            for index, result in zip(group, results, strict=True):
                outputs = result.hypotheses
                scores = result.scores if options.scored else [0.0] * len(outputs)
                found[index] = [
                    self._hypothesis(tokens, score, options.length_penalty)
                    for tokens, score in zip(outputs, scores, strict=True)
                ]
        return found

    def _search_greedily(
        self, rows: Sequence[list[str]], options: "_SearchOptions"
    ) -> list[Hypothesis]:
        """Search one hypothesis of each row, all in one batch."""
        if not rows:
            return []
        # Greedy output can be cut to a row's own limit afterwards: the search does not look ahead.
        limits = [output_limit(len(row)) for row in rows]
        scored = options.scored
        results = self._search(rows, max(limits), options)
        outputs = [
            result.hypotheses[0][:limit] for result, limit in zip(results, limits, strict=True)
        ]
        scores = [result.scores[0] for result in results] if scored else [0.0] * len(rows)
        found = list(map(self._hypothesis, outputs, scores, repeat(self._length_penalty)))
        cut = [index for index, each in enumerate(found) if not each.is_complete] if scored else []
        # The score of the search is that of all tokens, those beyond a row's limit too.
        for index, log_probability in self._score(rows, outputs, cut, options):
            score = log_probability / len(outputs[index]) ** self._length_penalty
            found[index] = replace(found[index], log_probability=log_probability, score=score)
        return found

    def _score(
        self,
        rows: Sequence[list[str]],
        outputs: Sequence[list[str]],
        indices: Sequence[int],
        options: "_SearchOptions",
    ) -> Iterator[tuple[int, float]]:
        """Yield the logarithm of the probability of unfinished outputs of some rows."""
        parts = self._loaded
        max_tokens = _MAX_LOGITS // parts.tokenizer.get_vocab_size()
        short = [index for index in indices if len(outputs[index]) < max_tokens]
        lengths = [len(outputs[index]) + 1 for index in short]
        for batch in batches_by_length(lengths, max_tokens):
            group = [short[place] for place in batch]
            # One pass of the decoder: a second search takes a pass for each token.
            results = parts.model.score_batch(
                [rows[index] for index in group],
                [outputs[index] for index in group],
                max_input_length=0,
                offset=1,  # the language code is forced
            )
            for index, result in zip(group, results, strict=True):
                # The last token is the end, which CTranslate2 adds.
                yield index, sum(result.log_probs[:-1])
        options = replace(options, length_penalty=0.0)
        for index in set(indices).difference(short):
            (result,) = self._search([rows[index]], len(outputs[index]), options)
            yield index, result.scores[0]

    def _row(self, tokens: list[str]) -> list[str]:
        return [self.card.source_language, *tokens, END]

    def _hypothesis(self, tokens: Sequence[str], score: float, length_penalty: float) -> Hypothesis:
        """Make a hypothesis of output tokens, the first of which is the language code."""
        # CTranslate2 divides the logarithm of the probability, see `length_score`.
        log_probability = score * len(tokens) ** length_penalty
        is_complete = tokens[-1] == END
        text = self._decode(tokens)
        return Hypothesis(text, len(tokens) - 1, log_probability, is_complete, score)

    def _token_ends(self, text: str) -> list[int]:
        return [end for _, end in self._loaded.encoder.encode([text])[0].offsets]

    def _tokens(self, text: str) -> list[str]:
        return self._loaded.encoder.encode([text])[0].tokens

    @property
    def _loaded(self) -> Parts:
        """Return what the engine holds.

        Raises:
            TranslationError: the engine is closed.
        """
        if self._parts is None:
            raise TranslationError(f"engine {self.digest} is closed")
        return self._parts

    def _search(
        self, rows: Sequence[list[str]], max_tokens: int, options: "_SearchOptions"
    ) -> list[ctranslate2.TranslationResult]:
        """Search the hypotheses of each row, which begin with the language code."""
        parts, started = self._loaded, time.monotonic()
        results = parts.model.translate_batch(
            list(rows),
            target_prefix=[[self.card.target_language]] * len(rows),
            beam_size=options.beam_size,
            length_penalty=options.length_penalty,
            num_hypotheses=options.count,
            sampling_topk=_SAMPLED_TOKENS if options.sampling else 1,
            sampling_topp=_SAMPLED_PROBABILITY if options.sampling else 1,
            return_scores=options.scored,
            return_end_token=True,  # shows whether the model ended the sentence
            max_input_length=0,  # the default would truncate long sentences silently
            max_decoding_length=max_tokens,
            no_repeat_ngram_size=options.no_repeat_ngram_size,
            use_vmap=parts.has_vmap,
        )
        # A large model's buffers are some 100 MB, which glibc would keep. It takes 15 ms.
        if time.monotonic() - started > _LONG_SEARCH_SECONDS:
            return_free_memory()
        return results

    def _decode(self, tokens: Sequence[str]) -> str:
        tokenizer = self._loaded.tokenizer
        ids = map(tokenizer.token_to_id, tokens[1:])
        # The model's table is padded with tokens like "madeupword0", which the tokenizer lacks.
        known = [token_id for token_id in ids if token_id is not None]
        return tokenizer.decode(known).strip()


def _best_samples(samples: Sequence[Hypothesis], count: int) -> list[Hypothesis]:
    """Choose the samples that are most like the others."""
    ranked = rank_samples([sample.text for sample in samples])
    return [replace(samples[place], score=utility) for place, utility in ranked[:count]]
