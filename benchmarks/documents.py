"""Reading and writing 5 MB of HTML and of Markdown without a model, in CPU seconds.

    python benchmarks/documents.py

Each document is read and written twice: with every text given back, and with every text changed,
where the result is read again and compared. Beside it is what a program would use instead:
BeautifulSoup for HTML, and markdown-it-py, which reads only. Both are measured in turns in one
process, and the median of the rounds' ratios counts, since other work on the machine slows down
both alike.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from nmt.documents.content import Content, Text
from nmt.documents.document import ReadDocument, ReadOptions, TranslatedSegment
from nmt.documents.formats.html.document import read_html
from nmt.documents.formats.markdown.document import read_markdown

RESULTS = Path(__file__).parent / "results" / "documents.json"
TARGET_SECONDS = 1.0
"""Of reading a document and writing it."""
SIZE = 5_000_000
OPTIONS = ReadOptions(source_language="eng_Latn", target_language="tam_Taml")

SECTION_HTML = """
<section id="s{n}">
<h2>The harbour in year {n}</h2>
<p>The harbour was built of grey stone, and the boats that came in from the islands carried salt,
wool and letters for the whole valley. <em>Nobody counted them</em>, but the keeper of the light
wrote down <a href="/boats?year={n}&amp;sort=name" title="All boats">every name</a> that he could
read from his window.</p>
<p>In that year {n}&nbsp;ships were lost. The town paid for new ropes, a second bell and a wall of
200&#160;metres; it isn&rsquo;t known what the wall did cost.</p>
<ul>
  <li>The first boat leaves before sunrise.</li>
  <li>Ask for <code>gate {n}</code> and wait for the <strong>second</strong> bell.</li>
</ul>
<table><tr><th>Month</th><th>Boats in the harbour</th></tr><tr><td>May</td><td>{n}</td></tr></table>
<img src="h{n}.png" alt="The harbour seen from the hill">
</section>
"""
SECTION_MARKDOWN = """
## The harbour in year {n}

The harbour was built of grey stone, and the boats that came in from the islands carried salt, wool
and letters for the whole valley. *Nobody counted them*, but the keeper of the light wrote down
[every name](/boats?year={n} "All boats") that he could read from his window.

In that year {n} ships were lost. The town paid for new ropes, a second bell and a wall of 200
metres; it is not known what the wall did cost.

- The first boat leaves before sunrise.
- Ask for `gate {n}` and wait for the **second** bell.

| Month | Boats in the harbour |
|-------|----------------------|
| May   | {n}                  |

![The harbour seen from the hill](h{n}.png)
"""


def main() -> None:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    figures = {
        "html": measure(read_html, document(SECTION_HTML), with_beautiful_soup, rounds),
        "markdown": measure(read_markdown, document(SECTION_MARKDOWN), with_markdown_it, rounds),
    }
    print(json.dumps(figures, indent=2))
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def document(section: str) -> bytes:
    """Repeat a section, with other numbers, until it is long enough."""
    sections = SIZE // len(section)
    return "".join(section.replace("{n}", str(1000 + n)) for n in range(sections)).encode()


def measure(
    read: ReadDocument, data: bytes, other: Callable[[bytes], object], rounds: int
) -> dict[str, float]:
    """Measure a format beside another library, in turns."""
    same: list[float] = []
    changed: list[float] = []
    others: list[float] = []
    for _ in range(rounds):
        same.append(cpu_seconds(lambda: translate(read, data, lambda content: content)))
        changed.append(cpu_seconds(lambda: translate(read, data, in_capitals)))
        others.append(cpu_seconds(lambda: other(data)))
    ratios = [mine / theirs for mine, theirs in zip(same, others, strict=True)]
    return {
        "megabytes": len(data) / 1e6,
        "seconds": round(median(same), 2),
        "seconds_changed": round(median(changed), 2),
        "seconds_other": round(median(others), 2),
        "ratio_to_other": round(median(ratios), 3),
        "target_seconds": TARGET_SECONDS,
    }


def translate(read: ReadDocument, data: bytes, change: Callable[[Content], Content]) -> bytes:
    """Read a document and write it with its texts changed."""
    read_document = read(data, OPTIONS)
    return read_document.write(
        [TranslatedSegment(change(segment.content)) for segment in read_document.segments]
    )


def in_capitals(content: Content) -> Content:
    """Write all texts of a segment in capitals."""
    return tuple(
        Text(piece.text.upper()) if isinstance(piece, Text) else piece for piece in content
    )


def with_beautiful_soup(data: bytes) -> str:
    """Read HTML into a tree and write it."""
    return str(BeautifulSoup(data, "html.parser"))


def with_markdown_it(data: bytes) -> Sequence[object]:
    """Read Markdown into tokens, which can be written as HTML only."""
    return MarkdownIt("gfm-like", {"linkify": False}).parse(data.decode())


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds that some work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
