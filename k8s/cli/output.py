"""What these scripts say: answers on standard output, everything else on standard error."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import yaml

from k8s.api.cluster import JsonObject


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, so that tests need not wait."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class Output:
    """Writes text for people, or YAML or JSON for programs."""

    def __init__(self, form: str = "text") -> None:
        """Choose a form: `text`, `yaml` or `json`."""
        self.form = form

    def log_line(self, text: str) -> None:
        """A line of a log; it makes way for a machine-readable answer."""
        stream = sys.stdout if self.form == "text" else sys.stderr
        stream.write(text + "\n")
        stream.flush()

    def raw_line(self, line: str) -> None:
        """A line of an answer that another process has put into its form."""
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something to know that is no part of the answer."""
        sys.stdout.flush()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def answer(self, value: object, text: str) -> None:
        """What was asked for: as text, or as the value in the chosen form."""
        sys.stdout.write((text if self.form == "text" else _dump(value, self.form)) + "\n")
        sys.stdout.flush()

    def objects(self, bodies: Sequence[JsonObject]) -> None:
        """Objects as `kubectl apply -f -` takes them."""
        if self.form == "json":
            sys.stdout.write(_dump({"apiVersion": "v1", "kind": "List", "items": bodies}, "json"))
            sys.stdout.write("\n")
            return
        sys.stdout.write(yaml.safe_dump_all(bodies, sort_keys=False, allow_unicode=True))


def _dump(value: object, form: str) -> str:
    if form == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip("\n")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def duration(seconds: float) -> str:
    """`35 s`, `12 min`, `3 h 05 min`, `4 d`."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d"
