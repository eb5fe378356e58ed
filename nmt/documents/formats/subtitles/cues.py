"""The cues of a subtitle file: their times, and where their text is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
TIMING = re.compile(rf"[ \t]*+{_TIME}[ \t]*+-->[ \t]*+{_TIME}(?![\d:])")
_REST_OF_LINE = re.compile(r"[^\r\n]*+(?:\r\n|[\r\n])?")
# Lines that follow each other and are not empty.
_LINES = re.compile(r"\S[^\r\n]*+(?:(?:\r\n|[\r\n])[ \t]*+\S[^\r\n]*+)*+")
_COUNTER = re.compile(r"(?:\A|(?<=[\r\n]))[ \t]*+\d++[ \t]*+(?:\r\n|[\r\n])\Z")
_LONGEST_LINE = 100
"""Characters before the arrow of a line with times, or of a line with the number of a cue."""


# Not frozen, since making it would take twice the time.
@dataclass(slots=True)
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
    timings = list(_timings(text))
    for cue, timing in enumerate(timings):
        rest = _REST_OF_LINE.match(text, timing.end())
        start = rest.end() if rest else timing.end()
        end = timings[cue + 1].start() if cue + 1 < len(timings) else len(text)
        if not is_vtt and end < len(text):
            end -= _counter_length(text, start, end)
        begins, ends = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
        for lines in _LINES.finditer(text, start, end):
            # An empty line ends the cue of a VTT file; behind it is the name of the next one.
            if is_vtt and text[start : lines.start()].strip(" \t"):
                break
            yield CueText(cue, begins, ends, lines.start(), lines.end())
            if is_vtt:
                break


def _timings(text: str) -> Iterator[re.Match[str]]:
    """Yield the times of cues, each from the start of its line."""
    arrow = text.find("-->")
    while arrow >= 0:
        # Looking back is limited, or a file without line breaks would take quadratic time.
        first = max(0, arrow - _LONGEST_LINE)
        start = 1 + max(text.rfind(line_end, first, arrow) for line_end in "\r\n")
        timing = TIMING.match(text, start or first)
        if timing:
            yield timing
        arrow = text.find("-->", arrow + 3)


def _counter_length(text: str, start: int, end: int) -> int:
    """Return the length of the line with the number of the next cue, which ends at `end`."""
    before = text[max(start, end - _LONGEST_LINE) : end]
    counter = _COUNTER.search(before)
    return len(counter[0]) if counter else 0


def _seconds(parts: Sequence[str | None]) -> float:
    """Return a time in seconds."""
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000
