"""How large the report of many systems is, and how long a browser takes to open it.

Makes an evaluation of eight systems on five test sets of 2,000 sentences, renders its report, and
prints the size of the page, the CPU time and the memory of rendering, and the CPU time that a
browser's page needs until it is complete and until its first sentences are shown:

    PYTHONPATH=. python benchmarks/report.py report.html

The text is invented: words of random syllables, as frequent as the words of a language are. With
`--text`, it is made of real translations, one file for each system; the systems that are missing
are made of them by replacing words.
"""

import argparse
import random
import resource
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate, combinations
from pathlib import Path

from nmt.report.page import render_scores
from nmt.report.stored import StoredSet
from nmt.runs.evaluation import (
    FLAGS,
    Comparison,
    ConfidenceBin,
    ConfidenceSummary,
    Cost,
    EvaluationResult,
    FlagCount,
    NgramChange,
    SliceScore,
    SystemInfo,
    SystemScore,
    TestSetInfo,
)
from nmt.scoring.stored import HypothesisRow
from tests.support.browser import CHROMIUM, errors_of, open_browser

METRICS = ("bleu", "chrf", "chrf++", "ter", "meteor", "rouge1", "rouge2", "rougeL")
COMPARED = ("bleu", "chrf", "chrf++")
CONSONANTS, SIGNS = (
    "கசடதபறஞஙணநமனயரழவலள",
    ("", "", "ா", "ி", "ீ", "ு", "ூ", "ெ", "ே", "ை", "ொ", "ோ", "்"),
)
SLICES = ("1-10 words", "11-20 words", "21-30 words", "31-40 words", "over 40 words")
KINDS = ("length", "domain", "rare words")
CHANGED = 0.5
"""Share of the words that a made system has of its own."""


class Words:
    """Words that are as frequent as those of a language."""

    def __init__(self, seed: int, known: Sequence[str] = ()) -> None:
        """Make 40,000 words, unless some are given."""
        self.random = random.Random(seed)
        self.known = list(known) or [self._invent() for _ in range(40_000)]
        # Zipf's law; the words of real text come with their frequency.
        rank_one = 1 if known else 0
        self.weights = list(
            accumulate(1.0 if rank_one else 1 / (n + 1) for n in range(len(self.known)))
        )

    def _invent(self) -> str:
        pick = self.random.choice
        count = self.random.randint(2, 6)
        return "".join(pick(CONSONANTS) + pick(SIGNS) for _ in range(count))

    def draw(self, count: int) -> list[str]:
        """Draw words."""
        return self.random.choices(self.known, cum_weights=self.weights, k=count)

    def edit(self, text: str, share: float) -> str:
        """Replace a share of the words of a text."""
        words = text.split()
        return " ".join(
            new if self.random.random() < share else word
            for word, new in zip(words, self.draw(len(words)), strict=True)
        )


def make_rows(
    words: Words, lines: Sequence[Sequence[str]], systems: int, sentences: int
) -> list[list[HypothesisRow]]:
    """Make the rows of each system on one test set.

    Args:
        words: where invented words come from.
        lines: the source, the reference and the translations of real systems; empty to invent all.
        systems: how many systems to make.
        sentences: how many sentences to make.
    """
    rows: list[list[HypothesisRow]] = [[] for _ in range(systems)]
    for number in range(sentences):
        if lines:
            source, reference, *found = (column[number % len(lines[0])] for column in lines)
            # A sentence that comes again is another one, so that it cannot be compressed away.
            found = [words.edit(text, 0.2 if number >= len(lines[0]) else 0) for text in found]
        else:
            reference = " ".join(words.draw(words.random.randint(6, 28))) + "."
            source = reference.translate(str.maketrans(CONSONANTS, "kscdtprngnnmnyrlvl"[:18]))
            found = []
        while len(found) < systems:
            found.append(words.edit(found[len(found) // 2] if found else reference, CHANGED))
        for column, hypothesis in zip(rows, found, strict=False):
            column.append(_row(words.random, source, reference, hypothesis))
    return rows


def _row(draw: random.Random, source: str, reference: str, hypothesis: str) -> HypothesisRow:
    return HypothesisRow(
        source=source,
        references=(reference,),
        hypothesis=hypothesis,
        scores={metric: round(draw.uniform(20, 90), 2) for metric in METRICS},
        confidence=round(-draw.random() * 2, 4),
        usable=round(draw.random(), 3),
        flags=tuple(flag for flag in FLAGS if draw.random() < 0.02),
    )


def make_result(systems: Sequence[str], sets: Sequence[str], sentences: int) -> EvaluationResult:
    """Make rows of every kind for each system and each test set."""
    draw = random.Random(1)
    level = {name: draw.uniform(30, 60) for name in systems}
    pairs = [(one, name) for one in sets for name in systems]
    return EvaluationResult(
        systems={name: SystemInfo(size_bytes=draw.randrange(10**9)) for name in systems},
        test_sets={name: TestSetInfo(sentences=sentences, digest="0" * 12) for name in sets},
        scores=tuple(
            SystemScore(
                system=name, test_set=one, metric=metric, value=level[name], signature=metric,
                interval=(level[name] - 1, level[name] + 1),
            )
            for one, name in pairs for metric in METRICS
        ),
        comparisons=tuple(
            Comparison(
                test_set=one, metric=metric, baseline=before, system=after,
                difference=level[after] - level[before], interval=(-1, 1), standard_error=0.4,
                p_value=draw.random() / 10, bootstrap_p=0.1, resamples=1000, detectable=1.1,
            )
            for one in sets for metric in COMPARED for before, after in combinations(systems, 2)
        ),
        slices=tuple(
            SliceScore(
                test_set=one, system=name, kind=kind, label=label, sentences=100,
                scores={"bleu": level[name], "chrf++": level[name]},
            )
            for one, name in pairs for kind in KINDS for label in SLICES
        ),
        flags=tuple(
            FlagCount(test_set=one, system=name, flag=flag, count=draw.randrange(99), of=sentences)
            for one, name in pairs for flag in FLAGS
        ),
        ngrams=tuple(
            NgramChange(
                test_set=one, baseline=systems[0], system=name, ngram=f"{number} words",
                gained=draw.choice((-1, 1)) * number,
            )
            for one, name in pairs if name != systems[0] for number in range(2, 42)
        ),
        costs=tuple(
            Cost(test_set=one, system=name, seconds=draw.uniform(5, 500), characters=10**5)
            for one, name in pairs
        ),
        confidences=tuple(
            ConfidenceSummary(
                test_set=one, system=name, threshold=60, estimated=0.5, usable=0.5,
                bins=tuple(
                    ConfidenceBin(confidence=-1, estimated=e, usable=draw.random(), sentences=400)
                    for e in (0.1, 0.3, 0.5, 0.7, 0.9)
                ),
            )
            for one, name in pairs
        ),
    )  # fmt: skip


def measure_opening(page: Path) -> Iterator[str]:
    """Open a page, and describe the CPU time that its process took."""
    with open_browser() as browser:
        opened = browser.new_page(viewport={"width": 1150, "height": 900})
        errors, requests = errors_of(opened), list[str]()
        opened.on("request", lambda request: requests.append(request.url))
        tools = opened.context.new_cdp_session(opened)
        tools.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
        tools.send("Performance.enable")

        def seconds() -> float:
            found = tools.send("Performance.getMetrics")["metrics"]
            # The other figures, such as TaskDuration, count the time of other processes too.
            return next(each["value"] for each in found if each["name"] == "ProcessTime")

        opened.goto(page.resolve().as_uri(), timeout=0)
        yield f"opened: {seconds():.2f} CPU seconds of the page's process"
        before = seconds()
        opened.evaluate("document.getElementById('translations').scrollIntoView()")
        opened.locator("#list article").first.wait_for()
        yield f"first 50 sentences of a set: {seconds() - before:.2f} CPU seconds more"
        # Laid out only now, so that the time of the first screen does not count it.
        nodes = opened.evaluate("document.getElementsByTagName('*').length")
        yield f"elements: {nodes:,}; requests: {len(requests)}; errors: {errors}"


def main() -> None:
    """Make the page and print its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("page", type=Path, help="file to write")
    parser.add_argument("--systems", type=int, default=8)
    parser.add_argument("--sets", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument(
        "--text", type=Path, nargs="+", default=[], metavar="FILE",
        help="source, reference and translations, one sentence a line",
    )  # fmt: skip
    options = parser.parse_args()
    lines = [path.read_text(encoding="utf-8").split("\n")[:-1] for path in options.text]
    known = [word for column in lines[2:] for line in column for word in line.split()]
    words = Words(1, known)
    systems = [f"system-{number}" for number in range(1, options.systems + 1)]
    sets = [f"set-{number}" for number in range(1, options.sets + 1)]
    stored = [
        StoredSet(one, name, rows)
        for one in sets
        for name, rows in zip(
            systems, make_rows(words, lines, len(systems), options.sentences), strict=True
        )
    ]
    result = make_result(systems, sets, options.sentences)
    started = time.process_time()
    page = render_scores(result, stored, "Eight systems on five test sets").encode()
    taken = time.process_time() - started
    options.page.write_bytes(page)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"page: {len(page) / 1e6:.2f} MB, rendered in {taken:.1f} CPU seconds, peak {peak:.0f} MiB"
    )
    if CHROMIUM:
        for line in measure_opening(options.page):
            print(line)


if __name__ == "__main__":
    main()
