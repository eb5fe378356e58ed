"""What serving asks of a loaded model, and how an engine folder becomes one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nmt.config import ServingConfig
from nmt.engines.card import EngineCard, read_card
from nmt.engines.ctranslate2_engine import CTranslate2Engine
from nmt.errors import MissingPackageError, install_command
from nmt.languages import iso_code
from nmt.text.normalise import without_noise
from nmt.text.packing import batches_by_length
from nmt.text.segment import join_text, sentence_separator, split_text

Row = list[Any]
"""Tokens of a sentence or a part of one; only its engine reads them, all others count them."""

if TYPE_CHECKING:
    from nmt.engines.torch_engine import TorchEngine


class Engine(Protocol):
    """A model that is ready to translate."""

    digest: str
    card: EngineCard

    def prepare(self, sentence: str) -> Sequence[Row]:
        """Rows to translate one after the other: several when the sentence is long."""
        ...

    def translate(self, rows: Sequence[Any]) -> list[str]:
        """Translations of prepared rows, in order."""
        ...


def load_engine(folder: Path, serving: ServingConfig, digest: str | None = None) -> Engine:
    """Engine of a folder that was fetched from the storage root.

    Args:
        folder: it may be a cached copy.
        serving: beam, processors.
        digest: of the engine; the folder's name when that is not a copy.

    Raises:
        TranslationError: it cannot be loaded, or answers its golden sentence wrongly.
        MissingPackageError: it is for torch, which is not installed.
    """
    card = read_card(folder)
    if card.format == "torch":
        return _torch_engine()(folder, digest or folder.name, card, serving)
    return CTranslate2Engine(folder, digest or folder.name, card, serving)


def _torch_engine() -> "type[TorchEngine]":
    """Imported for those who need it: it costs seconds, and an extra that CTranslate2 does not."""
    try:
        from nmt.engines.torch_engine import TorchEngine
    except ImportError as error:
        raise MissingPackageError(
            f"a torch engine needs the package '{error.name}': {install_command('train')}, or "
            "export with export.format=ctranslate2, where model and adapter allow it"
        ) from None
    return TorchEngine


def translate_texts(engine: Engine, texts: Sequence[str], serving: ServingConfig) -> list[str]:
    """Translations of whole texts, split into sentences as the endpoint does it."""
    language = iso_code(engine.card.source_language)
    documents = [split_text(without_noise(text), language) for text in texts]
    sentences = [piece.text for pieces in documents for piece in pieces if piece.is_sentence]
    prepared = [engine.prepare(sentence) for sentence in sentences]
    rows = iter(_translate_rows(engine, [r for parts in prepared for r in parts], serving))
    target = engine.card.target_language
    gap = sentence_separator(target)
    translations = iter([gap.join(next(rows) for _ in parts) for parts in prepared])
    return [join_text(pieces, translations, target) for pieces in documents]


def _translate_rows(engine: Engine, rows: Sequence[Row], serving: ServingConfig) -> list[str]:
    """Translations in order, in batches of like length under the token budget."""
    texts: dict[int, str] = {}
    for batch in batches_by_length([len(row) for row in rows], serving.max_batch_tokens):
        texts.update(zip(batch, engine.translate([rows[i] for i in batch]), strict=True))
    return [texts[index] for index in range(len(rows))]
