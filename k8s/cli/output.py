"""Output of the commands: answers on standard output, everything else on standard error."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from k8s.api.cluster import JsonObject


@dataclass(frozen=True, slots=True)
class Clock:
    """The functions for time, which tests replace so that they need not wait."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class Output:
    """A writer of text for people, or of YAML or JSON for programs."""

    def __init__(self, form: str = "text") -> None:
        """Set the form: `text`, `yaml` or `json`."""
        self.form = form

    def log_line(self, text: str) -> None:
        """Write a line of a log."""
        # Programs read the answer on standard output, so the log must not be there as well.
        stream = sys.stdout if self.form == "text" else sys.stderr
        stream.write(text + "\n")
        # A pipe is buffered, but whoever follows a log wants each line at once.
        stream.flush()

    def raw_line(self, line: str) -> None:
        """Write a line of an answer that another process has formatted."""
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Write a message that is not part of the answer."""
        sys.stdout.flush()  # keeps the order of the two streams on a terminal
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def answer(self, value: object, text: str) -> None:
        """Write the answer: the text, or the value as YAML or JSON."""
        sys.stdout.write((text if self.form == "text" else _dump(value, self.form)) + "\n")
        sys.stdout.flush()

    def objects(self, bodies: Sequence[JsonObject]) -> None:
        """Write Kubernetes objects in a form that `kubectl apply -f -` accepts."""
        # kubectl reads several YAML documents but one of JSON, so there a List holds the objects.
        if self.form == "json":
            sys.stdout.write(_dump({"apiVersion": "v1", "kind": "List", "items": bodies}, "json"))
            sys.stdout.write("\n")
            return
        sys.stdout.write(yaml.safe_dump_all(bodies, sort_keys=False, allow_unicode=True))


def _dump(value: object, form: str) -> str:
    # Not escaped, since the answers contain text of any language.
    if form == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip("\n")
