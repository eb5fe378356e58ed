"""Settings of the evaluation."""

from pydantic import Field

from nmt.config.section import PositiveInt, Section


class EvaluationConfig(Section):
    """How the base and the tuned model are scored on the test sets."""

    beam_size: int = Field(default=1, ge=1, le=16)
    """Number of beams; 1 is greedy decoding."""
    max_sentences: PositiveInt = 1000
    """Maximum number of pairs to score in each test set."""
    batch_tokens: PositiveInt = 8192
    """Maximum number of source tokens in a decoding batch, padding included."""
    bootstrap_samples: int = Field(default=1000, ge=100)
    """Number of resamples in the paired significance test."""
    report_samples: int = Field(default=12, ge=0)
    """Number of translations that the report shows side by side."""
