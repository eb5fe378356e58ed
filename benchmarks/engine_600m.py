"""Engines beside HF `generate` and plain CTranslate2, at the real size of NLLB-200 600M.

    python benchmarks/engine_600m.py                 # 12 CPU-minutes, 8 GiB of memory, 5 of disk
    python benchmarks/engine_600m.py --pairs 3 --folder /tmp/engines   # keeps the files

Weights are random, and every output has the same number of tokens. Each side runs in its own
process with two threads. They translate the same rows in turns, in a new order each round, and the
median of the rounds' ratios counts, since other work slows down all of them. CPU seconds are used
for speed. Prints a table and writes the figures as JSON.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results" / "engine_600m.json"
SIDES = {
    "hf": "HF fp32 `generate`",
    "ctranslate2": "CTranslate2 int8, plain",
    "full": "engine, all tokens",
    "mapped": "engine, mapped",
    "trimmed": "engine, trimmed",
}
BATCHES = (16, 1)
TARGETS = {("trimmed", 16): 9.0, ("trimmed", 1): 4.5}
MAX_RESIDENT_MIB = {"full": 0.8 * 1024, "trimmed": 0.55 * 1024}
MAX_LOAD_SECONDS = 5.0

Translate = Callable[[list[list[str]]], object]


def main() -> int:
    """Measure all sides, or be one of them; return 1 if a target is missed."""
    options = read_options()
    if options.side == "build":
        from engine_600m_files import build_all

        build_all(options)
        return 0
    if options.side:
        serve_side(options)
        return 0
    if options.folder:
        return run_all(options)
    with tempfile.TemporaryDirectory() as folder:
        options.folder = Path(folder)
        return run_all(options)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10, help="rounds of all sides")
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--tokens", type=int, nargs=2, default=(19, 16), help="source and output")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--written", type=int, default=40_000, help="tokens of a mapped output")
    parser.add_argument("--known", type=int, default=62_000, help="tokens of a trimmed engine")
    parser.add_argument("--layers", type=int, default=12, help="of the encoder, of the decoder")
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=256_206)
    parser.add_argument("--folder", type=Path, help="keep the files there, and use them again")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    return parser.parse_args()


def run_all(options: argparse.Namespace) -> int:
    """Build what is missing, measure, print and write the figures."""
    if not (options.folder / "trimmed" / "engine.json").is_file():
        subprocess.run(command_of("build", options), env=environment(options), check=True)
    sides = {name: Side(name, options) for name in options.sides}
    rates: dict[str, dict[int, list[float]]] = {n: {b: [] for b in BATCHES} for n in sides}
    order = list(sides)
    for _ in range(options.pairs):
        random.shuffle(order)
        for batch in BATCHES:
            for name in order:
                rates[name][batch].append(batch / sides[name].ask(batch))
    ends = {name: side.ask(0) for name, side in sides.items()}
    figures = {
        name: side.loaded
        | {"resident_mib_after": ends[name]}
        | {f"sentences_per_cpu_second_{b}": median(rates[name][b]) for b in BATCHES}
        | {f"times_hf_{b}": spread(rates[name][b], rates["hf"][b]) for b in BATCHES}
        for name, side in sides.items()
    }
    for side in sides.values():
        side.end()
    print("\n".join([*HEADER, *(line_of(name, figures[name]) for name in sides)]), flush=True)
    misses = find_misses(figures)
    print("\n".join(misses) or "all targets are met")
    write_figures(options, figures)
    return 1 if misses else 0


def command_of(side: str, options: argparse.Namespace) -> list[str]:
    """Return the command that is one side, or that builds the files."""
    names = ("threads", "written", "known", "layers", "width", "vocabulary", "folder")
    given = [part for n in names for part in (f"--{n}", str(getattr(options, n)))]
    tokens = ["--tokens", *map(str, options.tokens)]
    return [sys.executable, "-W", "ignore", __file__, "--side", side, *given, *tokens]


def environment(options: argparse.Namespace) -> dict[str, str]:
    """Return the environment of a side."""
    return {**os.environ, "OMP_NUM_THREADS": str(options.threads), "CUDA_VISIBLE_DEVICES": ""}


class Side:
    """A process that translates on request."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        """Start it, and wait until it is loaded."""
        process = subprocess.Popen(
            command_of(name, options),
            env=environment(options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if process.stdin is None or process.stdout is None:
            raise SystemExit("no pipes to a side")
        self._process, self._questions, self._answers = process, process.stdin, process.stdout
        self.loaded: dict[str, float] = json.loads(self._read())

    def ask(self, rows: int) -> float:
        """Return the CPU seconds of translating some rows, or with 0 the resident MiB."""
        print(rows, file=self._questions, flush=True)
        return float(self._read())

    def end(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> str:
        line = self._answers.readline()
        if not line:
            raise SystemExit(f"a side ended with {self._process.wait()}; out of memory?")
        return line


def serve_side(options: argparse.Namespace) -> None:
    """Load one side, then answer each line of standard input."""
    load = {"hf": load_hf, "ctranslate2": load_plain}.get(options.side, load_engine)
    wall, started = time.monotonic(), time.process_time()
    translate = load(options)
    seconds, cpu_seconds = time.monotonic() - wall, time.process_time() - started
    loaded = {"load_seconds": seconds, "load_cpu_seconds": cpu_seconds}
    print(json.dumps(loaded | {"resident_mib": resident_mib()}), flush=True)
    rows = make_rows(options)
    translate(rows[:2])
    for line in sys.stdin:
        count = int(line)
        started = time.process_time()
        if count:
            translate(rows[:count])
        print(time.process_time() - started if count else resident_mib(), flush=True)


def make_rows(options: argparse.Namespace) -> list[list[str]]:
    """Draw source rows of tokens that every side has."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(
        str(options.folder / "trimmed" / "tokenizer" / "tokenizer.json")
    )
    ordinary = sorted(t for t in tokenizer.get_vocab() if "_" not in t and "<" not in t)
    chance = random.Random(3)
    length = options.tokens[0] - 2
    return [["eng_Latn", *chance.choices(ordinary, k=length), "</s>"] for _ in range(max(BATCHES))]


def load_hf(options: argparse.Namespace) -> Translate:
    """Load transformers' model in fp32."""
    import torch
    from transformers import AutoTokenizer, M2M100ForConditionalGeneration

    torch.set_num_threads(options.threads)
    model: Any = M2M100ForConditionalGeneration.from_pretrained(options.folder / "hf").eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(options.folder / "hf")
    code, length = tokenizer.convert_tokens_to_ids("tam_Taml"), options.tokens[1]

    def translate(rows: list[list[str]]) -> object:
        ids = torch.tensor([tokenizer.convert_tokens_to_ids(row) for row in rows])
        with torch.inference_mode():
            found = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                forced_bos_token_id=code,
                min_new_tokens=length,
                max_new_tokens=length,
            )
        return tokenizer.batch_decode(found, skip_special_tokens=True)

    return translate


def load_plain(options: argparse.Namespace) -> Translate:
    """Load CTranslate2 alone, without a tokenizer."""
    import ctranslate2

    model = str(options.folder / "full" / "model")
    translator = ctranslate2.Translator(model, device="cpu", intra_threads=options.threads)
    length = options.tokens[1]
    return lambda rows: translator.translate_batch(
        rows,
        target_prefix=[["tam_Taml"]] * len(rows),
        beam_size=1,
        min_decoding_length=length,
        max_decoding_length=length,
    )


def load_engine(options: argparse.Namespace) -> Translate:
    """Load one of this project's engines as a replica does."""
    from nmt.config import ServingConfig
    from nmt.engines import ctranslate2_engine
    from nmt.engines.engine import load_engine

    serving = ServingConfig(cpus_per_replica=options.threads)
    engine = load_engine(options.folder / options.side, serving)
    # Random weights never end a sentence: this limit is the length of every output.
    ctranslate2_engine.output_limit = lambda source_tokens: options.tokens[1]
    return engine.translate


def resident_mib() -> float:
    """Read this process's resident memory."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("/proc/self/status has no VmRSS: this benchmark needs Linux")


def spread(rates: Sequence[float], others: Sequence[float]) -> dict[str, float]:
    """Return the median, minimum and maximum of the rounds' ratios."""
    ratios = [rate / other for rate, other in zip(rates, others, strict=True)]
    return {"median": median(ratios), "min": min(ratios), "max": max(ratios)}


def find_misses(figures: dict[str, dict[str, Any]]) -> list[str]:
    """Name each target that is missed."""
    misses = [
        f"{side}, {batch} rows: {found:.1f} times HF, target {target}"
        for (side, batch), target in TARGETS.items()
        if side in figures and (found := figures[side][f"times_hf_{batch}"]["median"]) < target
    ]
    for side, limit in MAX_RESIDENT_MIB.items():
        if side in figures and (found := figures[side]["resident_mib_after"]) > limit:
            misses.append(f"{side}: {found:.0f} MiB resident, target {limit:.0f}")
        if side in figures and (found := figures[side]["load_seconds"]) > MAX_LOAD_SECONDS:
            misses.append(f"{side}: loaded in {found:.1f} s, target {MAX_LOAD_SECONDS:g}")
    return misses


HEADER = (
    "| side | load s (CPU) | resident MiB, after | 16 rows: per CPU-s | x HF | 1 row: per CPU-s "
    "| x HF |",
    "|---|---|---|---|---|---|---|",
)


def line_of(name: str, own: dict[str, Any]) -> str:
    """Format one row of a Markdown table."""
    cells = [
        SIDES[name],
        f"{own['load_seconds']:.1f} ({own['load_cpu_seconds']:.1f})",
        f"{own['resident_mib']:.0f}, {own['resident_mib_after']:.0f}",
    ]
    for batch in BATCHES:
        ratio = own[f"times_hf_{batch}"]
        cells.append(f"{own[f'sentences_per_cpu_second_{batch}']:.2f}")
        cells.append(f"{ratio['median']:.1f} [{ratio['min']:.1f}-{ratio['max']:.1f}]")
    return f"| {' | '.join(cells)} |"


def write_figures(options: argparse.Namespace, figures: dict[str, dict[str, Any]]) -> None:
    """Write the figures as JSON."""
    names = ("layers", "width", "vocabulary", "written", "known", "threads", "tokens", "pairs")
    result = {
        "model": {name: getattr(options, name) for name in names},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "sides": figures,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
