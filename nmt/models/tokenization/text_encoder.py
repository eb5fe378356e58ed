"""Text encoding that never yields a model's control tokens. Imports no torch."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tokenizers import Encoding, Tokenizer

_HIDDEN = "\x00"
"""Prefix for the names of control tokens; `normalise` removes this character from text."""


class TextEncoder:
    """A fast tokenizer that splits `</s>`, `<mask>` or `tam_Taml` in a text like any other word."""

    def __init__(self, tokenizer: Tokenizer, unknown_token: str | None) -> None:
        """Wrap a tokenizer.

        Args:
            tokenizer: other code may use it too, but not at the same time.
            unknown_token: the control token that texts may yield, for unknown characters.
        """
        self._tokenizer = tokenizer
        self._unknown_token = unknown_token
        special = (t for t in tokenizer.get_added_tokens_decoder().items() if t[1].special)
        self._controls = {number for number, token in special if token.content != unknown_token}

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Encode texts without special tokens around them."""
        self._set_up()
        rows = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [
            self._without_controls.encode(text, add_special_tokens=False)
            if self._holds_control(text, row)
            else row
            for text, row in zip(texts, rows, strict=True)
        ]

    def _set_up(self) -> None:
        """Reset settings that the tokenizer's file or a call of transformers may have changed."""
        if not self._tokenizer.encode_special_tokens:
            self._tokenizer.encode_special_tokens = True
        if self._tokenizer.truncation or self._tokenizer.padding:
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()

    def _holds_control(self, text: str, row: Encoding) -> bool:
        """Tell whether a text was encoded with a control token."""
        # `encode_special_tokens` does not help with a unigram model: control tokens are ordinary
        # entries of its vocabulary.
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
    def _without_controls(self) -> Tokenizer:
        """Build a copy of the tokenizer without control tokens."""
        # Built only when a text needs it: it takes seconds for a large vocabulary.
        return Tokenizer.from_str(json.dumps(_hide_controls(json.loads(self._tokenizer.to_str()))))


def _hide_controls(state: dict[str, Any]) -> dict[str, Any]:
    """Rename the control tokens in a tokenizer's state, so that no text can contain them."""
    # Renamed rather than removed, so that all ids stay the same.
    controls = {token["content"] for token in state["added_tokens"] if token["special"]}

    def renamed(token: str) -> str:
        return _HIDDEN + token if token in controls else token

    model = state["model"]
    if isinstance(model["vocab"], list):
        model["vocab"] = [[renamed(token), score] for token, score in model["vocab"]]
    else:
        model["vocab"] = {renamed(token): number for token, number in model["vocab"].items()}
    if "merges" in model:
        # A merge that yields or uses a control token would refer to a name that is gone.
        merges = [(left, right, left + right) for left, right in model["merges"]]
        model["merges"] = [[m[0], m[1]] for m in merges if controls.isdisjoint(m)]
    if model.get("unk_token"):
        model["unk_token"] = renamed(model["unk_token"])
    ordinary = [token for token in state["added_tokens"] if not token["special"]]
    return {**state, "added_tokens": ordinary, "post_processor": None}
