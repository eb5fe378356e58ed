"""A byte-pair tokenizer, and a copy of it with only some of its tokens. Imports no torch."""

import json
from collections.abc import Collection, Iterable
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from nmt.errors import ExportError

TOKENIZER_FILE = "tokenizer.json"


class BytePairs:
    """The content of a `tokenizer.json` whose words are merged from characters."""

    def __init__(self, content: str) -> None:
        """Read the content of the file.

        Raises:
            ExportError: the tokenizer is of another kind.
        """
        self._state: dict[str, Any] = json.loads(content)
        self._model: dict[str, Any] = self._state["model"]
        # Other kinds spell their tokens differently, or choose them by more than their merges.
        decoder = (self._state.get("decoder") or {}).get("type")
        affixes = [
            self._model.get("continuing_subword_prefix"),
            self._model.get("end_of_word_suffix"),
        ]
        if self._model.get("type") != "BPE" or decoder != "Metaspace" or any(affixes):
            raise ExportError(
                "only the vocabulary of a byte-pair tokenizer with Metaspace, as NLLB has it, can "
                "be cut: set export.vocabulary=full"
            )

    @cached_property
    def specials(self) -> frozenset[str]:
        """Return the control tokens and all others that were added to the vocabulary."""
        return frozenset(token["content"] for token in self._state["added_tokens"])

    @cached_property
    def ids(self) -> dict[str, int]:
        """Map every token to its id."""
        added = {token["content"]: int(token["id"]) for token in self._state["added_tokens"]}
        return {**self._model["vocab"], **added}

    def close(self, tokens: Iterable[str]) -> set[str]:
        """Add to tokens all that they are merged from, so that a text can still yield them."""
        closed: set[str] = set()
        for token in tokens:
            closed.add(token)
            closed.update(self._steps_to(token))
        return closed

    def without_others(self, tokens: Collection[str]) -> str:
        """Write the file of a tokenizer that has only these tokens, numbered anew.

        Args:
            tokens: closed under merges, with all of `specials`.

        Raises:
            ExportError: the library numbers the tokens of the file otherwise.
        """
        new = {token: number for number, token in enumerate(self.ordered(tokens))}
        vocabulary = [token for token in self._model["vocab"] if token in new]
        merges = [
            [left, right]
            for left, right in self._model["merges"]
            if left in new and right in new and left + right in new
        ]
        model = self._model | {
            "vocab": {token: new[token] for token in vocabulary},
            "merges": merges,
        }
        added = [token | {"id": new[token["content"]]} for token in self._state["added_tokens"]]
        changed = {"model": model, "added_tokens": added, "truncation": None, "padding": None}
        text = json.dumps(
            self._state | changed | {"post_processor": self._post_processor(new)},
            ensure_ascii=False,
        )
        if Tokenizer.from_str(text).get_vocab() != new:
            raise ExportError(
                "the tokenizer numbers its special tokens in an order that cannot be kept in a "
                "smaller vocabulary: set export.vocabulary=full"
            )
        return text

    def ordered(self, tokens: Iterable[str]) -> list[str]:
        """Sort tokens by their ids."""
        return sorted(tokens, key=self.ids.__getitem__)

    @cached_property
    def _ranks(self) -> dict[tuple[str, str], int]:
        return {(left, right): rank for rank, (left, right) in enumerate(self._model["merges"])}

    def _steps_to(self, token: str) -> set[str]:
        """Collect what the tokenizer has at each step of encoding a token's own text."""
        # A text that yields a token goes through the same steps as the token alone: no merge ever
        # crosses its borders. So these are all the merges that the token needs.
        ranks, parts = self._ranks, list(token)
        seen = set(parts)
        while len(parts) > 1:
            last = len(ranks)
            found = [ranks.get(pair, last) for pair in pairwise(parts)]
            place = min(range(len(found)), key=found.__getitem__)
            if found[place] == last:
                break
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
            seen.add(parts[place])
        return seen & self.ids.keys()

    def _post_processor(self, new: dict[str, int]) -> object:
        """Return what transformers puts around a text, with the new numbers."""
        processor = self._state.get("post_processor")
        # The engine adds them itself, so another kind can be left out.
        if not processor or processor["type"] != "TemplateProcessing":
            return None
        around = {
            name: entry | {"ids": [new[token] for token in entry["tokens"]]}
            for name, entry in processor["special_tokens"].items()
        }
        return processor | {"special_tokens": around}


def read_byte_pairs(folder: Path) -> BytePairs:
    """Read the tokenizer of a folder.

    Raises:
        ExportError: it is of another kind.
    """
    return BytePairs((folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
