"""Text side of a model: sentences to token ids and back, in one pair of languages."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, PreTrainedTokenizerBase


class Codec(ABC):
    """A tokenizer, and how a family marks what is to be translated into which language."""

    one_sequence = False
    """Whether the target continues the source, as a decoder-only model wants it."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, source_language: str, target_language: str
    ) -> None:
        """Prepare a tokenizer for one direction.

        Args:
            tokenizer: is changed, so that it belongs to this codec from here on.
            source_language: FLORES-200 code.
            target_language: FLORES-200 code.

        Raises:
            ModelError: the model does not know a language.
        """
        self.tokenizer: Any = tokenizer
        self.source_language = source_language
        self.target_language = target_language
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Set the languages in the tokenizer; raise `ModelError` where it lacks one."""

    @property
    def pad_token(self) -> int:
        """Token id that fills a batch up."""
        return int(self.tokenizer.pad_token_id)

    def sources(self, texts: Sequence[str], max_tokens: int | None = None) -> list[list[int]]:
        """What the model reads for each sentence; beyond `max_tokens` it is cut."""
        return self._encoded(list(texts), max_tokens) if texts else []

    def targets(self, texts: Sequence[str]) -> list[list[int]]:
        """What the model is to answer, with its end mark."""
        return self.tokenizer(text_target=list(texts))["input_ids"] if texts else []

    def padded(self, sources: Sequence[Sequence[int]]) -> BatchEncoding:
        """`input_ids` and `attention_mask` for `generate`."""
        return self.tokenizer.pad({"input_ids": sources}, return_tensors="pt")

    def generation_options(self) -> dict[str, Any]:
        """What `generate` must be told for this direction."""
        return {}

    def hypotheses(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """Text of what `generate` returned for sources padded to `prompt_width` tokens."""
        del prompt_width  # an encoder-decoder does not repeat its source
        texts = self.tokenizer.batch_decode(generated_BT, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def save(self, folder: Path) -> None:
        """Write the tokenizer as transformers reads it."""
        self.tokenizer.save_pretrained(folder)

    def _encoded(self, texts: list[str], max_tokens: int | None) -> list[list[int]]:
        cut = {"truncation": True, "max_length": max_tokens} if max_tokens else {}
        return self.tokenizer(texts, **cut)["input_ids"]
