"""Settings of the parallel text."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from nmt.config.section import Fraction, PositiveInt, Section
from nmt.languages import resolve_language


class CleaningConfig(Section):
    """Filters that every pair must pass; each counts the pairs it drops."""

    max_words: PositiveInt = 200
    """Maximum number of words on either side of a pair."""
    min_characters: PositiveInt = 3
    """Minimum number of characters on either side; a Chinese or Japanese one counts as three."""
    min_length_ratio: float = Field(default=0.4, gt=0)
    """Minimum number of target characters per source character, counted in the same way."""
    max_length_ratio: float = Field(default=3.0, gt=0)
    """Maximum number of target characters per source character, counted in the same way."""
    min_script_share: float = Field(default=0.5, ge=0, le=1)
    """Minimum share of a side's letters that are in the script of its language."""


class PhrasebookConfig(Section):
    """The size of the built-in corpus, which is used when `data.path` is not set."""

    general_pairs: int = Field(default=6500, ge=100, le=8000)
    """Number of everyday sentences, which a tiny base model learns."""
    domain_pairs: int = Field(default=1200, ge=100, le=3000)
    """Number of sentences of the special domain, which the fine-tuning learns."""


class DataConfig(Section):
    """The parallel text, and how it is read, cleaned and split."""

    path: str | None = None
    """File, folder or `datasets` name; unset: the built-in phrasebook."""
    target_path: str | None = None
    """File of the target side, if the two languages are in two text files."""
    format: Literal["auto", "jsonl", "csv", "tsv", "text", "tmx", "datasets"] = "auto"
    """File format; `auto`: chosen by the suffix of `data.path`."""
    source_language: str = "eng_Latn"
    """FLORES-200 or ISO 639 code of the source."""
    target_language: str = "tam_Taml"
    """FLORES-200 or ISO 639 code of the target."""
    source_column: str | None = None
    """Column or key of the source; unset: found by the language's codes and common names."""
    target_column: str | None = None
    """Column or key of the target; unset: found in the same way."""
    validation_path: str | None = None
    """Validation pairs, in any supported format."""
    validation_target_path: str | None = None
    """File of the target side, if `data.validation_path` is a plain text file."""
    test_path: str | None = None
    """Test pairs, in any supported format."""
    test_target_path: str | None = None
    """File of the target side, if `data.test_path` is a plain text file."""
    validation_fraction: Fraction = 0.05
    """Share of the pairs to hold out for validation, if the data has no validation split."""
    test_fraction: Fraction = 0.05
    """Share of the pairs to hold out for testing, if the data has no test split."""
    max_pairs: PositiveInt | None = None
    """Read only this many pairs of `data.path`."""
    cleaning: CleaningConfig = CleaningConfig()
    phrasebook: PhrasebookConfig = PhrasebookConfig()

    @field_validator("source_language", "target_language")
    @classmethod
    def _flores_code(cls, code: str) -> str:
        # With one code for each language, `en` and `eng_Latn` are the same setting in a record.
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
            raise ValueError("target_path is set but path is not: set the source file too")
        return self
