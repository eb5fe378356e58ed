"""Cost and accuracy of the comparison of all pairs: duplicates, near-duplicates, leaks, splits.

The cost is measured on pairs that are put together from halves of other pairs, which makes much
more text alike than a real corpus has. The accuracy is measured on pairs of which some are edited,
against a measure of its own: every pair of sentences is compared. Prints two tables and writes the
figures as JSON.
"""

import argparse
import json
import random
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmt.config import DataConfig
from nmt.data.overlap import (
    Keys,
    Texts,
    cut,
    duplicates,
    excess_targets,
    groups,
    keys_of,
    leaks,
    near_duplicates,
)
from nmt.data.read import open_inputs
from nmt.text.normalise import normalise

RESULTS = Path(__file__).parent / "results" / "overlap.json"
SIMILARITY = 0.8
HELD_OUT = {"validation": 0.005, "test": 0.005}
BLOCK = 20_000
Rows = list[tuple[str, str]]


def main() -> None:
    """Measure, print and write."""
    options = read_options()
    rows = read(options)
    costs = [cost(halves(rows, size, options.seed)) for size in options.sizes]
    found = accuracy(rows[: options.sample], options.seed)
    for figures in (*costs, found):
        print(*(f"{name}: {value:,.4g}" for name, value in figures.items()), sep="\n", end="\n\n")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"costs": costs, "accuracy": found}, indent=2)
    options.output.write_text(f"{text}\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", help="parallel text in any format that nmt reads")
    parser.add_argument("--source-language", default="eng_Latn", help="language of its sources")
    parser.add_argument("--target-language", default="tam_Taml", help="language of its targets")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[100_000], help="numbers of pairs to put together"
    )
    parser.add_argument("--sample", type=int, default=1000, help="pairs to compare with all others")
    parser.add_argument("--seed", type=int, default=1, help="seed of halves and edits")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    return parser.parse_args()


def read(options: argparse.Namespace) -> Rows:
    """Read the distinct pairs of the corpus, in random order."""
    data = DataConfig(
        path=options.corpus,
        source_language=options.source_language,
        target_language=options.target_language,
    )
    first = next(open_inputs(data))
    rows = {(normalise(row.source), normalise(row.target)) for row in first.rows}
    ordered = sorted(rows)
    random.Random(options.seed).shuffle(ordered)
    return ordered


def halves(rows: Rows, size: int, seed: int) -> Rows:
    """Put pairs together from the first half of one pair and the second half of another."""
    generator = random.Random(seed)
    split = [[_halves(side) for side in row] for row in rows]
    made: set[tuple[str, str]] = set()
    while len(made) < size:
        one, other = generator.choice(split), generator.choice(split)
        source, target = (f"{one[side][0]} {other[side][1]}" for side in (0, 1))
        made.add((source, target))
    return sorted(made)


def _halves(text: str) -> tuple[str, str]:
    words = text.split()
    return " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])


def cost(rows: Rows) -> dict[str, float]:
    """Measure CPU time, and then the largest memory of what one process holds for all pairs."""
    keys_of(["a"], ["b"], 0)  # fills the tables of characters
    figures: dict[str, float] = {"pairs": len(rows)}
    for name, seconds in compare_all(rows).items():
        figures[f"{name}, us CPU a pair"] = seconds / len(rows) * 1e6
    # In a pass of its own, since following each allocation takes time.
    tracemalloc.start()
    compare_all(rows)
    figures["peak memory, bytes a pair"] = tracemalloc.get_traced_memory()[1] / len(rows)
    tracemalloc.stop()
    return figures


def compare_all(rows: Rows) -> dict[str, float]:
    """Compare all pairs, and return the CPU seconds of each step."""
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        before = time.process_time()
        yield
        seconds[name] = time.process_time() - before

    with timed("keys"):
        keys = joined(rows)
    texts = texts_of(rows)
    with timed("duplicates"):
        duplicates(keys)
    with timed("near-duplicates"):
        near_duplicates(keys, texts, SIMILARITY)
    with timed("targets"):
        excess_targets(keys, 3)
    with timed("groups and cut"):
        splits = cut(groups(keys, SIMILARITY), keys.rank, HELD_OUT)
    train, chosen = np.flatnonzero(splits == 0), np.flatnonzero(splits)
    held_out = keys.take(chosen)
    keys.keep(train)
    with timed("leaks"):
        leaks(keys, among(texts, train), held_out, among(texts, chosen), SIMILARITY)
    return seconds


def joined(rows: Rows) -> Keys:
    """Compute the keys in blocks."""
    parts = [
        keys_of([source for source, _ in block], [target for _, target in block], 0)
        for block in (rows[first : first + BLOCK] for first in range(0, len(rows), BLOCK))
    ]
    return Keys.concatenated(parts)


def texts_of(rows: Rows) -> Texts:
    """Return a function that returns the texts of rows."""
    return lambda chosen: ([rows[row][0] for row in chosen], [rows[row][1] for row in chosen])


def among(texts: Texts, places: NDArray[np.int64]) -> Texts:
    """Return a function that returns the texts of some of the rows."""
    return lambda rows: texts(places[rows])


def accuracy(rows: Rows, seed: int) -> dict[str, float]:
    """Compare what is found in edited pairs with a comparison of every pair of sentences."""
    generator = random.Random(seed)
    words = [[word for row in rows for word in row[side].split()] for side in (0, 1)]
    train: Rows = []
    for row in rows:
        edit = generator.choice(EDITS)
        train.append((edit(row[0], words[0], generator), edit(row[1], words[1], generator)))
    both = [*rows, *train]
    keys, held_out = joined(train), joined(rows)
    found = leaks(keys, texts_of(train), held_out, texts_of(rows), SIMILARITY)
    near = near_duplicates(joined(both), texts_of(both), SIMILARITY)[len(rows) :]
    sides = [Similarities([r[side] for r in train], [r[side] for r in rows]) for side in (0, 1)]
    leaking = np.asarray((sides[0].near | sides[1].near).any(axis=1))
    left = sides[0].near[~found].any(axis=0)
    like = (sides[0].jaccard >= SIMILARITY) & (sides[1].jaccard >= SIMILARITY)
    like = np.asarray(like.any(axis=1))
    return {
        "test sentences near a training sentence before": sides[0].near.any(axis=0).mean(),
        "test sentences near a training sentence after": left.mean(),
        "leaks, recall": found[leaking].mean(),
        "leaks, precision": leaking[found].mean(),
        "near-duplicates, recall": near[like].mean(),
        "near-duplicates, precision": like[near].mean(),
    }


class Similarities:
    """The similarity of each text to each of some others, by a measure of its own."""

    def __init__(self, texts: Sequence[str], others: Sequence[str]) -> None:
        plain, other_plain = (
            [re.sub(r"\d+", "0", t.casefold()) for t in side] for side in (texts, others)
        )
        self.jaccard = _jaccard(plain, other_plain)
        self.near = self.jaccard >= SIMILARITY
        # Texts that have a tenth of their characters changed have some 5-grams in common.
        for row, column in np.argwhere((self.jaccard > 0.1) & ~self.near):
            self.near[row, column] = _edit_similarity(plain[row], other_plain[column]) >= 0.9


def _folded(text: str) -> str:
    return re.sub(r"\d+", "0", text.casefold())


def _jaccard(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.float32]:
    sets = [_grams(text) for text in texts], [_grams(text) for text in others]
    places: dict[str, int] = {}
    for grams in (*sets[0], *sets[1]):
        for gram in grams:
            places.setdefault(gram, len(places))
    matrices = [np.zeros((len(side), len(places)), np.float32) for side in sets]
    for matrix, side in zip(matrices, sets, strict=True):
        for row, grams in enumerate(side):
            matrix[row, [places[gram] for gram in grams]] = 1
    shared = matrices[0] @ matrices[1].T
    sizes, other_sizes = (matrix.sum(axis=1) for matrix in matrices)
    return shared / (sizes[:, np.newaxis] + other_sizes - shared)


def _grams(text: str) -> set[str]:
    return {text[first : first + 5] for first in range(max(1, len(text) - 4))}


def _edit_similarity(one: str, other: str) -> float:
    """Return the share of the longer text that edits leave as it is."""
    longest = max(len(one), len(other))
    if abs(len(one) - len(other)) > longest / 10:
        return 0
    codes = np.array([ord(letter) for letter in other])
    row = np.arange(len(other) + 1)
    steps = row.copy()
    for place, letter in enumerate(one, start=1):
        least = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(letter)))
        least = np.concatenate(([place], least))
        # An insertion follows the cell to the left, whose smallest value is carried on.
        row = np.minimum.accumulate(least - steps) + steps
    return 1 - row[-1] / longest


def _replace(text: str, words: Sequence[str], generator: random.Random) -> str:
    own = text.split()
    own[generator.randrange(len(own))] = generator.choice(words)
    return " ".join(own)


def _insert(text: str, words: Sequence[str], generator: random.Random) -> str:
    own = text.split()
    own.insert(generator.randrange(len(own) + 1), generator.choice(words))
    return " ".join(own)


def _remove(text: str, _: Sequence[str], generator: random.Random) -> str:
    own = text.split()
    del own[generator.randrange(len(own))]
    return " ".join(own) or text


def _misspell(text: str, _: Sequence[str], generator: random.Random) -> str:
    own = list(text)
    for _unused in range(len(own) // 25):
        own[generator.randrange(len(own))] = generator.choice("aeiou")
    return "".join(own)


def _number(text: str, _: Sequence[str], generator: random.Random) -> str:
    return f"{generator.randrange(1, 200)}. {text}"


def _shuffle(text: str, _: Sequence[str], generator: random.Random) -> str:
    own = text.split()
    generator.shuffle(own)
    return " ".join(own)


def _other(_: str, words: Sequence[str], generator: random.Random) -> str:
    return " ".join(generator.choices(words, k=12))


Edit = Callable[[str, Sequence[str], random.Random], str]
EDITS: tuple[Edit, ...] = (_replace, _insert, _remove, _misspell, _number, _shuffle, _other)

if __name__ == "__main__":
    main()
