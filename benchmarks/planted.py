"""Recall and precision of `nmt prepare` on errors planted in a clean corpus.

About half of the corpus stays as it is; each kind of error gets as many pairs of the other half.
Prints a table and writes the figures as JSON. Needs no accelerator.
"""

import argparse
import json
import random
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
from planted_errors import KINDS, Corpus, Planted

import nmt.data.prepare
from nmt.config import DataConfig, EvaluationConfig
from nmt.data.cleaning import NUMBERS_DIFFER, clean_block, fit_ratios, fitted_drops
from nmt.data.read import open_inputs
from nmt.data.saved import split_batches, split_names
from nmt.text.normalise import normalise

RESULTS = Path(__file__).parent / "results" / "planted.json"
CLEAN, ORIGINAL = "clean", "original"
"""Right pairs: without a copy, and with one, so that either of them may be dropped."""
SHIFTED, BLOCK = "shifted_lines", 10
GROUPED = ("boilerplate", "many_targets", "near_number", "near_form", "near_numbered")
"""Kinds whose error is that there are several pairs of them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a planted corpus."""

    rules: Mapping[int, str]
    """Rule that dropped each dropped row."""
    texts: Mapping[int, tuple[str, str]]
    """The other rows, as they are kept."""
    flagged: frozenset[int]
    """Rows whose numbers were found to differ."""


def main() -> None:
    """Plant errors, clean the corpus, print the table and write the figures."""
    options = read_options()
    data = DataConfig(
        path=options.corpus,
        source_language=options.source_language,
        target_language=options.target_language,
    )
    inputs = open_inputs(data, EvaluationConfig().sets)
    clean = [(normalise(row.source), normalise(row.target)) for row in next(inputs).rows]
    planted = plant(clean, options.each, random.Random(options.seed))
    outcome = apply_rules(planted, data) if options.rules_only else prepare(planted, data)
    figures = measure(planted, outcome)
    print(table(figures))
    if options.show:
        show(planted, outcome, options.show)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "corpus": Path(options.corpus).name,
        "seed": options.seed,
        "rules_only": options.rules_only,
    }
    text = json.dumps({**settings, **asdict(figures)}, indent=2, ensure_ascii=False)
    options.output.write_text(text + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", help="a clean corpus, as data.path names it")
    parser.add_argument("--source-language", default="eng_Latn")
    parser.add_argument("--target-language", default="tam_Taml")
    parser.add_argument("--each", type=int, default=50, help="pairs of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rules-only", action="store_true",
        help="apply the rules for single pairs alone: quick, and without duplicates",
    )  # fmt: skip
    parser.add_argument("--show", help="print the pairs of a kind that were not found")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    return parser.parse_args()


def plant(pairs: list[tuple[str, str]], each: int, chance: random.Random) -> list[Planted]:
    """Plant every kind of error, and mix the result."""
    pairs = [pair for pair in dict.fromkeys(pairs) if len(pair[0].split()) >= 4]
    chance.shuffle(pairs)
    corpus = Corpus(pairs, chance)
    # If the corpus is small, each kind gets less.
    each = min(each, len(pairs) // 2 // (len(KINDS) + len(GROUPED) + 1))
    drawn = iter(pairs)
    rows: list[Planted] = []
    for kind, change in KINDS.items():
        for source, target in (next(drawn) for _ in range(each)):
            changed = change(source, target, corpus)
            # A Latin target cannot be romanised.
            if changed != (source, target):
                rows.append(Planted(*changed, kind, source, target))
    for _ in range(each // BLOCK):
        block = [next(drawn) for _ in range(BLOCK)]
        shifted = [target for _, target in block[1:] + block[:1]]
        rows += [
            Planted(source, other, SHIFTED, source, target)
            for (source, target), other in zip(block, shifted, strict=True)
        ]
    originals = {kind: [next(drawn) for _ in range(each)] for kind in GROUPED}
    kinds = {pair: ORIGINAL for group in originals.values() for pair in group}
    rest = [*kinds, *drawn]
    rows += [Planted(*pair, kinds.get(pair, CLEAN), *pair) for pair in rest]
    chance.shuffle(rows)
    # After all others: of similar pairs the first one is kept.
    copies = [copy for kind in GROUPED for copy in _copies(kind, originals[kind], corpus)]
    return rows + copies


def _copies(kind: str, originals: Sequence[tuple[str, str]], corpus: Corpus) -> list[Planted]:
    copies: list[Planted] = []
    for source, target in originals:
        copy = source, target
        number = corpus.random.randrange(2, 99)
        if kind == "many_targets":
            copy = source, corpus.other()[1]
            copies += [Planted(source, corpus.other()[1], kind, source, target) for _ in range(5)]
        elif kind == "near_number":
            copy = _renumbered(source, number), _renumbered(target, number)
        elif kind == "near_form":
            copy = corpus.random.choice([(source.upper(), target), (f"{source} !", f"{target} !")])
        elif kind == "near_numbered":
            copy = f"{number}. {source}", f"{number}. {target}"
        copies.append(Planted(*copy, kind, source, target))
    return copies


def _renumbered(text: str, number: int) -> str:
    return re.sub(r"\d+", str(number), text) if re.search(r"\d", text) else f"{text} ({number})"


def apply_rules(planted: Sequence[Planted], data: DataConfig) -> Outcome:
    """Apply the rules for single pairs and the fitted ones."""
    block = clean_block(
        [row.source for row in planted],
        [row.target for row in planted],
        data.cleaning, data.source_language, data.target_language,
    )  # fmt: skip
    fitted = fitted_drops(block.features, fit_ratios(block.features), data.cleaning)
    rules = {drop.row: drop.rule for drop in block.drops}
    rows, codes = block.rows.tolist(), fitted.codes.tolist()
    rules |= {row: fitted.names[code] for row, code in zip(rows, codes, strict=True) if code}
    texts = dict(zip(rows, zip(block.sources, block.targets, strict=True), strict=True))
    flags = zip(rows, block.features.flags.tolist(), strict=True)
    return Outcome(
        rules,
        {row: text for row, text in texts.items() if row not in rules},
        frozenset(row for row, flag in flags if flag & NUMBERS_DIFFER),
    )


def prepare(planted: Sequence[Planted], data: DataConfig) -> Outcome:
    """Prepare the corpus as `nmt prepare` does, and read its audit file and its splits."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, prepared = Path(folder, "planted.jsonl"), Path(folder, "prepared")
        rows = [json.dumps({"source": row.source, "target": row.target}) for row in planted]
        corpus.write_text("\n".join(rows) + "\n", encoding="utf-8")
        columns = {"path": str(corpus), "source_column": "source", "target_column": "target"}
        nmt.data.prepare.prepare(data.model_copy(update=columns), 0, prepared)
        audit = pq.read_table(prepared / "dropped.parquet", columns=["line", "rule"])
        rules = {row["line"] - 1: row["rule"] for row in audit.to_pylist()}
        flags = dict(_kept(prepared))
    texts = {
        row: (normalise(pair.source), normalise(pair.target))
        for row, pair in enumerate(planted)
        if row not in rules
    }
    # A pair that is kept in another form than its own was mended.
    for row, text in texts.items():
        clean = planted[row].clean_source, planted[row].clean_target
        texts[row] = clean if text not in flags and clean in flags else text
    flagged = (row for row, text in texts.items() if flags.get(text, 0) & NUMBERS_DIFFER)
    return Outcome(rules, texts, frozenset(flagged))


def _kept(prepared: Path) -> Iterator[tuple[tuple[str, str], int]]:
    for split in split_names(prepared):
        for batch in split_batches(prepared, split):
            for row in batch.to_pylist():
                yield (row["source"], row["target"]), row["flags"]


@dataclass(slots=True)
class Kind:
    """What became of the pairs of one kind."""

    pairs: int = 0
    found: int = 0
    dropped: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    """How many of them each rule dropped."""

    @property
    def recall(self) -> float:
        """Return the share that was found."""
        return self.found / max(self.pairs, 1)


@dataclass(frozen=True, slots=True)
class Figures:
    """The result of a planted corpus."""

    precision: float
    recall: float
    clean_lost: float
    """Share of the clean pairs that were dropped."""
    clean_flagged: float
    """Share of the clean pairs whose numbers were found to differ."""
    kinds: dict[str, Kind]


def measure(planted: Sequence[Planted], outcome: Outcome) -> Figures:
    """Compute recall per kind, precision, and the share of clean pairs that were lost."""
    kinds: dict[str, Kind] = {}
    flagged = 0
    for row, pair in enumerate(planted):
        kind = kinds.setdefault(pair.kind, Kind())
        kind.pairs += 1
        kind.found += is_found(row, pair, outcome)
        if row in outcome.rules:
            rule = outcome.rules[row]
            kind.rules[rule] = kind.rules.get(rule, 0) + 1
            kind.dropped += 1
        flagged += pair.kind == CLEAN and row in outcome.flagged
    # Of an original and its copy, either may be dropped.
    del kinds[ORIGINAL]
    clean = kinds[CLEAN]
    errors = [kind for name, kind in kinds.items() if name != CLEAN]
    dropped = sum(kind.dropped for kind in errors)
    return Figures(
        precision=dropped / max(dropped + clean.dropped, 1),
        recall=sum(kind.found for kind in errors) / sum(kind.pairs for kind in errors),
        clean_lost=clean.dropped / clean.pairs,
        clean_flagged=flagged / clean.pairs,
        kinds=dict(sorted(kinds.items())),
    )


def is_found(row: int, pair: Planted, outcome: Outcome) -> bool:
    """Tell whether an error was dropped, mended or, for differing numbers, flagged."""
    if pair.kind == CLEAN:
        return False
    if row in outcome.rules:
        return True
    mended = (pair.clean_source, pair.clean_target)
    if outcome.texts[row] == mended and mended != (pair.source, pair.target):
        return True
    return pair.kind == "other_number" and row in outcome.flagged


def table(figures: Figures) -> str:
    """Format the figures for the terminal."""
    lines = [f"{'kind':22}{'pairs':>7}{'recall':>8}  rules"]
    for name, kind in figures.kinds.items():
        counts = sorted(kind.rules.items(), key=lambda item: -item[1])
        rules = ", ".join(f"{count} {rule}" for rule, count in counts[:4])
        recall = "" if name == CLEAN else f"{kind.recall:.1%}"
        lines.append(f"{name:22}{kind.pairs:7}{recall:>8}  {rules}")
    for name in ("precision", "recall", "clean_lost", "clean_flagged"):
        lines.append(f"{name:22}{getattr(figures, name):15.2%}")
    return "\n".join(lines)


def show(planted: Sequence[Planted], outcome: Outcome, kind: str) -> None:
    """Print the missed pairs of a kind; of the clean ones, those that were lost."""
    for row, pair in enumerate(planted):
        wrong = row in outcome.rules if kind == CLEAN else not is_found(row, pair, outcome)
        if pair.kind == kind and wrong:
            print(f"\n{outcome.rules.get(row, 'missed')}\n{pair.source}\n{pair.target}")


if __name__ == "__main__":
    main()
