"""Settings of the evaluation."""

from pydantic import Field

from nmt.config.section import PositiveInt, Section
from nmt.config.sections.data import CorpusName, Format


class TestSetConfig(Section):
    """A test set beside the one that is held out from the data."""

    path: str
    """File, folder, prefix of two files, or `datasets` name."""
    target_path: str | None = None
    """File of the target side, if the two languages are in two text files."""
    format: Format = "auto"
    """File format; `auto`: chosen by the suffix of the path."""
    source_column: str | None = None
    """Column or key of the source; a number counts columns from 1; unset: found by its name."""
    target_column: str | None = None
    """Column or key of the target; a number counts columns from 1; unset: found by its name."""


class EvaluationConfig(Section):
    """How the base and the tuned model are scored on the test sets."""

    sets: dict[CorpusName, TestSetConfig] = Field(default={})
    """Test sets by name. `prepare` drops training pairs that are like a sentence of theirs."""
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
