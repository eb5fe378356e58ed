"""Durations as text."""


def clock(seconds: float) -> str:
    """Format a duration in minutes and seconds, or hours and minutes: `2m05s`, `3h20m`."""
    total = round(seconds)
    if total >= 3600:
        return f"{total // 3600}h{total % 3600 // 60:02d}m"
    return f"{total // 60}m{total % 60:02d}s"
