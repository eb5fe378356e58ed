"""Text to tokens without a control token of the model among them. Imports no torch."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tokenizers import Encoding, Tokenizer

_NOT_IN_TEXT = "\x00"
"""Begins the names that control tokens get where no text may reach them; `normalise` drops it."""


class TextEncoder:
    """A fast tokenizer that spells out `</s>`, `<mask>` or `tam_Taml` where a text says so."""

    def __init__(self, tokenizer: Tokenizer, unknown_token: str | None) -> None:
        """Take a tokenizer.

        Args:
            tokenizer: may be used elsewhere too, if not at the same time.
            unknown_token: stands for a character that the vocabulary lacks, so that it may come up.
        """
        self._tokenizer = tokenizer
        self._unknown_token = unknown_token
        special = (t for t in tokenizer.get_added_tokens_decoder().items() if t[1].special)
        self._controls = {number for number, token in special if token.content != unknown_token}

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Encode texts by themselves, without a model's marks around them."""
        self._set_up()
        rows = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [
            self._speller.encode(text, add_special_tokens=False)
            if self._holds_control(text, row)
            else row
            for text, row in zip(texts, rows, strict=True)
        ]

    def _set_up(self) -> None:
        """Undo what the tokenizer's file, or a call of transformers, has set."""
        if not self._tokenizer.encode_special_tokens:
            self._tokenizer.encode_special_tokens = True
        if self._tokenizer.truncation or self._tokenizer.padding:
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()

    def _holds_control(self, text: str, row: Encoding) -> bool:
        """Tell whether a control token came up all the same: a unigram model has them as words."""
        if not self._controls.isdisjoint(row.ids):
            return True
        unknown = self._unknown_token
        if unknown is None or unknown not in text:
            return False
        return any(
            token == unknown and unknown in text[start:end]
            for token, (start, end) in zip(row.tokens, row.offsets, strict=True)
        )

    @cached_property
    def _speller(self) -> Tokenizer:
        return Tokenizer.from_str(
            json.dumps(_without_controls(json.loads(self._tokenizer.to_str())))
        )


def _without_controls(state: dict[str, Any]) -> dict[str, Any]:
    """Rename a tokenizer's control tokens so that no text is split into them; ids stay."""
    controls = {token["content"] for token in state["added_tokens"] if token["special"]}

    def renamed(token: str) -> str:
        return _NOT_IN_TEXT + token if token in controls else token

    model = state["model"]
    if isinstance(model["vocab"], list):
        model["vocab"] = [[renamed(token), score] for token, score in model["vocab"]]
    else:
        model["vocab"] = {renamed(token): number for token, number in model["vocab"].items()}
    if "merges" in model:
        ends_in = [(left, right, left + right) for left, right in model["merges"]]
        model["merges"] = [[m[0], m[1]] for m in ends_in if controls.isdisjoint(m)]
    if model.get("unk_token"):
        model["unk_token"] = renamed(model["unk_token"])
    plain = [token for token in state["added_tokens"] if not token["special"]]
    return {**state, "added_tokens": plain, "post_processor": None}
