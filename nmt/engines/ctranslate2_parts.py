"""What a CTranslate2 engine holds in memory, and how it is loaded."""

from dataclasses import dataclass
from pathlib import Path

import ctranslate2
from tokenizers import Tokenizer

from nmt.config import ServingConfig
from nmt.engines.card import CARD_FILE, EngineCard
from nmt.engines.memory import return_free_memory
from nmt.errors import TranslationError
from nmt.models.tokenization.text_encoder import TextEncoder
from nmt.runs.engine_digest import MODEL_FOLDER, TOKENIZER_FOLDER

END, _UNKNOWN = "</s>", "<unk>"
VMAP_FILE = "vmap.txt"
"""In `model/`: the tokens that the engine may write; without it, it may write all."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a loaded engine."""

    model: ctranslate2.Translator
    tokenizer: Tokenizer
    encoder: TextEncoder
    has_vmap: bool
    """Whether only some of the tokens may be written."""


def load_parts(folder: Path, card: EngineCard, serving: ServingConfig) -> Parts:
    """Load the parts of an engine.

    Raises:
        TranslationError: one is missing or unreadable.
    """
    # The model first: glibc would not return its buffers once it has freed the tokenizer's JSON,
    # since that raises the size from which on it gets memory from the system.
    model = _load_model(folder / MODEL_FOLDER, serving)
    tokenizer = _load_tokenizer(folder / TOKENIZER_FOLDER)
    _check_special_tokens(tokenizer, folder, card)
    return_free_memory()
    has_vmap = (folder / MODEL_FOLDER / VMAP_FILE).is_file()
    return Parts(model, tokenizer, TextEncoder(tokenizer, _UNKNOWN), has_vmap)


def _load_tokenizer(folder: Path) -> Tokenizer:
    """Load the fast tokenizer of a transformers folder."""
    # Without transformers, which imports torch and takes 4 s.
    try:
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    # The library raises plain exceptions.
    except Exception as error:
        raise TranslationError(f"{folder}: tokenizer.json cannot be read: {error}") from None


def _check_special_tokens(tokenizer: Tokenizer, folder: Path, card: EngineCard) -> None:
    """Refuse a tokenizer without the tokens that the card needs."""
    # A missing one would become the unknown token, and the model would answer in any language.
    for token in (card.source_language, card.target_language, END):
        if tokenizer.token_to_id(token) is None:
            raise TranslationError(
                f"{folder / TOKENIZER_FOLDER} has no token {token}, which {CARD_FILE} needs: "
                "export the run again"
            )


def _load_model(folder: Path, serving: ServingConfig) -> ctranslate2.Translator:
    gpu = serving.gpus_per_replica > 0 and ctranslate2.get_cuda_device_count() > 0
    try:
        return ctranslate2.Translator(
            str(folder),
            device="cuda" if gpu else "cpu",
            compute_type="default",  # the format on disk; "auto" would quantize float32 engines
            intra_threads=max(1, int(serving.cpus_per_replica)),
        )
    except (RuntimeError, ValueError) as error:
        raise TranslationError(f"{folder}: CTranslate2 cannot load it: {error}") from None
