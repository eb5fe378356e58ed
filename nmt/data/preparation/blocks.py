"""The work on each pair alone: blocks of raw pairs become blocks of cleaned pairs with their keys.

A block is an Arrow table, so that it can be written to disk or sent to another process.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nmt.config.sections.cleaning import CleaningConfig
from nmt.data.cleaning import (
    EMPTY_SIDE,
    WOULD_BE_DROPPED,
    CleanedBlock,
    Drop,
    Features,
    clean_block,
    plain_texts,
)
from nmt.data.formats.rows import RawPair
from nmt.data.overlap import Keys, keys_of

# Large enough that the fixed costs of a task on Ray do not count; a block and its keys take
# some ten megabytes of memory.
BLOCK_PAIRS = 20_000
BLOCK_CHARACTERS = 32_000_000
"""Maximum size of a block of long texts."""
_READ_AT_ONCE = 1000


def _key_columns(keys: Keys) -> dict[str, pa.Array]:
    """Store the keys as columns; the row of a two-dimensional array is one binary value."""
    # From the fields of `Keys`, so that this module need not know what they are.
    columns: dict[str, pa.Array] = {}
    for field in fields(keys):
        values = np.ascontiguousarray(getattr(keys, field.name))
        if values.ndim == 1:
            columns[f"key_{field.name}"] = pa.array(values)
            continue
        kind = pa.binary(values.shape[1] * values.itemsize)
        buffers = [None, pa.py_buffer(values)]
        columns[f"key_{field.name}"] = pa.Array.from_buffers(kind, len(values), buffers)
    return columns


NO_KEYS = keys_of([], [], 0)
"""The keys of no pairs, which show the type and width of each."""
RAW = pa.schema(
    {"source": pa.string(), "target": pa.string(), "line": pa.uint32(), "score": pa.float64()}
)
"""Columns of a block as it was read."""
LOW_SCORE = "low_score"
CLEANED = pa.schema(
    {
        "rule": pa.string(),  # null for a pair that is kept
        "value": pa.string(),
        "source": pa.string(),  # of a dropped pair as it was read, else cleaned
        "target": pa.string(),
        "line": pa.uint32(),
        "log_ratio": pa.float32(),  # from here on null for a dropped pair
        "length": pa.int32(),
        "flags": pa.uint8(),
    }
    | {name: array.type for name, array in _key_columns(NO_KEYS).items()}
)
"""Columns of a processed block: first the kept pairs in order, then the dropped ones."""


@dataclass(frozen=True, slots=True)
class BlockRules:
    """How the pairs of one input are processed."""

    source_language: str
    target_language: str
    seed: int
    cleaning: CleaningConfig
    min_score: float | None = None
    keeps_all: bool = False
    """Whether every pair is kept as it is, as in a test set."""


def raw_blocks(rows: Iterable[RawPair]) -> Iterator[pa.Table]:
    """Gather raw pairs into blocks."""
    remaining = iter(rows)
    # The size is checked now and then only: a test for each row would cost as much as reading it.
    block: list[RawPair] = []
    characters = 0
    while part := list(islice(remaining, _READ_AT_ONCE)):
        block += part
        characters += sum(len(row.source) + len(row.target) for row in part)
        if len(block) >= BLOCK_PAIRS or characters >= BLOCK_CHARACTERS:
            yield _raw_block(block)
            block, characters = [], 0
    if block:
        yield _raw_block(block)


def _raw_block(rows: Sequence[RawPair]) -> pa.Table:
    sources, targets, lines, scores, _ = zip(*rows, strict=True)
    columns = [_strings(sources), _strings(targets), pa.array(lines, pa.uint32())]
    return pa.table([*columns, pa.array(scores, pa.float64())], schema=RAW)


def _strings(texts: Sequence[str]) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        # JSON may hold half of a surrogate pair, which no file in UTF-8 can.
        pairs_joined = (text.encode("utf-16", "surrogatepass") for text in texts)
        readable = [text.decode("utf-16", "replace") for text in pairs_joined]
        return pa.array(readable, pa.string())


def process_block(block: pa.Table, rules: BlockRules) -> pa.Table:
    """Clean the pairs of a raw block, and compute features and keys of those that are kept."""
    sources, targets = block["source"].to_pylist(), block["target"].to_pylist()
    if rules.keeps_all:
        return _as_it_is(sources, targets, block["line"].to_numpy(), rules)
    # Scores come first, since they cost nothing and can drop most of a mined corpus.
    rows, drops = _by_score(block, rules.min_score)
    if drops:
        texts = [sources[row] for row in rows], [targets[row] for row in rows]
    else:
        texts = sources, targets
    kept = clean_block(*texts, rules.cleaning, rules.source_language, rules.target_language)
    drops += [Drop(int(rows[drop.row]), drop.rule, drop.value) for drop in kept.drops]
    lines = block["line"].to_numpy()
    dropped = {
        "rule": pa.array([drop.rule for drop in drops], pa.string()),
        "value": pa.array([written(drop.value) for drop in drops], pa.string()),
        "source": pa.array([sources[drop.row] for drop in drops], pa.string()),
        "target": pa.array([targets[drop.row] for drop in drops], pa.string()),
        "line": pa.array(lines[[drop.row for drop in drops]], pa.uint32()),
    }
    return pa.concat_tables(
        [
            _kept_table(
                kept, lines[rows[kept.rows]], keys_of(kept.sources, kept.targets, rules.seed)
            ),
            _table(dropped, len(drops)),
        ]
    )


def kept_rows(cleaned: pa.Table) -> int:
    """Count the pairs at the beginning of a processed block that are kept."""
    return cleaned["rule"].null_count


def written(value: float | str | None) -> str | None:
    """Write the value that a rule has measured."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return None if value is None else str(value)


def _by_score(block: pa.Table, minimum: float | None) -> tuple[NDArray[np.int64], list[Drop]]:
    """Return the rows whose score is high enough, and the drops of the others."""
    rows = np.arange(block.num_rows)
    if minimum is None:
        return rows, []
    # A score that is missing is read as NaN, which is not high enough.
    scores = block["score"].to_numpy()
    enough = scores >= minimum
    drops = [
        Drop(int(row), LOW_SCORE, None if np.isnan(scores[row]) else float(scores[row]))
        for row in rows[~enough]
    ]
    return rows[enough], drops


def _as_it_is(
    sources: list[str], targets: list[str], lines: NDArray[np.uint32], rules: BlockRules
) -> pa.Table:
    """Keep every pair of a test set unchanged, and flag those that cleaning would drop."""
    count = len(sources)
    cleaned = clean_block(
        sources, targets, rules.cleaning, rules.source_language, rules.target_language
    )
    flags = np.full(count, WOULD_BE_DROPPED, np.uint8)
    flags[cleaned.rows] = cleaned.features.flags
    flags[[drop.row for drop in cleaned.drops if drop.rule == "empty"]] = EMPTY_SIDE
    features = Features(np.zeros(count, np.float32), np.zeros(count, np.int32), flags)
    kept = CleanedBlock(sources, targets, np.arange(count, dtype=np.int32), features, [])
    # Its keys are those of cleaned text, so that training pairs like it are found.
    keys = keys_of(plain_texts(sources), plain_texts(targets), rules.seed)
    return _kept_table(kept, lines, keys)


def _kept_table(kept: CleanedBlock, lines: NDArray[np.uint32], keys: Keys) -> pa.Table:
    count = len(kept.sources)
    return _table(
        {
            "source": pa.array(kept.sources, pa.string()),
            "target": pa.array(kept.targets, pa.string()),
            "line": pa.array(lines, pa.uint32()),
            "log_ratio": pa.array(kept.features.log_ratios),
            "length": pa.array(kept.features.lengths),
            "flags": pa.array(kept.features.flags),
            **_key_columns(keys),
        },
        count,
    )


def _table(columns: dict[str, pa.Array], rows: int) -> pa.Table:
    """Make a processed block, with null in the columns that are not given."""
    arrays = [columns.get(field.name, pa.nulls(rows, field.type)) for field in CLEANED]
    return pa.table(arrays, schema=CLEANED)


def features_and_keys(cleaned: pa.Table) -> tuple[Features, Keys]:
    """Read the features and keys of the kept pairs of a processed block."""
    kept = cleaned.slice(0, kept_rows(cleaned))

    def column(name: str) -> NDArray[Any]:
        return kept[name].to_numpy()

    features = Features(column("log_ratio"), column("length"), column("flags"))
    keys = {
        field.name: _key_array(kept[f"key_{field.name}"], getattr(NO_KEYS, field.name))
        for field in fields(NO_KEYS)
    }
    return features, Keys(**keys)


def _key_array(column: pa.ChunkedArray, template: NDArray[Any]) -> NDArray[Any]:
    """Read a column of keys as an array of the template's type and width."""
    width = template.shape[1] if template.ndim > 1 else 1
    # Copied chunk by chunk, since Arrow makes Python objects of binary values.
    whole = np.empty(len(column) * width, template.dtype)
    first = 0
    for chunk in column.chunks:
        values = np.frombuffer(chunk.buffers()[1], template.dtype)
        whole[first : first + len(chunk) * width] = values[chunk.offset * width :][
            : len(chunk) * width
        ]
        first += len(chunk) * width
    return whole.reshape(-1, width) if template.ndim > 1 else whole
