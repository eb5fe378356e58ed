"""Ratings as a study keeps them, with the systems in place of the labels."""

from pydantic import Field, PositiveInt

from nmt.ratings.batches import Kind
from nmt.runs.step_result import ResultPart
from nmt.storage import RecordKind


class Rating(ResultPart):
    """What a rater has given for a row."""

    row: str
    batch: PositiveInt
    rater: str
    segment: int
    """Place in the segments of the design."""
    kind: Kind
    original: str | None = None
    """Id of the row that a repeat or a degraded row belongs to."""
    degraded: str | None = None
    """The system whose translation was degraded."""
    values: dict[str, dict[str, float]]
    """System -> field -> value."""
    texts: dict[str, str] = Field(default_factory=dict)
    """System -> corrected translation."""
    seconds: float | None = None
    """Time for the whole row, where it was measured."""
    comment: str = ""


class Ratings(ResultPart):
    """All ratings of a study."""

    rows: tuple[Rating, ...]


RATINGS = RecordKind(Ratings, "the ratings of a study")
