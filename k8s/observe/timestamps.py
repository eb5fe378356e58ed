"""Times of the Kubernetes API. Pure."""

from datetime import UTC, datetime


def timestamp(stamp: str | None) -> float:
    """Convert a time of the API to seconds since 1970; return 0 if there is none."""
    return datetime.fromisoformat(stamp).astimezone(UTC).timestamp() if stamp else 0.0
