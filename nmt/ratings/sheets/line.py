"""A row that has come back from a rater, whatever the format."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it was read, before it is checked against the key."""

    place: str
    """File and row, for messages."""
    cells: dict[str, str]
    """Column -> content; the columns are `id`, `source`, `comment`, `translation A` and a field
    with its label, such as `score A`."""
    seconds: float | None = None
    """Time that the rater took, where the tool measures it."""
    needs_text: bool = False
    """Whether the format must have the texts, so that a missing one is a mistake."""


def column_of(name: str, label: str) -> str:
    """Name the column of a field, or of the translation, of a label."""
    return f"{name} {label}"
