"""Parallel text: where it lies, how it is read, cleaned and split."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from nmt.config.section import Fraction, PositiveInt, Section
from nmt.languages import resolve_language


class CleaningConfig(Section):
    """Filters that a pair has to pass; each counts what it drops."""

    max_words: PositiveInt = 200
    """Longest side of a pair, in words."""
    min_characters: PositiveInt = 3
    """Shortest side of a pair, in characters; Chinese and Japanese ones count as three."""
    min_length_ratio: float = Field(default=0.4, gt=0)
    """Least target characters per source character, counted so."""
    max_length_ratio: float = Field(default=3.0, gt=0)
    """Most target characters per source character, counted so."""
    min_script_share: float = Field(default=0.5, ge=0, le=1)
    """Least share of a side's letters that belong to its language's script."""


class PhrasebookConfig(Section):
    """How much of the built-in corpus is generated when `data.path` is not set."""

    general_pairs: int = Field(default=6500, ge=100, le=8000)
    """Everyday sentences: what a tiny base model learns."""
    domain_pairs: int = Field(default=1200, ge=100, le=3000)
    """Sentences of the shifted domain: what the adapter learns."""


class DataConfig(Section):
    """Parallel text: where it is, how it is read, cleaned and split."""

    path: str | None = None
    """File, folder or `datasets` name; unset: the built-in phrasebook."""
    target_path: str | None = None
    """Target side, when the two languages lie in two text files."""
    format: Literal["auto", "jsonl", "csv", "tsv", "text", "tmx", "datasets"] = "auto"
    """Reader; `auto` goes by the suffix of `data.path`."""
    source_language: str = "eng_Latn"
    """FLORES-200 or ISO 639 code of the source."""
    target_language: str = "tam_Taml"
    """FLORES-200 or ISO 639 code of the target."""
    source_column: str | None = None
    """Column or key of the source; unset: found by the language's codes and usual names."""
    target_column: str | None = None
    """Column or key of the target; unset: found like the source's."""
    validation_path: str | None = None
    """Validation pairs, in any readable format."""
    validation_target_path: str | None = None
    """Target side of `data.validation_path`, when it is a plain text file."""
    test_path: str | None = None
    """Test pairs, in any readable format."""
    test_target_path: str | None = None
    """Target side of `data.test_path`, when it is a plain text file."""
    validation_fraction: Fraction = 0.05
    """Share cut off for validation when the data has no such split."""
    test_fraction: Fraction = 0.05
    """Share cut off for testing when the data has no such split."""
    max_pairs: PositiveInt | None = None
    """Read at most this many pairs of `data.path`."""
    cleaning: CleaningConfig = CleaningConfig()
    phrasebook: PhrasebookConfig = PhrasebookConfig()

    @field_validator("source_language", "target_language")
    @classmethod
    def _flores_code(cls, code: str) -> str:
        return resolve_language(code)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.source_language == self.target_language:
            raise ValueError(f"source_language and target_language are both {self.source_language}")
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError(
                f"validation_fraction ({self.validation_fraction}) and test_fraction "
                f"({self.test_fraction}) leave nothing to train on: keep their sum below 1"
            )
        if self.target_path and not self.path:
            raise ValueError("target_path is set and path is not: name the source file too")
        return self
