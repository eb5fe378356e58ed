"""How what was trained compares with its base on the same test sentences.

Knows no metric, so that what promotes an engine can read it in a small image. Releases may meet
over the record of an evaluation: fields that this one does not know are ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from nmt.errors import StorageError

Interval = tuple[float, float]

_CONFIG = ConfigDict(
    frozen=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True
)


@dataclass(frozen=True, slots=True)
class Significance:
    """Base against best on the same sentences; BLEU is 0-100, intervals hold 95 %."""

    __pydantic_config__ = _CONFIG

    p_value: float
    """Chance of such a difference between equal systems; 1/(samples + 1) at least."""
    base_bleu: float
    base_interval: Interval
    best_bleu: float
    best_interval: Interval
    difference_interval: Interval
    """Of best minus base."""
    samples: int
    """Resamplings drawn."""
    sentences: int
    """Sentences in the test set, and in each resampling."""

    @property
    def is_significant(self) -> bool:
        """Whether p is below .05 and the interval of the difference leaves 0 out.

        Both, because this p-value alone is somewhat generous to small differences.
        """
        low, high = self.difference_interval
        return self.p_value < 0.05 and (low > 0 or high < 0)

    @property
    def is_worse(self) -> bool:
        """Whether best is significantly worse than base."""
        return self.is_significant and self.best_bleu < self.base_bleu


class ScoreSummary(BaseModel):
    """One score and what makes it comparable."""

    model_config = _CONFIG

    value: float
    signature: str


class SystemSummary(BaseModel):
    """One system on the test set and, where there is one, on its general part; BLEU 0-100."""

    model_config = _CONFIG

    bleu: float
    general_bleu: float | None = None
    scores: dict[str, ScoreSummary]
    """`bleu`, `chrf++`, `ter` -> score on the test set."""
    general_scores: dict[str, ScoreSummary] | None = None


class Comparison(BaseModel):
    """What of an evaluation says which system is better; the rest of its record is left out."""

    model_config = _CONFIG

    base: SystemSummary
    best: SystemSummary
    significance: Significance

    @classmethod
    def read(cls, result: Mapping[str, Any], place: str) -> Self:
        """Read the result of an evaluation's record.

        Raises:
            StorageError: it holds no such scores; names `place`, the record's file.
        """
        try:
            return cls.model_validate(result)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise StorageError(
                f"{place}: not the record of an evaluation (result.{key}: {first['msg']}): "
                "give `nmt evaluate --restart` with this run's name, which makes it again"
            ) from None


def probability(p_value: float) -> str:
    """`p = 0.032`, or `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
