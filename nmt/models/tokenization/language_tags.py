"""How the families mark languages: codes, tags, an instruction, a prompt, or nothing at all."""

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, M2M100Tokenizer, PreTrainedTokenizerBase

from nmt.errors import ConfigError, ModelError, did_you_mean
from nmt.languages import languages, resolve_language
from nmt.models.tokenization.codec import Codec

_ODD_CODES = {"ns": "nso"}
"""M2M100 has a code of its own for Northern Sotho."""


class LanguageCodes(Codec):
    """FLORES-200 codes as first tokens of source and target, as NLLB has them."""

    def set_languages(self) -> None:
        """Check both codes and set them."""
        find_language_token(self.tokenizer, "data.source_language", self.source_language)
        self._forced = find_language_token(
            self.tokenizer, "data.target_language", self.target_language
        )
        self.tokenizer.src_lang = self.source_language
        self.tokenizer.tgt_lang = self.target_language
        if self.encode_targets(["a"])[0][0] != self._forced:
            raise ModelError(
                "model.name_or_path: the tokenizer puts the language code last "
                "(legacy_behaviour=true), and translations begin with it: set legacy_behaviour to "
                "false in tokenizer_config.json"
            )

    def generation_options(self) -> dict[str, Any]:
        """The target code is the first token of every answer."""
        return {"forced_bos_token_id": self._forced}


class ModelCodes(Codec):
    """A model's own codes as first tokens: `ta_IN` of mBART-50, `__ta__` of M2M100."""

    def set_languages(self) -> None:
        """Find the model's code of either language and set it."""
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
        """The target code is the first token of every answer."""
        return {"forced_bos_token_id": self._forced}

    def decode(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """Without the target code, which M2M100's tokenizer does not hold for a special token."""
        without_code = generated_BT.masked_fill(generated_BT == self._forced, self.pad_token)
        return super().decode(without_code, prompt_width)


def language_codes(
    tokenizer: PreTrainedTokenizerBase, source_language: str, target_language: str
) -> Codec:
    """NLLB's codec or M2M100's: both have one architecture, and the tokenizer tells."""
    kind = ModelCodes if isinstance(tokenizer, M2M100Tokenizer) else LanguageCodes
    return kind(tokenizer, source_language, target_language)


class TargetTag(Codec):
    """`>>tam<<` before the source where the vocabulary has such tags, as multilingual Marian."""

    def set_languages(self) -> None:
        """Find the tag; a model without any tag translates into its one language."""
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
        """`>>tag<< X </s>`."""
        return self._marked(texts, max_tokens, before=self._tag)

    def _pieces(self, texts: Sequence[str], *, as_target: bool = False) -> list[list[int]]:
        # Marian takes what stands first between `>>` and `<<` for a tag. SentencePiece drops the
        # space, which hides it.
        return super()._pieces([f" {text}" for text in texts], as_target=as_target)

    def decode(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """Put together by the target side's SentencePiece model; by default it is the source's."""
        del prompt_width
        rows: Any = generated_BT
        own = self.tokenizer.separate_vocabs
        if own:  # the ids of the tokenizer's special tokens are those of the source's vocabulary
            ids = self.tokenizer.target_encoder
            special = {ids.get(token) for token in self.tokenizer.all_special_tokens}
            rows = [[i for i in row if i not in special] for row in generated_BT.tolist()]
        texts = self.tokenizer.batch_decode(
            rows, skip_special_tokens=not own, use_source_tokenizer=False
        )
        return [text.strip() for text in texts]


class Instruction(Codec):
    """`translate English to Tamil: X </s>`, as T5 was trained."""

    def set_languages(self) -> None:
        """Name both languages in English."""
        source, target = _language_names(self)
        self._instruction = f"translate {source} to {target}: "

    def _sources(self, texts: Sequence[str], max_tokens: int | None) -> list[list[int]]:
        """The instruction and the sentence."""
        return self._marked([self._instruction + text for text in texts], max_tokens)


class Untagged(Codec):
    """`[CLS] X [SEP]` on both sides; the languages are what the model is trained on."""

    def set_languages(self) -> None:
        """Nothing to mark."""

    def generation_options(self) -> dict[str, Any]:
        """An encoder's tokenizer ends with its separator, of which `generate` does not know."""
        return {"eos_token_id": self.tokenizer.sep_token_id, "pad_token_id": self.pad_token}


class Prompt(Codec):
    """`Translate English to Tamil:`, the source and the target on a line each, then the end.

    The parts are tokenized apart, so that a cut source leaves the prompt whole, and training and
    decoding see the same tokens.
    """

    one_sequence = True

    def set_languages(self) -> None:
        """Tokenize what surrounds the source.

        Raises:
            ModelError: the tokenizer has no token for the end.
        """
        end = self.tokenizer.eos_token_id
        if end is None:
            raise ModelError(
                "model.name_or_path: the tokenizer has no eos_token, and so no end of a "
                "translation: set it in tokenizer_config.json"
            )
        self._end: int = end
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.tokenizer.padding_side = "left"
        source, target = _language_names(self)
        head = self.tokenizer(f"Translate {source} to {target}:\n")["input_ids"]
        self._head: list[int] = head[:-1] if head[-1] == end else head
        self._tail: list[int] = self._pieces(["\n"])[0]

    def _sources(self, texts: Sequence[str], max_tokens: int | None) -> list[list[int]]:
        """The prompt, up to where the translation begins."""
        room = None
        if max_tokens is not None:
            room = max(1, max_tokens - len(self._head) - len(self._tail))
        return [[*self._head, *ids[:room], *self._tail] for ids in self._pieces(texts)]

    def encode_targets(self, texts: Sequence[str]) -> list[list[int]]:
        """The translation and the end."""
        pieces = self._pieces([_one_line(text) for text in texts])
        return [[*ids, self._end] for ids in pieces]

    def generation_options(self) -> dict[str, Any]:
        """The end and the filler, which such a model's own settings often lack."""
        return {"eos_token_id": self._end, "pad_token_id": self.pad_token}

    def pad(self, sources: Sequence[Sequence[int]]) -> BatchEncoding:
        """Filled up on the left: a translation continues each row where it ends."""
        return self.tokenizer.pad({"input_ids": sources}, padding_side="left", return_tensors="pt")

    def decode(self, generated_BT: Tensor, prompt_width: int) -> list[str]:
        """The first line behind the prompt."""
        texts = super().decode(generated_BT[:, prompt_width:], prompt_width)
        return [text.partition("\n")[0].rstrip() for text in texts]


def find_language_token(tokenizer: PreTrainedTokenizerBase, key: str, code: str) -> int:
    """Token id of a language code.

    Raises:
        ModelError: the tokenizer has no such code, and would read it as an unknown word.
    """
    token = tokenizer.convert_tokens_to_ids(code)
    if not isinstance(token, int) or token == tokenizer.unk_token_id:
        known = [str(t) for t in tokenizer.all_special_tokens if "_" in str(t)]
        near = did_you_mean(code, known) or f" It has: {', '.join(known[:12])}."
        raise ModelError(f"{key}={code}: the model's tokenizer has no such code.{near}")
    return token


def find_model_code(known: Iterable[str], key: str, language: str) -> str:
    """The one of a model's own codes that means a language; the shortest where several do.

    Args:
        known: the model's codes, of any kind that `resolve_language` reads; others are passed by.
        key: configuration key of the language, for the message.
        language: FLORES-200 code.

    Raises:
        ModelError: none means it.
    """
    by_language: dict[str, str] = {}
    for code in sorted(known, key=len):
        try:
            by_language.setdefault(resolve_language(_ODD_CODES.get(code, code)), code)
        except ConfigError:
            continue
    if language not in by_language:
        near = did_you_mean(language, by_language) or f" It knows: {', '.join(by_language)}."
        raise ModelError(f"{key}={language}: the model does not know this language.{near}")
    return by_language[language]


def _language_names(codec: Codec) -> tuple[str, str]:
    """English names of both languages."""
    names = []
    for side, code in (("source", codec.source_language), ("target", codec.target_language)):
        if code not in languages():
            near = did_you_mean(code, languages())
            raise ModelError(f"data.{side}_language={code}: no FLORES-200 language code.{near}")
        names.append(languages()[code].name)
    return names[0], names[1]


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))
