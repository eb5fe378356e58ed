"""Settings of the gate, which decides whether a new engine replaces the one that serves."""

from typing import Annotated, Literal

from pydantic import Field

from nmt.config.section import PositiveInt, Section
from nmt.config.sections.data import CorpusName

_Share = Annotated[float, Field(ge=0, le=1)]
_Points = Annotated[float, Field(gt=0)]


class GateConfig(Section):
    """The rules by which the gate accepts or rejects an engine, or says that it cannot tell."""

    metric: Literal["chrf++", "chrf", "bleu"] = "chrf++"
    """Metric that decides. If it is not BLEU, an engine with a significantly lower BLEU is
    rejected too."""
    goal: Literal["better", "as_good"] = "better"
    """`better`: the engine must gain at least `least_gain`; `as_good`: it must not lose more than
    `largest_loss`, for engines that are smaller or faster."""
    least_gain: float = Field(default=1.0, ge=0)
    """Least gain that is worth a change, in points of the metric. At 1.0 chrF++, people agree with
    the metric in about 73 of 100 pairs of systems."""
    error_rate: float = Field(default=0.05, gt=0, le=0.5)
    """Chance to accept an engine that is not better, over all uses of a test set together."""
    uses: PositiveInt = 20
    """Number of uses of a test set among which the error rate is divided."""
    largest_loss: _Points | None = None
    """Largest loss on each test set, in points of the metric; null: 1.0 on sets of 1,000 sentences
    and more, and 1.5 on smaller ones."""
    largest_losses: dict[CorpusName, _Points] = Field(default={})
    """Largest loss on single test sets, by name, such as those that show forgetting."""
    max_off_target: _Share = 0.01
    """Largest share of translations in another language, on each test set."""
    max_empty: _Share = 0.005
    """Largest share of empty translations, on each test set."""
    max_overlap: _Share = 0.01
    """Largest share of a test set's sentences that are like a training pair."""
    max_slowdown: float | None = Field(default=None, gt=0)
    """Largest ratio of the engine's time for a character of source to that of what it is compared
    with; null: no limit."""
    max_growth: float | None = Field(default=None, gt=0)
    """Largest ratio of the engine's size to that of what it is compared with; null: no limit."""
    sets: tuple[CorpusName, ...] = ()
    """Test sets that decide; empty: all that both engines can translate."""
    domain: CorpusName | None = None
    """Domain of the route whose engine is compared; null: the route of the language pair."""
