"""Settings of the parallel text."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from nmt.config.section import Fraction, PositiveInt, Section
from nmt.config.sections.cleaning import CleaningConfig
from nmt.config.tree import is_tree
from nmt.languages import resolve_language

Format = Literal[
    "auto", "jsonl", "json", "csv", "tsv", "text", "tmx", "xliff", "po", "parquet", "datasets"
]
CorpusName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]


class CorpusConfig(Section):
    """One of several corpora, and how it is read, cleaned and mixed into the training."""

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
    score_column: str | None = None
    """Column or key of a score, such as that of a sentence aligner."""
    min_score: float | None = None
    """Minimum score; pairs with a lower one are dropped. Needs `score_column`."""
    max_pairs: PositiveInt | None = None
    """Read only this many pairs."""
    weight: float = Field(default=1.0, gt=0, le=1000)
    """How often each training pair is used in an epoch: 2 is twice, 0.5 is every second epoch."""
    tag: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None
    """Text to put before each source, such as `<bt>` for back-translated text.

    Validation and test pairs are not held out from a corpus with a tag.
    """
    cleaning: CleaningConfig = CleaningConfig()
    """Filters of this corpus; keys that are not set are those of `data.cleaning`."""

    @model_validator(mode="after")
    def _check_score(self) -> Self:
        if self.min_score is not None and self.score_column is None:
            raise ValueError("min_score is set but score_column is not: name the column")
        return self


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
    format: Format = "auto"
    """File format; `auto`: chosen by the suffix of `data.path`."""
    corpora: dict[CorpusName, CorpusConfig] = Field(default={})
    """Several corpora by name, in place of `data.path`."""
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
    """Test pairs, in any supported format; they are kept and scored as they are."""
    test_target_path: str | None = None
    """File of the target side, if `data.test_path` is a plain text file."""
    validation_fraction: Fraction = 0.05
    """Share of the pairs to hold out for validation, if the data has no validation split."""
    test_fraction: Fraction = 0.05
    """Share of the pairs to hold out for testing, if the data has no test split."""
    max_pairs: PositiveInt | None = None
    """Read only this many pairs of `data.path`."""
    max_bad_rows: int = Field(default=0, ge=0)
    """Number of damaged rows of each input that are counted, shown and skipped; none of a test
    set."""
    min_ray_pairs: PositiveInt = 500_000
    """Number of pairs from which the text is cleaned on Ray, in parallel."""
    cleaning: CleaningConfig = CleaningConfig()
    phrasebook: PhrasebookConfig = PhrasebookConfig()

    @property
    def is_phrasebook(self) -> bool:
        """Tell whether the data is the built-in phrasebook."""
        return self.path is None and not self.corpora

    @property
    def name(self) -> str:
        """Return where the data is from, in a few words."""
        if self.corpora:
            return f"the corpora {', '.join(self.corpora)}"
        return self.path or "the built-in phrasebook"

    @model_validator(mode="before")
    @classmethod
    def _inherit_cleaning(cls, values: object) -> object:
        """Give each corpus the keys of `data.cleaning` that it does not set itself."""
        if not is_tree(values) or not is_tree(values.get("corpora")):
            return values
        shared = values.get("cleaning")
        corpora = {
            name: _with_cleaning(corpus, shared) for name, corpus in values["corpora"].items()
        }
        return {**values, "corpora": corpora}

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
        for name in self.corpora.keys() & {"validation", "test"}:
            raise ValueError(f"corpora.{name} has the name of a split: give it another one")
        if self.path and self.corpora:
            raise ValueError(
                "path and corpora are both set: make the file of path one of the corpora"
            )
        return self


def _with_cleaning(corpus: object, shared: object) -> object:
    if not is_tree(corpus) or not is_tree(shared):
        return corpus  # the schema refuses what is not a section
    own: Any = corpus.get("cleaning", {})
    return {**corpus, "cleaning": {**shared, **own}} if is_tree(own) else corpus
