"""The cues of a subtitle file: their times, and where their text is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
TIMING = re.compile(rf"[ \t]*+{_TIME}[ \t]*+-->[ \t]*+{_TIME}(?![\d:])")
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|[\r\n])|[^\r\n]++")
_COUNTER = re.compile(r"[ \t]*+\d++[ \t]*+$")


@dataclass(frozen=True, slots=True)
class CueText:
    """Lines of a cue that follow each other; most cues have one such text."""

    cue: int
    """Number of the cue in the file, from 0."""
    begins: float
    """Time in seconds."""
    ends: float
    start: int
    """Of its first character in the file."""
    end: int
    """Behind its last character, before the line break."""


def find_cue_texts(text: str, *, is_vtt: bool) -> Iterator[CueText]:
    """Yield the texts of all cues, in order.

    Args:
        text: of the file.
        is_vtt: whether an empty line always ends a cue. In SRT it does so only before another cue.
    """
    lines = _LINE.findall(text)
    cue, begins, ends = -1, 0.0, 0.0
    first: int | None = None
    at = last = 0
    in_cue = False
    for number, line in enumerate(lines):
        timing = TIMING.match(line)
        is_text = in_cue and bool(line.strip()) and not timing
        if is_text and not is_vtt and _is_counter(lines, number):
            is_text = in_cue = False
        if is_text:
            first = at if first is None else first
            last = at + len(line.rstrip("\r\n"))
        elif first is not None:
            yield CueText(cue, begins, ends, first, last)
            first = None
        if timing:
            cue, in_cue = cue + 1, True
            begins, ends = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
        elif is_vtt and not line.strip():
            in_cue = False
        at += len(line)
    if first is not None:
        yield CueText(cue, begins, ends, first, last)


def _is_counter(lines: Sequence[str], number: int) -> bool:
    """Tell whether a line is the number of the next cue."""
    return (
        number + 1 < len(lines)
        and _COUNTER.match(lines[number].rstrip("\r\n")) is not None
        and TIMING.match(lines[number + 1]) is not None
    )


def _seconds(parts: Sequence[str | None]) -> float:
    """Return a time in seconds."""
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000
