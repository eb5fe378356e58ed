"""Engines that run in torch: any model family, and adapters that cannot be merged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import torch

from nmt.config import ServingConfig
from nmt.decoding.hypothesis import Hypothesis
from nmt.decoding.ranking import best_hypotheses
from nmt.decoding.search import Generated, search
from nmt.decoding.settings import DEFAULT_SEARCH, Sampling, Search, SearchSettings
from nmt.engines.card import EngineCard
from nmt.engines.folder import open_codec, open_model
from nmt.engines.golden import check_golden
from nmt.engines.memory import estimate_memory, return_free_memory
from nmt.errors import TranslationError
from nmt.text.normalise import normalise
from nmt.text.segment import split_to_fit


class TorchEngine:
    """A transformers model, with its codec's token ids as rows."""

    def __init__(self, folder: Path, digest: str, card: EngineCard, serving: ServingConfig) -> None:
        """Load an engine folder, check its golden sentence, and warm up.

        Raises:
            TranslationError: a part is missing or unreadable, or the golden sentence is
                mistranslated.
        """
        self.digest = digest
        self.card = card
        self._settings = SearchSettings(
            beam_size=serving.beam_size, length_penalty=serving.length_penalty
        )
        # A fast tokenizer raises an error when two threads use it at once.
        self._tokenizer_lock = Lock()
        torch.set_num_threads(max(1, int(serving.cpus_per_replica)))
        try:
            self._codec = open_codec(folder, card.source_language, card.target_language)
            self._model = open_model(folder, has_adapter=card.has_adapter).to(_device(serving))
        # Libraries may raise anything for a damaged file.
        except Exception as error:
            raise TranslationError(f"{folder}: torch cannot load it: {error}") from None
        self.memory_bytes = estimate_memory(folder)
        self._is_closed = False
        self._special_tokens = len(self._codec.encode_sources([""])[0])
        golden = self.encode(card.golden.source)
        check_golden(digest, card.golden, " ".join(self._translate_greedily(golden)))
        # The first real batch would else pay for memory that is allocated lazily.
        self.translate(golden * 4)

    def close(self) -> None:
        """Free the model; the engine translates nothing any more."""
        if not self._is_closed:
            self._is_closed = True
            del self._model
            return_free_memory()

    def encode(self, sentence: str) -> list[list[int]]:
        """Encode a sentence as rows of at most `max_source_tokens`, without dropping any text."""
        limit = self.card.max_source_tokens - self._special_tokens
        text = normalise(sentence)
        if not text:
            return []
        with self._tokenizer_lock:
            return self._codec.encode_sources(split_to_fit(text, self._token_ends, limit))

    def translate(self, rows: Sequence[list[int]]) -> list[str]:
        """Translate rows as one batch, with the configured beam size."""
        return [found[0].text for found in self.search(rows)]

    def search(
        self,
        rows: Sequence[list[int]],
        options: Search = DEFAULT_SEARCH,
        *,
        scored: bool = False,
        sampling: Sampling | None = None,
    ) -> list[list[Hypothesis]]:
        """Find the best hypotheses of each row, each as if it were alone in the batch.

        Raises:
            TranslationError: the engine is closed.
        """
        if self._is_closed:
            raise TranslationError(f"engine {self.digest} is closed")
        if not rows:
            return []
        settings = SearchSettings.sampling(sampling) if sampling else self._settings_of(options)
        generated = search(self._model, self._codec, rows, settings, count=options.count)
        return best_hypotheses(
            self._model,
            self._codec,
            rows,
            generated,
            self._decode(generated),
            settings,
            count=options.count,
            scored=scored,
        )

    def _settings_of(self, options: Search) -> SearchSettings:
        return replace(
            self._settings,
            beam_size=options.beams(self._settings.beam_size),
            no_repeat_ngram_size=options.no_repeat_ngram_size,
        )

    def _translate_greedily(self, rows: Sequence[list[int]]) -> list[str]:
        return self._decode(search(self._model, self._codec, rows, SearchSettings()))

    def _decode(self, generated: Generated) -> list[str]:
        with self._tokenizer_lock:
            return generated.decode(self._codec)

    def _token_ends(self, text: str) -> list[int]:
        tokens = len(self._codec.encode_sources([text])[0]) - self._special_tokens
        ends = self._codec.token_ends(text)
        if len(ends) == tokens:
            return ends
        # Slow tokenizers do not know where a token ends: assume tokens of equal length.
        return [len(text) * (index + 1) // tokens for index in range(tokens)]


def _device(serving: ServingConfig) -> torch.device:
    on_gpu = serving.gpus_per_replica > 0 and torch.cuda.is_available()
    return torch.device("cuda" if on_gpu else "cpu")
