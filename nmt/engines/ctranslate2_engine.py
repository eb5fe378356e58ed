"""An NLLB engine in CTranslate2. Imports neither torch nor transformers."""

import math
from collections.abc import Sequence
from pathlib import Path

import ctranslate2
from tokenizers import Tokenizer

from nmt.config import ServingConfig
from nmt.decoding.length import output_limit
from nmt.engines.card import (
    CARD_FILE,
    MODEL_FOLDER,
    TOKENIZER_FOLDER,
    EngineCard,
)
from nmt.engines.golden import check_golden
from nmt.errors import TranslationError
from nmt.models.tokenization.text_encoder import TextEncoder
from nmt.text.normalise import normalise
from nmt.text.segment import split_to_fit

_END, _UNKNOWN = "</s>", "<unk>"
_MARKS = 2
_BEAM_STEP = 16
_GOLDEN_TOKENS = 256
"""Length limit of the recorded answer: CTranslate2's default."""


class CTranslate2Engine:
    """NLLB in CTranslate2; its input is `[source code] tokens </s>`."""

    def __init__(self, folder: Path, digest: str, card: EngineCard, serving: ServingConfig) -> None:
        """Load an engine folder, warm it up and compare its golden sentence.

        Raises:
            TranslationError: a part is missing or unreadable, or the golden answer is wrong.
        """
        self.digest = digest
        self.card = card
        self._beam_size = serving.beam_size
        self._tokenizer = _load_tokenizer(folder / TOKENIZER_FOLDER)
        _check_marks(self._tokenizer, folder, card)
        self._encoder = TextEncoder(self._tokenizer, _UNKNOWN)
        self._model = _load_model(folder / MODEL_FOLDER, serving)
        self._vmap = (folder / MODEL_FOLDER / "vmap.txt").is_file()
        golden = self.encode(card.golden.source)
        answers = self._search(golden, 1, _GOLDEN_TOKENS)
        check_golden(digest, card.golden, " ".join(map(self._text, answers)))
        self.translate(golden * 4)

    @property
    def compute_type(self) -> str:
        """Number format that the model runs in, which the processor decides."""
        return self._model.compute_type

    def encode(self, sentence: str) -> list[list[str]]:
        """Token lists of at most `max_source_tokens`, none of them cut short."""
        limit = self.card.max_source_tokens - _MARKS
        parts = split_to_fit(normalise(sentence), self._token_ends, limit)
        return [[self.card.source_language, *self._tokens(part), _END] for part in parts]

    def translate(self, rows: Sequence[list[str]]) -> list[str]:
        """Translations of prepared token lists at the configured beam, each as if it were alone."""
        limits = [self._limit(row) for row in rows]
        texts = [""] * len(rows)
        for longest, places in self._searches(limits).items():
            found = self._search([rows[place] for place in places], self._beam_size, longest)
            for place, tokens in zip(places, found, strict=True):
                texts[place] = self._text(tokens[: limits[place]])
        return texts

    def _limit(self, row: Sequence[str]) -> int:
        """Bound a row's answer by its own length; for a beam in steps, so that rows share one."""
        step = 1 if self._beam_size == 1 else _BEAM_STEP
        return output_limit(step * math.ceil(len(row) / step))

    def _searches(self, limits: Sequence[int]) -> dict[int, list[int]]:
        """Length limit of each search -> places of its rows.

        CTranslate2 has one limit for a batch. What a greedy search finds begins with what it finds
        under a smaller limit, so that it is cut afterwards; of a beam that is not true.
        """
        if self._beam_size == 1:
            return {max(limits): list(range(len(limits)))}
        searches: dict[int, list[int]] = {}
        for place, limit in enumerate(limits):
            searches.setdefault(limit, []).append(place)
        return searches

    def _token_ends(self, text: str) -> list[int]:
        return [end for _, end in self._encoder.encode([text])[0].offsets]

    def _tokens(self, text: str) -> list[str]:
        return self._encoder.encode([text])[0].tokens

    def _search(
        self, rows: Sequence[list[str]], beam_size: int, max_tokens: int
    ) -> list[list[str]]:
        """Tokens of the best hypothesis of each row, the language code first."""
        results = self._model.translate_batch(
            list(rows),
            target_prefix=[[self.card.target_language]] * len(rows),
            beam_size=beam_size,
            max_input_length=0,  # the default cuts a long sentence without a word
            max_decoding_length=max_tokens,
            use_vmap=self._vmap,
        )
        return [result.hypotheses[0] for result in results]

    def _text(self, tokens: Sequence[str]) -> str:
        ids = [self._tokenizer.token_to_id(token) for token in tokens[1:]]
        known = [number for number in ids if number is not None]  # "madeupword" fills the table
        return self._tokenizer.decode(known).strip()


def _load_tokenizer(folder: Path) -> Tokenizer:
    """Fast tokenizer of a transformers folder; that library would bring torch, and 4 s."""
    try:
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises nothing narrower
        raise TranslationError(f"{folder}: no tokenizer.json that can be read: {error}") from None


def _check_marks(tokenizer: Tokenizer, folder: Path, card: EngineCard) -> None:
    """Refuse marks that the model would read as an unknown word, and answer in any language."""
    for mark in (card.source_language, card.target_language, _END):
        if tokenizer.token_to_id(mark) is None:
            raise TranslationError(
                f"{folder / TOKENIZER_FOLDER} has no token {mark}, with which {CARD_FILE} has each "
                "sentence marked: export the run again"
            )


def _load_model(folder: Path, serving: ServingConfig) -> ctranslate2.Translator:
    gpu = serving.gpus_per_replica > 0 and ctranslate2.get_cuda_device_count() > 0
    try:
        return ctranslate2.Translator(
            str(folder),
            device="cuda" if gpu else "cpu",
            compute_type="default",  # the format on disk; "auto" would quantize a float32 engine
            intra_threads=max(1, int(serving.cpus_per_replica)),
        )
    except (RuntimeError, ValueError) as error:
        raise TranslationError(f"{folder}: CTranslate2 cannot load it: {error}") from None
