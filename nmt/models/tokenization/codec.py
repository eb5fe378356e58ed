"""Text side of a model: sentences to token ids and back, in one pair of languages."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, PreTrainedTokenizerBase

from nmt.models.tokenization.text_encoder import TextEncoder
from nmt.text.normalise import normalise


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
        self.tokenizer.split_special_tokens = True  # of a slow one; a fast one has the encoder
        self._encoder = (
            TextEncoder(self.tokenizer.backend_tokenizer, self.tokenizer.unk_token)
            if self.tokenizer.is_fast
            else None
        )
        self._marks: dict[bool, tuple[list[int], list[int]]] = {}
        self.source_language = source_language
        self.target_language = target_language
        self.set_languages()

    @abstractmethod
    def set_languages(self) -> None:
        """Set the languages in the tokenizer; raise `ModelError` where it lacks one."""

    @property
    def pad_token(self) -> int:
        """Token id that fills a batch up."""
        return int(self.tokenizer.pad_token_id)

    def encode_sources(
        self, texts: Sequence[str], max_tokens: int | None = None
    ) -> list[list[int]]:
        """Encode sentences as the model reads them, in one spelling and cut at `max_tokens`."""
        return self._sources([normalise(text) for text in texts], max_tokens)

    def encode_targets(self, texts: Sequence[str]) -> list[list[int]]:
        """What the model is to answer, with its end mark."""
        return self._marked(texts, as_target=True)

    def token_ends(self, text: str) -> list[int]:
        """Find where each token of a text ends; nothing where the tokenizer does not tell."""
        return [end for _, end in self._encoder.encode([text])[0].offsets] if self._encoder else []

    def pad(self, sources: Sequence[Sequence[int]]) -> BatchEncoding:
        """`input_ids` and `attention_mask` for `generate`."""
        return self.tokenizer.pad({"input_ids": sources}, return_tensors="pt")

    def generation_options(self) -> dict[str, Any]:
        """What `generate` must be told for this direction."""
        return {}

    def decode(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """Text of what `generate` returned for sources padded to `prompt_width` tokens."""
        del prompt_width  # an encoder-decoder does not repeat its source
        texts = self.tokenizer.batch_decode(generated_BT, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def save(self, folder: Path) -> None:
        """Write the tokenizer as transformers reads it."""
        self.tokenizer.save_pretrained(folder)

    def _sources(self, texts: Sequence[str], max_tokens: int | None) -> list[list[int]]:
        """Encode sentences as `normalise` returns them, with all that marks them."""
        return self._marked(texts, max_tokens)

    def _marked(
        self,
        texts: Sequence[str],
        max_tokens: int | None = None,
        *,
        before: Sequence[int] = (),
        as_target: bool = False,
    ) -> list[list[int]]:
        """Put the tokenizer's own marks around texts, and `before` between them and the text."""
        begin, end = self._marks_of(as_target=as_target)
        begin = [*begin, *before]
        room = None if max_tokens is None else max(0, max_tokens - len(begin) - len(end))
        return [[*begin, *ids[:room], *end] for ids in self._pieces(texts, as_target=as_target)]

    def _pieces(self, texts: Sequence[str], *, as_target: bool = False) -> list[list[int]]:
        """Encode texts alone: nothing that they say becomes a mark."""
        if not texts:
            return []
        if self._encoder:
            return [row.ids for row in self._encoder.encode(texts)]
        return self._tokenized(list(texts), as_target=as_target, marks=False)

    def _marks_of(self, *, as_target: bool) -> tuple[list[int], list[int]]:
        """Find what the tokenizer puts before and after a text of one side."""
        if as_target not in self._marks:
            (whole,) = self._tokenized(["a"], as_target=as_target, marks=True)
            (alone,) = self._tokenized(["a"], as_target=as_target, marks=False)
            start = next(i for i in range(len(whole)) if whole[i : i + len(alone)] == alone)
            self._marks[as_target] = (whole[:start], whole[start + len(alone) :])
        return self._marks[as_target]

    def _tokenized(self, texts: list[str], *, as_target: bool, marks: bool) -> list[list[int]]:
        side = {"text_target" if as_target else "text": texts}
        return self.tokenizer(**side, add_special_tokens=marks)["input_ids"]
