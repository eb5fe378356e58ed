"""The splits on disk, written in a stream."""

import hashlib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from nmt.cli.progress import PairProgress
from nmt.data.preparation.collected import FLAGS, Collected
from nmt.data.preparation.pairs import chunks
from nmt.data.preparation.reports import ScreenedSet
from nmt.data.preparation.splits import Split
from nmt.data.saved import SCHEMA, write_split, write_split_names

# The other flags only serve the rules that are fitted to the corpus.
_SHOWN = np.uint8(sum(FLAGS))


def write_splits(splits: Mapping[str, Split], collected: Collected, destination: Path) -> str:
    """Write all splits.

    Returns:
        The SHA-256 of their names and sentences, and of the corpora if these have names.
    """
    digest = hashlib.sha256()
    progress = PairProgress("prepare: wrote", sum(map(len, splits.values())))
    names = [_corpus_name(collected, number) for number in range(len(collected.parts))]

    def batches(split: Split) -> Iterator[pa.RecordBatch]:
        for batch in _batches(split, collected, names):
            _add(digest, batch, with_corpus=any(names))
            progress.add(batch.num_rows)
            yield batch

    # In the order of the names, which is the one of the digest.
    for name in sorted(splits):
        # With the number of pairs, so that a pair that moves to another split changes the digest.
        digest.update(f"{name}\0{len(splits[name])}\0".encode())
        write_split(destination, name, batches(splits[name]))
    write_split_names(destination, list(splits))
    return digest.hexdigest()


def flags_of_splits(splits: Mapping[str, Split]) -> dict[str, dict[str, int]]:
    """Count the pairs of each split that have a flag."""
    return {
        split: {
            name: int(np.count_nonzero(pairs.flags & bit))
            for bit, name in FLAGS.items()
            if np.any(pairs.flags & bit)
        }
        for split, pairs in splits.items()
    }


def screened_sets(collected: Collected) -> dict[str, ScreenedSet]:
    """Describe the named test sets, by name."""
    return {
        part.name: ScreenedSet(len(part.test_set), part.test_set.digest)
        for part in collected.parts
        if part.test_set is not None
    }


def _corpus_name(collected: Collected, number: int) -> str:
    """Return the name of a corpus; empty for `data.path`, the phrasebook and given test pairs."""
    part = collected.parts[number]
    return part.name if part.named else ""


def _batches(split: Split, collected: Collected, names: list[str]) -> Iterator[pa.RecordBatch]:
    # The text is gathered in random order from mapped files; the order is that of the split.
    corpora = pa.array(names, pa.string())
    for rows in chunks(np.arange(len(split))):
        origin = split.origin.take(rows)
        columns = [
            collected.texts.sources.take(origin.row),
            collected.texts.targets.take(origin.row),
            corpora.take(pa.array(origin.part)),
            pa.array(split.flags[rows] & _SHOWN),
        ]
        yield pa.record_batch(columns, schema=SCHEMA)


def _add(digest: "hashlib._Hash", batch: pa.RecordBatch, *, with_corpus: bool) -> None:
    """Add the sentences of a batch to a digest."""
    names = ["source", "target", *(["corpus"] if with_corpus else [])]
    rows = zip(*(batch.column(name).to_pylist() for name in names), strict=True)
    # Each text is followed by a zero byte; joined first, since many small updates are slow.
    digest.update("\0".join([*chain.from_iterable(rows), ""]).encode())
