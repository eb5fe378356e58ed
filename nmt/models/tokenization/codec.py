"""The base class of codecs, which encode and decode text for one translation direction."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, PreTrainedTokenizerBase

from nmt.models.tokenization.text_encoder import TextEncoder
from nmt.text.normalise import normalise


class Codec(ABC):
    """A tokenizer for one translation direction, with the language tags of a model family."""

    one_sequence = False
    """Whether the target continues the source's sequence, as in a decoder-only model."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, source_language: str, target_language: str
    ) -> None:
        """Set up a tokenizer for one direction.

        Args:
            tokenizer: is modified, so only this codec may use it from now on.
            source_language: FLORES-200 code.
            target_language: FLORES-200 code.

        Raises:
            ModelError: the model does not know a language.
        """
        self.tokenizer: Any = tokenizer
        # Text that looks like a control token must not become one. This setting works for slow
        # tokenizers; `TextEncoder` does the same for fast ones.
        self.tokenizer.split_special_tokens = True
        self._encoder = (
            TextEncoder(self.tokenizer.backend_tokenizer, self.tokenizer.unk_token)
            if self.tokenizer.is_fast
            else None
        )
        self._special_tokens: dict[bool, tuple[list[int], list[int]]] = {}
        self.source_language = source_language
        self.target_language = target_language
        self.set_languages()

    @abstractmethod
    def set_languages(self) -> None:
        """Set the languages in the tokenizer.

        Raises:
            ModelError: the tokenizer lacks a language.
        """

    @property
    def pad_token(self) -> int:
        """Return the id of the padding token."""
        return int(self.tokenizer.pad_token_id)

    @property
    def vocabulary_size(self) -> int:
        """Return a number that is above every token id."""
        # Marian's has a vocabulary for each side, and M2M100's keeps its language codes elsewhere.
        tables = [
            self.tokenizer.get_vocab(),
            getattr(self.tokenizer, "target_encoder", {}),
            getattr(self.tokenizer, "lang_code_to_id", {}),
        ]
        return 1 + max(max(table.values(), default=0) for table in tables)

    def encode_sources(
        self, texts: Sequence[str], max_tokens: int | None = None
    ) -> list[list[int]]:
        """Normalize and encode source sentences, cut at `max_tokens`."""
        return self._sources([normalise(text) for text in texts], max_tokens)

    def count_own_tokens(self, source: Sequence[int]) -> int:
        """Count the tokens of an encoded source without those of examples before it."""
        return len(source)

    def encode_targets(self, texts: Sequence[str]) -> list[list[int]]:
        """Encode target sentences, with the end token."""
        return self._encode_with_tags(texts, as_target=True)

    def token_ends(self, text: str) -> list[int]:
        """Find where each token of a text ends; empty for slow tokenizers, which do not know."""
        return [end for _, end in self._encoder.encode([text])[0].offsets] if self._encoder else []

    def pad(self, sources: Sequence[Sequence[int]]) -> BatchEncoding:
        """Pad rows into `input_ids` and `attention_mask` for `generate`."""
        return self.tokenizer.pad({"input_ids": sources}, return_tensors="pt")

    def generation_options(self) -> dict[str, Any]:
        """Return the options of `generate` for this direction."""
        return {}

    def decode(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """Decode the output of `generate` for sources padded to `prompt_width` tokens."""
        del prompt_width  # an encoder-decoder does not repeat its source
        texts = self.tokenizer.batch_decode(generated_BT, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def save(self, folder: Path) -> None:
        """Write the tokenizer in transformers' format."""
        self.tokenizer.save_pretrained(folder)

    def _sources(self, texts: Sequence[str], max_tokens: int | None) -> list[list[int]]:
        """Encode normalized source sentences, with the family's language tags."""
        return self._encode_with_tags(texts, max_tokens)

    def _encode_with_tags(
        self,
        texts: Sequence[str],
        max_tokens: int | None = None,
        *,
        before: Sequence[int] = (),
        as_target: bool = False,
    ) -> list[list[int]]:
        """Encode texts with the tokenizer's special tokens and, before each text, further ids."""
        begin, end = self._special_tokens_of(as_target=as_target)
        begin = [*begin, *before]
        max_text_tokens = None if max_tokens is None else max(0, max_tokens - len(begin) - len(end))
        return [
            [*begin, *ids[:max_text_tokens], *end]
            for ids in self._encode_text(texts, as_target=as_target)
        ]

    def _encode_text(self, texts: Sequence[str], *, as_target: bool = False) -> list[list[int]]:
        """Encode texts without special tokens, whatever control tokens they spell out."""
        if not texts:
            return []
        if self._encoder:
            return [row.ids for row in self._encoder.encode(texts)]
        return self._tokenize(list(texts), as_target=as_target, add_special_tokens=False)

    def _special_tokens_of(self, *, as_target: bool) -> tuple[list[int], list[int]]:
        """Find the special tokens that the tokenizer puts before and after a text of one side."""
        # Found by comparing encodings with and without them: tokenizers do not list them.
        if as_target not in self._special_tokens:
            (with_tokens,) = self._tokenize(["a"], as_target=as_target, add_special_tokens=True)
            (text,) = self._tokenize(["a"], as_target=as_target, add_special_tokens=False)
            start = next(
                i for i in range(len(with_tokens)) if with_tokens[i : i + len(text)] == text
            )
            self._special_tokens[as_target] = (
                with_tokens[:start],
                with_tokens[start + len(text) :],
            )
        return self._special_tokens[as_target]

    def _tokenize(
        self, texts: list[str], *, as_target: bool, add_special_tokens: bool
    ) -> list[list[int]]:
        """Call the tokenizer on texts of one side."""
        side = {"text_target" if as_target else "text": texts}
        return self.tokenizer(**side, add_special_tokens=add_special_tokens)["input_ids"]
