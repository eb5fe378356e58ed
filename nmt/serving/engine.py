"""One loaded translation model, from an engine folder. Imports neither torch nor transformers."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import ctranslate2
from tokenizers import Tokenizer

from nmt.config import ServingConfig
from nmt.engine_card import (
    MODEL_FOLDER,
    TOKENIZER_FOLDER,
    EngineCard,
    output_limit,
    read_card,
)
from nmt.errors import TranslationError
from nmt.languages import iso_code
from nmt.serving.segment import join_text, split_long, split_text

log = logging.getLogger(__name__)

_END = "</s>"
_MARKS = 2
# A CPU with other int8 instructions rounds otherwise, and a near tie between two words falls the
# other way. A wrong or damaged model shares next to nothing with the recorded answer.
_LEAST_SIMILARITY = 0.5
_GOLDEN_TOKENS = 256
"""Length limit of the recorded answer: CTranslate2's default."""


class Engine(Protocol):
    """A model that is ready to translate."""

    digest: str
    card: EngineCard

    def prepare(self, sentence: str) -> list[list[str]]:
        """Token lists to translate one after the other: several when the sentence is long."""
        ...

    def translate(self, rows: Sequence[list[str]]) -> list[str]:
        """Translations of prepared token lists, in order."""
        ...


class CTranslate2Engine:
    """NLLB in CTranslate2; its input is `[source code] tokens </s>`."""

    def __init__(self, folder: Path, digest: str, serving: ServingConfig) -> None:
        """Load an engine folder, warm it up and compare its golden sentence.

        Raises:
            TranslationError: a part is missing or unreadable, or the golden answer is wrong.
        """
        self.digest = digest
        self.card = read_card(folder)
        self._beam_size = serving.beam_size
        self._tokenizer = _load_tokenizer(folder / TOKENIZER_FOLDER)
        self._model = _load_model(folder / MODEL_FOLDER, serving)
        self._vmap = (folder / MODEL_FOLDER / "vmap.txt").is_file()
        self._check_golden()
        self.translate(self.prepare(self.card.golden.source) * 4)

    @property
    def compute_type(self) -> str:
        """Number format that the model runs in, which the processor decides."""
        return self._model.compute_type

    def prepare(self, sentence: str) -> list[list[str]]:
        """Token lists of at most `max_source_tokens`, none of them cut short.

        The texts of several lists are parts of the sentence, cut between clauses if possible.
        """
        encoding = self._tokenizer.encode(sentence, add_special_tokens=False)
        room = self.card.max_source_tokens - _MARKS
        if len(encoding.tokens) <= room or len(sentence) < 2:
            return [[self.card.source_language, *encoding.tokens, _END]]
        # A part may have more tokens by itself than inside the sentence: cut again, smaller.
        ends = [end for _, end in encoding.offsets]
        parts = split_long(sentence, ends, room) if len(ends) > room else [sentence]
        if len(parts) == 1:
            middle = len(sentence) // 2
            parts = [sentence[:middle], sentence[middle:]]
        return [row for part in parts if part.strip() for row in self.prepare(part.strip())]

    def translate(self, rows: Sequence[list[str]]) -> list[str]:
        """Translations of prepared token lists at the configured beam, as one batch."""
        return self._decode(rows, self._beam_size, output_limit(max(map(len, rows))))

    def _decode(self, rows: Sequence[list[str]], beam_size: int, max_tokens: int) -> list[str]:
        results = self._model.translate_batch(
            list(rows),
            target_prefix=[[self.card.target_language]] * len(rows),
            beam_size=beam_size,
            max_input_length=0,  # the default cuts a long sentence without a word
            max_decoding_length=max_tokens,
            use_vmap=self._vmap,
        )
        return [self._text(result.hypotheses[0][1:]) for result in results]

    def _text(self, tokens: list[str]) -> str:
        ids = [self._tokenizer.token_to_id(token) for token in tokens]
        known = [number for number in ids if number is not None]  # "madeupword" fills the table
        return self._tokenizer.decode(known).strip()

    def _check_golden(self) -> None:
        golden = self.card.golden
        answer = " ".join(self._decode(self.prepare(golden.source), 1, _GOLDEN_TOKENS))
        likeness = likeness_of(answer, golden.target)
        if not answer or likeness < _LEAST_SIMILARITY:
            raise TranslationError(
                f"engine {self.digest} answers its golden sentence {golden.source!r} with "
                f"{answer!r} instead of {golden.target!r}"
            )
        if answer != golden.target:
            log.warning("engine %s: golden answer is %.0f %% alike", self.digest, 100 * likeness)


def load_engine(folder: Path, serving: ServingConfig) -> CTranslate2Engine:
    """Engine of a folder that was fetched from the storage root.

    Raises:
        TranslationError: it cannot be loaded, or answers its golden sentence wrongly.
    """
    return CTranslate2Engine(folder, folder.name, serving)


def translate_texts(engine: Engine, texts: Sequence[str], serving: ServingConfig) -> list[str]:
    """Translations of whole texts, split into sentences as the endpoint does it."""
    language = iso_code(engine.card.source_language)
    documents = [split_text(text, language) for text in texts]
    sentences = [piece.text for pieces in documents for piece in pieces if piece.is_sentence]
    prepared = [engine.prepare(sentence) for sentence in sentences]
    rows = iter(_translate_rows(engine, [r for parts in prepared for r in parts], serving))
    translations = iter([" ".join(next(rows) for _ in parts) for parts in prepared])
    return [join_text(pieces, translations) for pieces in documents]


def _translate_rows(engine: Engine, rows: Sequence[list[str]], serving: ServingConfig) -> list[str]:
    """Translations in order, in batches of like length under the token budget."""
    batches: list[list[int]] = []
    for index in sorted(range(len(rows)), key=lambda index: -len(rows[index])):
        longest = len(rows[batches[-1][0]]) if batches else 0
        if batches and longest * (len(batches[-1]) + 1) <= serving.max_batch_tokens:
            batches[-1].append(index)
        else:
            batches.append([index])
    texts: dict[int, str] = {}
    for batch in batches:
        texts.update(zip(batch, engine.translate([rows[i] for i in batch]), strict=True))
    return [texts[index] for index in range(len(rows))]


def likeness_of(text: str, other: str) -> float:
    """F1 over neighbouring characters, in 0-1; its time grows with the lengths alone."""
    pairs = [Counter(zip(f" {t}", f"{t} ", strict=True)) for t in (text, other)]
    return 2 * (pairs[0] & pairs[1]).total() / (pairs[0].total() + pairs[1].total())


def _load_tokenizer(folder: Path) -> Tokenizer:
    """Fast tokenizer of a transformers folder; that library would bring torch, and 4 s."""
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises nothing narrower
        raise TranslationError(f"{folder}: no tokenizer.json that can be read: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


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
