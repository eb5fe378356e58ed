"""A CTranslate2 engine's folder: the model with all tokens, or with those of its languages."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ctranslate2.converters import TransformersConverter
from torch import nn
from transformers import M2M100ForConditionalGeneration
from typing_extensions import override

from nmt.engines.ctranslate2_parts import VMAP_FILE
from nmt.errors import ExportError
from nmt.export.byte_pairs import TOKENIZER_FILE, read_byte_pairs
from nmt.export.kept_tokens import KeptTokens
from nmt.models.tokenization.codec import Codec
from nmt.runs.engine_digest import MODEL_FOLDER, TOKENIZER_FOLDER

_VOCABULARY_FILE = "shared_vocabulary.json"


def convert(folder: Path, merged: Path, codec: Codec, quantization: str) -> None:
    """Convert a merged NLLB model with all its tokens, and write its tokenizer."""
    TransformersConverter(str(merged)).convert(
        str(folder / MODEL_FOLDER), quantization=quantization
    )
    codec.save(folder / TOKENIZER_FOLDER)


def convert_trimmed(
    folder: Path, merged: Path, codec: Codec, quantization: str, tokens: Collection[str]
) -> None:
    """Convert a merged NLLB model and its tokenizer with only some tokens.

    Args:
        folder: of the engine.
        merged: the model in transformers' format.
        codec: the model's tokenizer.
        quantization: number format of the weights.
        tokens: those of `KeptTokens.known`.

    Raises:
        ExportError: the tokenizer cannot be cut, or the model's tokens differ from it.
    """
    tokenizer = folder / TOKENIZER_FOLDER
    codec.save(tokenizer)
    pairs = read_byte_pairs(tokenizer)
    cut = pairs.without_others(tokens)
    (tokenizer / TOKENIZER_FILE).write_text(cut, encoding="utf-8")
    ordered = pairs.ordered(tokens)
    converter = _TrimmedConverter(merged, tokenizer, [pairs.ids[token] for token in ordered])
    converter.convert(str(folder / MODEL_FOLDER), quantization=quantization)
    _check_tokens(folder / MODEL_FOLDER, ordered)


def limit_output(folder: Path, kept: KeptTokens) -> None:
    """Write the list of the tokens that the engine may write."""
    # Spaces separate them, and no token of a byte-pair vocabulary with Metaspace has one.
    words = [token for token in sorted(kept.written) if not any(map(str.isspace, token))]
    # The part before the tab is a source phrase; the empty one is for all sources.
    line = "\t" + " ".join(words) + "\n"
    (folder / MODEL_FOLDER / VMAP_FILE).write_text(line, encoding="utf-8")


class _TrimmedConverter(TransformersConverter):
    """CTranslate2's converter, for some rows of a model's embeddings and a smaller tokenizer."""

    def __init__(self, merged: Path, tokenizer: Path, rows: list[int]) -> None:
        super().__init__(str(merged))
        self._tokenizer, self._rows = tokenizer, rows

    @override
    def load_model(
        self, model_class: Any, model_name_or_path: str, **options: Any
    ) -> M2M100ForConditionalGeneration:
        """Load the model and cut its embeddings."""
        model = super().load_model(model_class, model_name_or_path, **options)
        keep_rows(model, self._rows)
        # CTranslate2 would fill the table up to this size with tokens of its own.
        model.config.vocab_size = len(self._rows)
        return model

    @override
    def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **options: Any) -> Any:
        """Load the smaller tokenizer."""
        return super().load_tokenizer(tokenizer_class, str(self._tokenizer), **options)


def keep_rows(model: M2M100ForConditionalGeneration, rows: list[int]) -> None:
    """Keep only some rows of the embeddings and of the output matrix of a model."""
    tables = [model.model.shared, model.model.encoder.embed_tokens]
    tables += [model.model.decoder.embed_tokens, model.lm_head]
    # Usually all four share one matrix, and shall go on doing so.
    cut: dict[int, nn.Parameter] = {}
    for table in tables:
        weight = table.weight
        if weight.data_ptr() not in cut:
            cut[weight.data_ptr()] = nn.Parameter(weight.detach()[rows], requires_grad=False)
        table.weight = cut[weight.data_ptr()]


def _check_tokens(model: Path, ordered: list[str]) -> None:
    """Compare the tokens of a converted model with those of its tokenizer."""
    found = json.loads((model / _VOCABULARY_FILE).read_text(encoding="utf-8"))
    if found != ordered:
        raise ExportError(
            "CTranslate2 numbers the tokens of the smaller vocabulary otherwise than its "
            "tokenizer: set export.vocabulary=full"
        )
