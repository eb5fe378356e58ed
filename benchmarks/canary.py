"""How often a rollout errs, and how soon it ends, with the translations of real systems.

Takes a folder with `SET.LANGUAGE` (sources), `SET.TARGET` (references) and `SET.SYSTEM.TARGET` for
each system, one sentence a line. Pairs of a rollout are drawn from it and compared by the signals
of the endpoint, once for each sentence. The evidence is computed for every pair of a rollout in
arrays; the decision itself is asked where the evidence says that the rollout ends, and at its end.
Times and events are made up: both engines are equally fast, and their clients have equally many
events. Prints tables and writes the figures as JSON.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.canary_harms import (
    FINDER,
    GLOSSARY_SHARES,
    HARMS,
    SHARES,
    WITH_GLOSSARY,
    without_terms,
)
from benchmarks.canary_rollouts import NOT_COUNTED, End, Rollout, Signs, Values
from nmt.evaluation.gate.lengths import measure_lengths
from nmt.metrics import corpus_score
from nmt.rollout import rules_for
from nmt.serving.monitoring.signals import PAIRED_SIGNALS, compare
from nmt.traffic import UsualLength

RESULTS = Path(__file__).parent / "results" / "canary.json"
DOCUMENT, SLOT_EDGE = 50, 0.1
"""Sentences of a document, and the share of documents that are sent at the edge of ten minutes."""
PAIRS_OF_A_DAY = 288
Draw = Callable[[np.random.Generator, int], tuple[Mapping[str, Signs], Values]]


@dataclass(frozen=True)
class Figures:
    """What the rollouts of one kind came to."""

    kind: str
    rollouts: int
    rolled_back: float
    """Percent, as the others."""
    paused: float
    z_rolled_back: float
    """By a z-test of three flags that is looked at after every 100 pairs."""
    median: float | None
    """Pairs until the rollback."""
    ninth_decile: float | None
    advance_median: float | None
    """Pairs until the first advance."""


class Systems:
    """A test set, and what each system made of it."""

    def __init__(self, folder: Path, languages: tuple[str, str], short: tuple[str, str]) -> None:
        """Read the files.

        Args:
            folder: with the files of one test set.
            languages: FLORES-200 codes of source and target.
            short: endings of the files of both.
        """
        source, target = short
        (sources,) = folder.glob(f"*.{source}")
        name = sources.stem
        self.sources = _lines(sources)
        self.references = _lines(folder / f"{name}.{target}")
        self.outputs = {
            path.name.removeprefix(f"{name}.").removesuffix(f".{target}"): _lines(path)
            for path in sorted(folder.glob(f"{name}.*.{target}"))
        }
        self.languages = languages

    def signs(self, stable: Sequence[str], canary: Sequence[str]) -> dict[str, Signs]:
        """Compare two lists of translations by the signals of the endpoint."""
        lengths = measure_lengths(zip(self.sources, stable, strict=True))
        usual = lengths and UsualLength(
            engine="stable", median=lengths.median, deviation=lengths.deviation
        )
        rows = [
            compare(source, one, other, *self.languages, usual, FINDER.find(source))
            for source, one, other in zip(self.sources, stable, canary, strict=True)
        ]
        return {
            flag: np.array([row.get(flag, NOT_COUNTED) for row in rows], np.int8)
            for flag in PAIRED_SIGNALS
        }

    def quality(self, system: str) -> float:
        """Score a system by chrF++."""
        return corpus_score("chrf++", self.outputs[system], self.references, self.languages[1])


def swapped(signs: Mapping[str, Signs]) -> Draw:
    """Make two equal engines of two systems by a coin for each sentence and engine."""

    def draw(random: np.random.Generator, size: int) -> tuple[Mapping[str, Signs], Values]:
        return _flipped(signs, random.integers(_length(signs), size=size), random), np.ones(size)

    return draw


def in_documents(signs: Mapping[str, Signs]) -> Draw:
    """Draw documents of near-equal sentences: a pair of each, and two of some."""

    def draw(random: np.random.Generator, size: int) -> tuple[Mapping[str, Signs], Values]:
        documents = _flipped(signs, random.integers(_length(signs), size=size), random)
        pairs = 1 + (random.random(size) < SLOT_EDGE)
        return {name: np.repeat(each, pairs)[:size] for name, each in documents.items()}, np.ones(
            size
        )

    return draw


def every_sentence(signs: Mapping[str, Signs]) -> Draw:
    """Draw documents, and a pair of each of their sentences, which the endpoint never does."""

    def draw(random: np.random.Generator, size: int) -> tuple[Mapping[str, Signs], Values]:
        count = size // DOCUMENT + 1
        documents = _flipped(signs, random.integers(_length(signs), size=count), random)
        repeated = {name: np.repeat(each, DOCUMENT)[:size] for name, each in documents.items()}
        return repeated, np.ones(size)

    return draw


def by_day_and_night(signs: Mapping[str, Signs]) -> Draw:
    """Draw hard sentences and events often by day, and rarely by night."""
    is_hard = np.any([each == 1 for each in signs.values()], axis=0)
    is_hard |= np.any([each == -1 for each in signs.values()], axis=0)
    hard, easy = np.flatnonzero(is_hard), np.flatnonzero(~is_hard)

    def draw(random: np.random.Generator, size: int) -> tuple[Mapping[str, Signs], Values]:
        swing = 1 + 0.9 * np.sin(2 * np.pi * np.arange(size) / PAIRS_OF_A_DAY)
        share = np.minimum(swing * len(hard) / _length(signs), 1)
        rows = np.where(
            random.random(size) < share,
            random.choice(hard, size) if len(hard) else 0,
            random.choice(easy, size) if len(easy) else 0,
        )
        return _flipped(signs, rows, random), swing

    return draw


def mixed(clean: Mapping[str, Signs], harmed: Mapping[str, Signs], share: float) -> Draw:
    """Draw pairs of which a share is harmed in the canary alone."""

    def draw(random: np.random.Generator, size: int) -> tuple[Mapping[str, Signs], Values]:
        rows, is_harmed = random.integers(_length(clean), size=size), random.random(size) < share
        found = {name: np.where(is_harmed, harmed[name][rows], clean[name][rows]) for name in clean}
        return found, np.ones(size)

    return draw


def _flipped(
    signs: Mapping[str, Signs], rows: NDArray[np.intp], random: np.random.Generator
) -> dict[str, Signs]:
    """Draw from which system each engine takes its translation: the same, or one of two orders."""
    coin = random.choice(np.array([0, 0, 1, -1], np.int8), len(rows))
    found: dict[str, Signs] = {}
    for name, each in signs.items():
        drawn = each[rows]
        # The tail says how different both are, whichever is the canary's.
        turned = np.abs(coin) * drawn if name == "tail" else coin * drawn
        found[name] = np.where(drawn == NOT_COUNTED, NOT_COUNTED, turned).astype(np.int8)
    return found


def simulate(kind: str, draw: Draw, args: argparse.Namespace, *, kin: bool = False) -> Figures:
    """Run rollouts of one kind, each looked at after every pair."""
    random = np.random.default_rng(args.seed)
    rules = rules_for(kin=kin, off=() if WITH_GLOSSARY in kind else ("glossary",))
    ends: list[End] = []
    # What is asked of equal engines is rare, so that it takes more of them to be seen.
    is_rare = kind.startswith("A/A") and "each sentence" not in kind
    for _ in range(args.rollouts if is_rare else max(args.rollouts // 4, 1)):
        signs, swing = draw(random, args.pairs)
        ends.append(Rollout(signs, rules, random, swing).run())
    rollbacks = [end.rolled_back_at for end in ends if end.rolled_back_at]
    advances = [end.advanced_at or np.inf for end in ends]
    figures = Figures(
        kind,
        len(ends),
        100 * len(rollbacks) / len(ends),
        100 * sum(end.paused_at is not None for end in ends) / len(ends),
        100 * sum(end.z_rolled_back for end in ends) / len(ends),
        float(np.median(rollbacks)) if rollbacks else None,
        float(np.quantile(rollbacks, 0.9)) if rollbacks else None,
        _finite(np.median(advances)),
    )
    _print(figures)
    return figures


def kinds(systems: Systems) -> Iterator[tuple[str, Draw, bool]]:
    """List the kinds of rollouts, each with whether the engines are kin."""
    outputs = systems.outputs
    for one, other in combinations(outputs, 2):
        signs = systems.signs(outputs[one], outputs[other])
        names = f"{one} and {other} by coin"
        yield f"A/A: {names}", swapped(signs), False
        yield f"A/A: {names}, {WITH_GLOSSARY}", swapped(signs), False
        yield f"A/A: {names}, documents of {DOCUMENT}", in_documents(signs), False
        yield f"A/A: {names}, day and night", by_day_and_night(signs), False
        yield f"A/A: {names}, each sentence of documents", every_sentence(signs), False
    best = max(outputs, key=systems.quality)
    clean = systems.signs(outputs[best], outputs[best])
    yield f"A/A: {best} and itself", swapped(clean), False
    for name, harm in HARMS.items():
        harmed = systems.signs(outputs[best], [harm(each) for each in outputs[best]])
        for share in SHARES:
            yield f"{name} in {share:.0%}", mixed(clean, harmed, share), False
            yield f"{name} in {share:.0%}, kin", mixed(clean, harmed, share), True
    forgetful = systems.signs(outputs[best], list(map(without_terms, outputs[best])))
    for share in GLOSSARY_SHARES:
        name = f"terms broken in {share:.0%}, {WITH_GLOSSARY}"
        yield name, mixed(clean, forgetful, share), False
        yield f"{name}, kin", mixed(clean, forgetful, share), True
    for stable, canary in permutations(outputs, 2):
        gain = systems.quality(canary) - systems.quality(stable)
        signs = systems.signs(outputs[stable], outputs[canary])
        yield f"{stable} -> {canary} ({gain:+.1f} chrF++)", mixed(signs, signs, 0), False


def main() -> None:
    """Run the rollouts of every kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", default="en", help="ending of the file of sources")
    parser.add_argument("--target", default="ta", help="ending of the other files")
    parser.add_argument("--languages", default="eng_Latn,tam_Taml", help="FLORES-200 codes")
    parser.add_argument(
        "--rollouts", type=int, default=1000, help="of equal engines; of others a quarter"
    )
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the names of the kinds")
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    source, target = args.languages.split(",")
    systems = Systems(args.folder, (source, target), (args.source, args.target))
    started = time.monotonic()
    found = [
        simulate(kind, draw, args, kin=kin)
        for kind, draw, kin in kinds(systems)
        if args.only in kind
    ]
    seconds = time.monotonic() - started
    args.output.parent.mkdir(parents=True, exist_ok=True)
    content = {"seconds": seconds, "figures": [asdict(each) for each in found]}
    args.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _print(figures: Figures) -> None:
    until = (
        f"{figures.median:,.0f} / {figures.ninth_decile:,.0f}"
        if figures.median is not None and figures.ninth_decile is not None
        else "-"
    )
    print(
        f"{figures.kind:55} rolled back {figures.rolled_back:5.1f} % after {until:15} paused "
        f"{figures.paused:5.1f} % advance {figures.advance_median or '-':>6} z-test "
        f"{figures.z_rolled_back:5.1f} %",
        flush=True,
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _length(signs: Mapping[str, Signs]) -> int:
    return len(next(iter(signs.values())))


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


if __name__ == "__main__":
    main()
