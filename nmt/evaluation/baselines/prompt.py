"""Prompts with examples: translated sentences before the one that is to be translated."""

from collections.abc import Callable, Sequence

from transformers import PreTrainedTokenizerBase

from nmt.decoding.length import output_limit
from nmt.models.tokenization.language_tags import Prompt
from nmt.text.normalise import normalise
from nmt.text.pair import Pair

Examples = Callable[[str], Sequence[Pair]]
"""Finds the examples for a normalised source, the best last."""


class ExamplePrompt(Prompt):
    """A codec that puts examples before each source, each like a prompt with its translation.

    So the end of a prompt is that of a prompt without examples, and a model continues a pattern:

        Translate English to Tamil:
        Where is the water?
        தண்ணீர் எங்கே?
        Translate English to Tamil:
        Where is the doctor?
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        source_language: str,
        target_language: str,
        *,
        examples: Examples,
        max_tokens: int,
    ) -> None:
        """Set up a tokenizer for one direction.

        Args:
            tokenizer: is modified, so only this codec may use it from now on.
            source_language: FLORES-200 code.
            target_language: FLORES-200 code.
            examples: finds the examples for a source.
            max_tokens: tokens of a prompt with examples and of its translation; examples that do
                not fit are left out, the worst first.

        Raises:
            ModelError: the tokenizer has no end token.
        """
        super().__init__(tokenizer, source_language, target_language)
        self._examples = examples
        self._max_tokens = max_tokens
        (self._instruction,) = self._encode_text([self.instruction])
        # What the tokenizer puts before a text, which only the whole prompt has.
        split = len(self._head) - len(self._instruction)
        if self._head[split:] == self._instruction:
            self._begin = self._head[:split]
        else:
            self._begin, self._instruction = [], self._head
        self._encoded: dict[Pair, list[int]] = {}
        self.left_out: dict[str, int] = {}
        """Source -> how many of its examples did not fit."""

    def count_own_tokens(self, source: Sequence[int]) -> int:
        """Count the tokens of an encoded source without those of examples before it."""
        # No text contains the instruction, since it ends with a line break.
        width = len(self._instruction)
        places = range(len(source) - width, -1, -1)
        start = next(at for at in places if list(source[at : at + width]) == self._instruction)
        return len(self._begin) + len(source) - start

    def _sources(self, texts: Sequence[str], max_tokens: int | None) -> list[list[int]]:
        """Encode prompts with examples, of which only the source itself is cut."""
        own_prompts = super()._sources(texts, max_tokens)
        return [
            self._with_examples(text, own) for text, own in zip(texts, own_prompts, strict=True)
        ]

    def _with_examples(self, text: str, own: list[int]) -> list[int]:
        examples = [self._encode_example(pair) for pair in self._examples(text)]
        room = self._max_tokens - len(own) - output_limit(len(own))
        fitting = list(examples)
        while fitting and sum(map(len, fitting)) > room:
            fitting.pop(0)
        self.left_out[text] = len(examples) - len(fitting)
        prompt = own[len(self._begin) :]
        return [*self._begin, *(token for ids in fitting for token in ids), *prompt]

    def _encode_example(self, pair: Pair) -> list[int]:
        """Encode an example, from its instruction to the line break after its translation."""
        if pair not in self._encoded:
            source, target = self._encode_text([normalise(pair.source), normalise(pair.target)])
            self._encoded[pair] = [
                *self._instruction, *source, *self._tail, *target, *self._tail,
            ]  # fmt: skip
        return self._encoded[pair]
