"""Codecs for each way to name languages: codes, tags, an instruction, a prompt, or nothing."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, M2M100Tokenizer, PreTrainedTokenizerBase

from nmt.errors import ConfigError, ModelError, did_you_mean
from nmt.languages import languages, resolve_language
from nmt.models.tokenization.codec import Codec

_EXTRA_CODES = {"ns": "nso"}
"""M2M100's code of Northern Sotho is not an ISO 639 code."""


class LanguageCodes(Codec):
    """A codec whose sources and targets start with a FLORES-200 code, as in NLLB."""

    def set_languages(self) -> None:
        """Set both codes."""
        find_language_token(self.tokenizer, "data.source_language", self.source_language)
        self._forced = find_language_token(
            self.tokenizer, "data.target_language", self.target_language
        )
        self.tokenizer.src_lang = self.source_language
        self.tokenizer.tgt_lang = self.target_language
        if self.encode_targets(["a"])[0][0] != self._forced:
            raise ModelError(
                "model.name_or_path: the tokenizer puts the language code last "
                "(legacy_behaviour=true), but it must come first: set legacy_behaviour to false in "
                "tokenizer_config.json"
            )

    def generation_options(self) -> dict[str, Any]:
        """Force the target code as the first token."""
        return {"forced_bos_token_id": self._forced}


class ModelCodes(Codec):
    """A codec with a model's own codes as first tokens: `ta_IN` (mBART-50), `__ta__` (M2M100)."""

    def set_languages(self) -> None:
        """Find the model's code for each language and set it."""
        ids: dict[str, int] = getattr(self.tokenizer, "lang_code_to_id", {})
        known = [code for code, token in ids.items() if token != self.tokenizer.unk_token_id]
        source = find_model_code(known, "data.source_language", self.source_language)
        target = find_model_code(known, "data.target_language", self.target_language)
        self.tokenizer.src_lang, self.tokenizer.tgt_lang = source, target
        self._forced = ids[target]
        if (
            self.encode_sources(["a"])[0][0] != ids[source]
            or self.encode_targets(["a"])[0][0] != self._forced
        ):
            raise ModelError(
                f"model.name_or_path: {type(self.tokenizer).__name__} does not put the language "
                "code first (as the first mBART does not): use an mBART-50 or M2M100 model"
            )

    def generation_options(self) -> dict[str, Any]:
        """Force the target code as the first token."""
        return {"forced_bos_token_id": self._forced}

    def decode(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """Decode without the target code."""
        # M2M100's tokenizer does not treat its codes as special tokens, so it would print them.
        without_code = generated_BT.masked_fill(generated_BT == self._forced, self.pad_token)
        return super().decode(without_code, prompt_width)


def language_codes(
    tokenizer: PreTrainedTokenizerBase, source_language: str, target_language: str
) -> Codec:
    """Choose NLLB's codec or M2M100's by the tokenizer."""
    # Both models have the same architecture, so config.json does not distinguish them.
    kind = ModelCodes if isinstance(tokenizer, M2M100Tokenizer) else LanguageCodes
    return kind(tokenizer, source_language, target_language)


class TargetTag(Codec):
    """A codec with `>>tam<<` before the source, as in multilingual MarianMT models."""

    def set_languages(self) -> None:
        """Find the target's tag."""
        # A model without any tags translates into a single language.
        known = [
            token[2:-2]
            for token in self.tokenizer.get_vocab()
            if token.startswith(">>") and token.endswith("<<")
        ]
        self._tag: list[int] = []
        if known:
            code = find_model_code(known, "data.target_language", self.target_language)
            self._tag = [self.tokenizer.convert_tokens_to_ids(f">>{code}<<")]

    def _sources(self, texts: Sequence[str], max_tokens: int | None) -> list[list[int]]:
        """Encode sources as `>>tag<< X </s>`."""
        return self._encode_with_tags(texts, max_tokens, before=self._tag)

    def _encode_text(self, texts: Sequence[str], *, as_target: bool = False) -> list[list[int]]:
        """Encode texts without special tokens and tags."""
        # Marian's tokenizer treats a text's leading `>>...<<` as a tag. A space before it prevents
        # that, and SentencePiece drops the space again.
        return super()._encode_text([f" {text}" for text in texts], as_target=as_target)

    def decode(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """Decode with the target side's SentencePiece model."""
        # By default, the tokenizer decodes with the source side's model.
        del prompt_width
        rows: Any = generated_BT
        separate = self.tokenizer.separate_vocabs
        if separate:  # the tokenizer knows the ids of special tokens in the source vocabulary only
            ids = self.tokenizer.target_encoder
            special = {ids.get(token) for token in self.tokenizer.all_special_tokens}
            rows = [[i for i in row if i not in special] for row in generated_BT.tolist()]
        texts = self.tokenizer.batch_decode(
            rows, skip_special_tokens=not separate, use_source_tokenizer=False
        )
        return [text.strip() for text in texts]


class Instruction(Codec):
    """A codec with T5's instruction: `translate English to Tamil: X </s>`."""

    def set_languages(self) -> None:
        """Build the instruction from the English names of both languages."""
        source, target = _language_names(self)
        self._instruction = f"translate {source} to {target}: "

    def _sources(self, texts: Sequence[str], max_tokens: int | None) -> list[list[int]]:
        """Encode sources after the instruction."""
        return self._encode_with_tags([self._instruction + text for text in texts], max_tokens)


class Untagged(Codec):
    """A codec without language tags: `[CLS] X [SEP]` on both sides."""

    def set_languages(self) -> None:
        """Do nothing: the training data alone determines the languages."""

    def generation_options(self) -> dict[str, Any]:
        """Return the end and padding tokens."""
        # An encoder's tokenizer ends a sentence with [SEP], which `generate` does not know.
        return {"eos_token_id": self.tokenizer.sep_token_id, "pad_token_id": self.pad_token}


class Prompt(Codec):
    """A codec for decoder-only models: a prompt, the source and the target, on one line each."""

    # The prompt's parts are tokenized separately. So a long source can be cut without losing the
    # prompt's end, and training and decoding see the same tokens.

    one_sequence = True

    def set_languages(self) -> None:
        """Tokenize the prompt's parts before and after the source.

        Raises:
            ModelError: the tokenizer has no end token.
        """
        end = self.tokenizer.eos_token_id
        if end is None:
            raise ModelError(
                "model.name_or_path: the tokenizer has no eos_token to end a "
                "translation with: set it in tokenizer_config.json"
            )
        self._end: int = end
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.tokenizer.padding_side = "left"
        source, target = _language_names(self)
        self.instruction = f"Translate {source} to {target}:\n"
        """The first line of a prompt."""
        head = self.tokenizer(self.instruction)["input_ids"]
        self._head: list[int] = head[:-1] if head[-1] == end else head
        self._tail: list[int] = self._encode_text(["\n"])[0]

    def _sources(self, texts: Sequence[str], max_tokens: int | None) -> list[list[int]]:
        """Encode prompts, up to where the translation begins."""
        max_text_tokens = None
        if max_tokens is not None:
            max_text_tokens = max(1, max_tokens - len(self._head) - len(self._tail))
        return [
            [*self._head, *ids[:max_text_tokens], *self._tail] for ids in self._encode_text(texts)
        ]

    def encode_targets(self, texts: Sequence[str]) -> list[list[int]]:
        """Encode translations on one line, with the end token."""
        # A line break would end the translation in `decode`.
        rows = self._encode_text([" ".join(text.split("\n")) for text in texts])
        return [[*ids, self._end] for ids in rows]

    def generation_options(self) -> dict[str, Any]:
        """Return the end and padding tokens, and those with a line break, which ends as well."""
        # The generation settings of such models often lack them.
        ends = [self._end, *(token for token in self._line_breaks if token != self._end)]
        return {"eos_token_id": ends, "pad_token_id": self.pad_token}

    @cached_property
    def _line_breaks(self) -> list[int]:
        """Find the tokens with a line break: what follows it is not a part of the translation."""
        # Many vocabularies have tokens such as a full stop with a line break.
        texts = self.tokenizer.batch_decode([[token] for token in range(self.vocabulary_size)])
        return [token for token, text in enumerate(texts) if "\n" in text]

    def pad(self, sources: Sequence[Sequence[int]]) -> BatchEncoding:
        """Pad rows on the left."""
        # Generation continues each row at its end, so there must be no padding after it.
        return self.tokenizer.pad({"input_ids": sources}, padding_side="left", return_tensors="pt")

    def decode(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """Decode the first line after the prompt."""
        texts = super().decode(generated_BT[:, prompt_width:], prompt_width)
        return [text.partition("\n")[0].rstrip() for text in texts]


def find_language_token(tokenizer: PreTrainedTokenizerBase, key: str, code: str) -> int:
    """Find the token id of a language code.

    Raises:
        ModelError: the tokenizer has no such code.
    """
    token = tokenizer.convert_tokens_to_ids(code)
    if not isinstance(token, int) or token == tokenizer.unk_token_id:
        known = [str(t) for t in tokenizer.all_special_tokens if "_" in str(t)]
        near = did_you_mean(code, known) or f" It has: {', '.join(known[:12])}."
        raise ModelError(f"{key}={code}: the model's tokenizer has no such code.{near}")
    return token


def find_model_code(known: Iterable[str], key: str, language: str) -> str:
    """Find a model's own code for a language; the shortest if there are several.

    Args:
        known: the model's codes; those that `resolve_language` does not know are ignored.
        key: configuration key of the language, for error messages.
        language: FLORES-200 code.

    Raises:
        ModelError: the model has no code for the language.
    """
    by_language: dict[str, str] = {}
    for code in sorted(known, key=len):
        try:
            by_language.setdefault(resolve_language(_EXTRA_CODES.get(code, code)), code)
        except ConfigError:
            continue
    if language not in by_language:
        near = did_you_mean(language, by_language) or f" It knows: {', '.join(by_language)}."
        raise ModelError(f"{key}={language}: the model does not know this language.{near}")
    return by_language[language]


def _language_names(codec: Codec) -> tuple[str, str]:
    """Return the English names of both languages."""
    names = []
    for side, code in (("source", codec.source_language), ("target", codec.target_language)):
        if code not in languages():
            near = did_you_mean(code, languages())
            raise ModelError(f"data.{side}_language={code}: not a FLORES-200 language code.{near}")
        names.append(languages()[code].name)
    return names[0], names[1]
