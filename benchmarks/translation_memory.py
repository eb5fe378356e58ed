"""Time and memory of the translation memory: to index training pairs, and to search them.

The pairs are put together from halves of the pairs of a corpus, so that there can be any number of
them and that many share words. Each size is measured in a process of its own. Prints a table.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from peak_memory import peak, reset_peak

from nmt.config import DataConfig
from nmt.data.prepared_rows import MappedPairs
from nmt.data.read import open_inputs
from nmt.data.saved import SCHEMA, write_split, write_split_names
from nmt.evaluation.baselines.memory import TranslationMemory
from nmt.text.normalise import normalise

MIB = 2**20
Rows = list[tuple[str, str]]
_PAIRS_AT_ONCE = 10_000


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", help="parallel text in any format that nmt reads")
    parser.add_argument("queries", type=Path, help="text with a sentence in each line")
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--folder", type=Path, help="prepared pairs to measure; for one process")
    options = parser.parse_args()
    if options.folder:
        measure(options.folder, options.queries)
        return
    rows = read(options.corpus)
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as place:
            write(Path(place), rows, size)
            words = [options.corpus, str(options.queries), "--folder", place]
            subprocess.run([sys.executable, __file__, *words], check=True)


def read(corpus: str) -> Rows:
    """Read the pairs of a corpus."""
    first = next(open_inputs(DataConfig(path=corpus)))
    return [(normalise(row.source), normalise(row.target)) for row in first.rows]


def write(folder: Path, rows: Rows, size: int) -> None:
    """Write a training split of pairs whose halves come from two pairs of a corpus."""
    draw = random.Random(0)
    write_split(folder, "train", batches(rows, size, draw))
    write_split_names(folder, ["train"])


def batches(rows: Rows, size: int, draw: random.Random) -> Iterator[pa.RecordBatch]:
    """Yield pairs in the columns of prepared data."""
    for start in range(0, size, _PAIRS_AT_ONCE):
        count = min(_PAIRS_AT_ONCE, size - start)
        pairs = [joined(draw.choice(rows), draw.choice(rows)) for _ in range(count)]
        columns = [[s for s, _ in pairs], [t for _, t in pairs], [""] * count, [0] * count]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
        yield pa.record_batch(arrays, schema=SCHEMA)


def joined(first: tuple[str, str], second: tuple[str, str]) -> tuple[str, str]:
    """Join the first half of each side of a pair and the second half of those of another one."""
    sides = []
    for one, other in zip(first, second, strict=True):
        words, others = one.split(), other.split()
        sides.append(" ".join([*words[: len(words) // 2], *others[len(others) // 2 :]]))
    return sides[0], sides[1]


def measure(folder: Path, queries: Path) -> None:
    """Print what it takes to index prepared pairs and to search them."""
    before = reset_peak() / MIB
    used = time.process_time()
    memory = TranslationMemory(MappedPairs(folder, "train"), "eng_Latn")
    indexed = peak() / MIB
    index_seconds = time.process_time() - used
    sources = queries.read_text(encoding="utf-8").splitlines()[:1000]
    used = time.process_time()
    found = [memory.find_matches(source, 5) for source in sources]
    seconds = time.process_time() - used
    best = sum(matches[0].similarity for matches in found if matches) / len(found)
    pairs = MappedPairs(folder, "train")
    print(
        f"{len(pairs):,} pairs: indexed in {index_seconds:.1f} CPU seconds, "
        f"index {(memory.size_bytes - pairs.text_bytes) / 1e6:,.1f} MB, "
        f"texts {pairs.text_bytes / 1e6:,.1f} MB in their files, "
        f"peak memory {indexed - before:,.0f} MiB above {before:,.0f} MiB; "
        f"{len(sources):,} sentences searched in {seconds:.1f} CPU seconds, "
        f"mean similarity of the best match {best:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
