"""The ladder: copying, prompting, retrieval, LoRA and full training of one base, in one table.

Without paths, on the built-in corpus; with `--memory`, on parallel text of yours. The base is a
small decoder-only model that is trained from scratch on the spot, since only decoder-only models
are prompted: its scores show that every path works, and say nothing of the quality that a real
model reaches. The memory and the given translations are what they are. Prints the tables, and
leaves all runs in a folder.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from tiny_decoder import write_decoder

from nmt.config import DataConfig, load_config
from nmt.data.read import open_inputs
from nmt.phrasebook import general_pairs
from nmt.report.ladder import ladder_lines, ladders
from nmt.report.scores import Results
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.records import require, result_of
from nmt.runs.steps import EVALUATE
from nmt.storage import Storage

SCHEDULE = [
    "training.warmup_steps=20",
    "training.schedule=linear",
    "training.micro_batch_tokens=2048",
    "training.evaluate_every_steps=100",
    "training.validation_sentences=30",
]


def main() -> None:
    """Train the base, and what is trained from it; evaluate everything in one run."""
    options = read_options()
    storage = options.folder / "runs"
    model = options.folder / "model"
    base = options.folder / "base.tsv"
    if not model.exists():
        rows = write_base_corpus(options.memory, base)
        texts = (text for row in rows for text in row)
        write_decoder(model, texts, options.vocabulary, options.width)
    data = [f"data.path={options.memory}"] if options.memory else []
    sets = set_words(options)
    # The base sees neither validation nor test text: with a corpus of yours, both have its split.
    first = data or [f"data.path={base}"]
    run("start", model, storage, options.base_steps, [*first, *sets, "adapter.type=none"], 2e-3)
    start = storage / "start/export/merged"
    run("full", start, storage, options.steps, [*data, *sets, "adapter.type=none"], 5e-4)
    run("ladder", start, storage, options.steps, [*data, *sets, "adapter.rank=16"], 2e-3)
    words = [
        "evaluation.baselines=[memory, few-shot, retrieved]",
        "evaluation.systems.full.run=full",
    ]
    # Prompts with examples are long, and a batch holds several.
    words += ["evaluation.batch_tokens=32768"]
    words += [
        f"evaluation.systems.{name}.hypotheses.{options.name}={path}"
        for name, path in (each.split("=", 1) for each in options.systems)
    ]
    do_steps("evaluate", "run=ladder", f"storage={storage}", *sets, *words)
    for line in table(storage):
        print(line)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for all runs; what is finished there stays")
    parser.add_argument("--memory", help="parallel text: the memory, the training and its test set")
    parser.add_argument("--test", nargs=2, metavar="FILE", help="sources and references of a set")
    parser.add_argument("--name", default="news", help="name of that set")
    parser.add_argument(
        "--systems", nargs="*", default=[], metavar="NAME=FILE", help="translations of that set"
    )
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--base-steps", type=int, default=400, help="updates of the base")
    parser.add_argument(
        "--steps", type=int, default=200, help="updates of LoRA and of full training"
    )
    return parser.parse_args()


def write_base_corpus(memory: str | None, path: Path) -> list[tuple[str, str]]:
    """Write the pairs that the base learns, if the memory has none, and return their texts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if memory:
        first = next(open_inputs(DataConfig(path=memory)))
        return [(row.source, row.target) for row in first.rows if row.source and row.target]
    pairs = general_pairs(6000, 1)
    lines = ("source\ttarget", *(f"{pair.source}\t{pair.target}" for pair in pairs))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [(pair.source, pair.target) for pair in pairs]


def set_words(options: argparse.Namespace) -> list[str]:
    """Return the settings of the named test set."""
    if not options.test:
        return []
    source, target = options.test
    key = f"evaluation.sets.{options.name}"
    return [f"{key}.path={source}", f"{key}.target_path={target}"]


def run(
    name: str, model: Path, storage: Path, steps: int, words: list[str], learning_rate: float
) -> None:
    """Prepare, train and export one run."""
    settings = [
        f"run={name}", f"storage={storage}", f"model.name_or_path={model}",
        f"training.max_steps={steps}", f"training.learning_rate={learning_rate}",
        *SCHEDULE, *words,
    ]  # fmt: skip
    do_steps("prepare,train,export", *settings)


def do_steps(names: str, *words: str) -> None:
    """Do some steps in one process."""
    command = [sys.executable, "-m", "ray_jobs.steps", names, *words]
    done = subprocess.run(command, check=False, cwd=Path(__file__).parents[1])
    if done.returncode:
        raise SystemExit(done.returncode)


def table(storage: Path) -> list[str]:
    """Write the ladder of each test set."""
    config = load_config([], ["run=ladder", f"storage={storage}"])
    root = Storage(config.storage)
    result: EvaluationResult = result_of(
        root, "ladder", EVALUATE, require(root, "ladder", EVALUATE)
    )
    lines: list[str] = []
    for ladder in ladders(Results(result)):
        count = result.test_sets[ladder.test_set].sentences
        lines += ["", f"{ladder.test_set}, {count:,} sentences", *ladder_lines(ladder)]
    return lines


if __name__ == "__main__":
    main()
