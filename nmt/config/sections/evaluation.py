"""Settings of the evaluation."""

from pydantic import Field

from nmt.config.section import PositiveInt, Section


class EvaluationConfig(Section):
    """Scores of the base and the adapter on the test split."""

    beam_size: int = Field(default=1, ge=1, le=16)
    """Beams; 1 is greedy."""
    max_sentences: PositiveInt = 1000
    """Test pairs scored, of each part."""
    batch_tokens: PositiveInt = 8192
    """Padded source tokens decoded together."""
    bootstrap_samples: int = Field(default=1000, ge=100)
    """Resamplings of the paired significance test."""
    report_samples: int = Field(default=12, ge=0)
    """Translations shown side by side in the report."""
