"""Durations as text."""

import re


def clock(seconds: float) -> str:
    """Format a duration in minutes and seconds, or hours and minutes: `2m05s`, `3h20m`."""
    total = round(seconds)
    if total >= 3600:
        return f"{total // 3600}h{total % 3600 // 60:02d}m"
    return f"{total // 60}m{total % 60:02d}s"


def duration(seconds: float) -> str:
    """Format a duration, like `35 s`, `12 min`, `3 h 05 min` or `4 d`."""
    rounded = max(0, int(seconds))
    if rounded < 120:
        return f"{rounded} s"
    if rounded < 7200:
        return f"{rounded // 60} min"
    if rounded < 172_800:
        return f"{rounded // 3600} h {rounded % 3600 // 60:02d} min"
    return f"{rounded // 86_400} d"


def read_clock(text: str) -> int | None:
    """Read what `clock` has written, in seconds; None for another text."""
    found = re.fullmatch(r"(?:(\d+)h)?(\d+)m(?:(\d\d)s)?", text)
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds
