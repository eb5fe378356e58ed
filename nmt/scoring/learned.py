"""Scores of learned metrics, which are computed outside this process, and their files."""

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmt.errors import DataError, shortened
from nmt.scoring.hypothesis_files import read_exact_lines

WHY_NOT = {
    "comet": "needs packages that cannot be installed beside this project's: give `nmt score` the "
    "option --with comet, or --scores comet:SYSTEM=FILE with scores made elsewhere",
    "metricx": "has no package that could be installed: score the translations elsewhere and give "
    "`nmt score` the option --scores metricx:SYSTEM=FILE",
}
"""Learned metric -> why it is not computed unless somebody asks for it."""

_COMET_LINE = re.compile(r"\tSegment \d+\tscore: (\S+)$")
_COMET_SUM = re.compile(r"^[^\t]*\tscore: \S+$")
_KEYS = ("score", "prediction", "COMET")
"""Names of the score in tables and in JSON; MetricX writes `prediction`."""


@dataclass(frozen=True, slots=True)
class LearnedScores:
    """The scores of one learned metric for the translations of one system."""

    values: NDArray[np.float64]
    """One for each sentence."""
    signature: str


LearnedResult = LearnedScores | str
"""Scores, or the reason why there are none."""


def read_learned_scores(place: str, metric: str, system: str, sentences: int) -> LearnedScores:
    """Read the scores of the sentences of a test set from a file that another program has made.

    The file has a number in each line, is the printed output of `comet-score`, is a table with
    tabs and a column `score`, or has JSON lines with a key `score` or `prediction`. A first line
    that begins with `#` is the signature; else the signature has the digest of the file.

    Args:
        place: the file.
        metric: name of the metric.
        system: name of the system, for messages.
        sentences: number of sentences of the test set.

    Raises:
        DataError: the file cannot be read, or does not have one score for each sentence.
    """
    lines = read_exact_lines(place)
    with Path(place).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:12]
    signature = f"{metric}|file:{Path(place).name}|sha256:{digest}"
    first = 1
    if lines[0].startswith("#"):
        signature = lines.pop(0).removeprefix("#").strip() or signature
        first = 2
    values = [
        _parse_number(text, f"{place}, line {number}")
        for number, text in _score_texts(lines, place, metric, first)
    ]
    if len(values) != sentences:
        raise DataError(
            f"{place} has {len(values):,} {metric} scores of '{system}', and the test set has "
            f"{sentences:,} sentences: line n must be the score of sentence n"
        )
    return LearnedScores(np.array(values, dtype=np.float64), signature)


def _score_texts(
    lines: Sequence[str], place: str, metric: str, first: int
) -> list[tuple[int, str]]:
    """Find the number of the line and the text of each score."""
    numbered = list(enumerate(lines, start=first))
    # `comet-score` prints the score of the system after those of the sentences.
    printed = [(number, _COMET_LINE.search(line)) for number, line in numbered]
    if any(match for _, match in printed):
        # Output of several systems, or a warning in it, would shift the scores.
        _refuse_other_lines(numbered, place)
        return [(number, match[1]) for number, match in printed if match]
    if any(line.startswith("{") for line in lines[:1]):
        return [(n, _json_value(line, metric, f"{place}, line {n}")) for n, line in numbered]
    if any("\t" in line for line in lines[:1]):
        return _table_column(numbered, place, metric)
    return numbered


def _refuse_other_lines(numbered: Sequence[tuple[int, str]], place: str) -> None:
    for number, line in numbered:
        if not _COMET_LINE.search(line) and not _COMET_SUM.match(line):
            raise DataError(
                f"{place}, line {number}: {shortened(line, 40)!r} is not a line that comet-score "
                "prints: keep only its scores"
            )


def _table_column(
    numbered: Sequence[tuple[int, str]], place: str, metric: str
) -> list[tuple[int, str]]:
    rows = [(number, line.split("\t")) for number, line in numbered]
    header = rows[0][1]
    names = [name for name in (*_KEYS, metric) if name in header]
    if len(names) != 1:
        raise DataError(
            f"{place}: its columns are {', '.join(header)}: name the one with the scores 'score'"
        )
    column = header.index(names[0])
    for number, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"{place}, line {number}: {len(row)} cells, and the header has {len(header)}"
            )
    return [(number, row[column]) for number, row in rows[1:]]


def _json_value(line: str, metric: str, where: str) -> str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise DataError(f"{where}: {shortened(line, 40)!r} is not JSON") from None
    names = [name for name in (*_KEYS, metric) if isinstance(row, dict) and name in row]
    if len(names) != 1:
        raise DataError(f"{where}: has no key 'score', or several of {', '.join((*_KEYS, metric))}")
    return str(row[names[0]])


def _parse_number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {shortened(text, 40)!r} is not a score: each must be a number")
    return value
