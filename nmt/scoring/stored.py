"""Translations of a test set by one system, as `hypotheses/<set>/<system>.jsonl` keeps them."""

from collections.abc import Iterable, Iterator, Sequence

from pydantic import Field, ValidationError

from nmt.errors import StorageError, first_validation_error
from nmt.runs.step_result import ResultPart
from nmt.scoring.outputs import SystemOutput


class HypothesisRow(ResultPart):
    """One sentence, its translation, and what is known of it."""

    source: str
    references: tuple[str, ...]
    hypothesis: str
    scores: dict[str, float] = Field(default_factory=dict)
    """Metric -> score of this sentence; empty before it is scored."""
    confidence: float | None = None
    """Mean log-probability of the tokens; null for a system that gives none."""
    usable: float | None = None
    """Estimated chance that the translation is usable as it is, 0-1."""
    flags: tuple[str, ...] = ()
    """Keys of `nmt.runs.evaluation.FLAGS`."""
    domain: str | None = None
    overlaps: bool | None = None
    """Whether the sentence is like a training pair; null where this was not looked for."""


def write_rows(rows: Iterable[HypothesisRow]) -> bytes:
    """Write rows as JSON lines."""
    lines = (f"{row.model_dump_json(exclude_defaults=True)}\n" for row in rows)
    return "".join(lines).encode()


def read_rows(content: bytes, place: str) -> Iterator[HypothesisRow]:
    """Read rows from JSON lines.

    Args:
        content: the bytes of the file.
        place: name of the file, for the message.

    Raises:
        StorageError: a line is not such a row.
    """
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            yield HypothesisRow.model_validate_json(line)
        except ValidationError as error:
            problem = first_validation_error(error)
            raise StorageError(f"{place}, line {number}: not a translation: {problem}") from None


def output_of(rows: Sequence[HypothesisRow]) -> SystemOutput:
    """Return the translations of rows, with their confidences if any is known."""
    confidences = [row.confidence for row in rows]
    has_confidences = any(confidence is not None for confidence in confidences)
    return SystemOutput([row.hypothesis for row in rows], confidences if has_confidences else None)
