"""The scores of a system, as a summary shows them."""

from collections.abc import Mapping

from nmt.metrics import Score
from nmt.runs.comparison import ScoreSummary, SystemSummary


def summarize_system(
    scores: Mapping[str, Score], general: Mapping[str, Score] | None = None
) -> SystemSummary:
    """Summarize what `nmt.metrics.score_all` gives for the test set and for the general part."""
    return SystemSummary(
        bleu=scores["bleu"].value,
        general_bleu=general["bleu"].value if general else None,
        scores=_summarize(scores),
        general_scores=_summarize(general) if general else None,
    )


def _summarize(scores: Mapping[str, Score]) -> dict[str, ScoreSummary]:
    return {
        name: ScoreSummary(value=score.value, signature=score.signature)
        for name, score in scores.items()
    }
