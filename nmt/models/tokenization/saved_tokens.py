"""Tokenized pairs on disk, which every process that trains on them maps into its memory.

A folder holds, for each side, all token ids one after another and the place where each row starts.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from nmt.config import ModelConfig
from nmt.data.prepared_rows import Rows
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.encoded_pairs import EncodedPairs, TokenTable, encode_within

VERSION = 1
"""To be raised when the files, or the ids of a text, change."""
_INDEX, _CORPORA = "index.json", "corpora"


class TokenIndex(BaseModel):
    """Content of `index.json`."""

    id_type: Literal["uint16", "uint32"]
    rows: tuple[int, ...]
    """Rows of each split, in order."""
    dropped_pairs: int
    """Number of pairs longer than the limits."""
    corpora: tuple[str, ...] = ()
    """Names of the corpora, to which the file `corpora` refers; empty if there is no such file."""


@dataclass(frozen=True, slots=True)
class SavedTokens:
    """Tokenized splits, mapped into memory."""

    source: TokenTable
    target: TokenTable
    index: TokenIndex
    corpora: NDArray[np.uint16] | None
    """The corpus of each row, as a place in `index.corpora`."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map the files of a `TokenWriter`, which are read when a row is used."""
        index = TokenIndex.model_validate_json((folder / _INDEX).read_bytes())
        source, target = (
            TokenTable(
                _mapped(folder / f"{side}.ids", np.dtype(index.id_type)),
                _mapped(folder / f"{side}.offsets", np.dtype(np.int64)),
            )
            for side in ("source", "target")
        )
        corpora = _mapped(folder / _CORPORA, np.dtype(np.uint16)) if index.corpora else None
        return cls(source, target, index, corpora)

    def pairs(self, codec: Codec, round_to: int) -> EncodedPairs:
        """Return the rows as pairs that a codec has encoded."""
        return EncodedPairs(
            self.source,
            self.target,
            codec.pad_token,
            self.index.dropped_pairs,
            codec.one_sequence,
            round_to,
        )


class TokenWriter:
    """A folder of tokenized pairs that is written chunk by chunk."""

    def __init__(
        self, folder: Path, codec: Codec, limits: ModelConfig, tags: Mapping[str, str | None]
    ) -> None:
        """Open the files.

        Args:
            folder: an empty folder.
            codec: encodes the pairs.
            limits: pairs with more tokens are dropped and counted.
            tags: corpus -> text before each of its sources; empty if the corpora do not matter.
        """
        self._folder, self._codec, self._limits, self._tags = folder, codec, limits, tags
        # Half the memory and disk for vocabularies such as Marian's. An id that does not fit
        # raises an OverflowError.
        self._id_type: Literal["uint16", "uint32"] = (
            "uint16" if codec.vocabulary_size <= 2**16 else "uint32"
        )
        self._files = ExitStack()
        self._sides = [_TableWriter(folder, side, self._files) for side in ("source", "target")]
        self._corpora = self._files.enter_context((folder / _CORPORA).open("wb")) if tags else None
        self._places: dict[str, int] = {}
        self._rows: list[int] = []
        self._dropped_pairs = 0

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files, and write the index unless an error ends the block."""
        self._files.close()
        if error is None:
            index = TokenIndex(
                id_type=self._id_type,
                rows=tuple(self._rows),
                dropped_pairs=self._dropped_pairs,
                corpora=tuple(self._places),
            )
            (self._folder / _INDEX).write_text(index.model_dump_json(), encoding="utf-8")

    def begin_split(self) -> None:
        """Count the rows that follow as those of the next split."""
        self._rows.append(0)

    def add(self, rows: Rows) -> None:
        """Tokenize and write pairs."""
        encoded = encode_within(
            self._codec,
            self._tagged(rows),
            rows.targets,
            self._limits.max_source_tokens,
            self._limits.max_target_tokens,
        )
        for writer, ids in zip(self._sides, (encoded.sources, encoded.targets), strict=True):
            writer.add(TokenTable.of(ids, np.dtype(self._id_type)))
        if self._corpora:
            names = rows.corpora or [""] * len(rows.sources)
            places = [self._places.setdefault(names[i], len(self._places)) for i in encoded.kept]
            self._corpora.write(np.array(places, np.uint16).tobytes())
        self._rows[-1] += len(encoded.kept)
        self._dropped_pairs += len(rows.sources) - len(encoded.kept)

    def _tagged(self, rows: Rows) -> list[str]:
        """Put the tag of each pair's corpus before its source."""
        if not self._tags or rows.corpora is None:
            return rows.sources
        tags = [self._tags.get(name) for name in rows.corpora]
        return [
            f"{tag} {source}" if tag else source
            for tag, source in zip(tags, rows.sources, strict=True)
        ]


class _TableWriter:
    """The two files of one side."""

    def __init__(self, folder: Path, side: str, files: ExitStack) -> None:
        self._ids = files.enter_context((folder / f"{side}.ids").open("wb"))
        self._offsets = files.enter_context((folder / f"{side}.offsets").open("wb"))
        self._offsets.write(np.zeros(1, np.int64).tobytes())
        self._end = 0

    def add(self, table: TokenTable) -> None:
        """Append rows."""
        self._ids.write(table.ids.tobytes())
        self._offsets.write((table.offsets[1:] + self._end).tobytes())
        self._end += int(table.offsets[-1])


def _mapped(file: Path, kind: np.dtype) -> NDArray:
    """Map a file of numbers into memory."""
    if not file.stat().st_size:  # nothing cannot be mapped
        return np.empty(0, kind)
    # A plain view: each slice of a `memmap` would cost several times as much.
    return np.asarray(np.memmap(file, kind, "r"))
