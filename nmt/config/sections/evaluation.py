"""Settings of the evaluation."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, field_validator, model_validator

from nmt.config.section import PositiveInt, Section
from nmt.config.sections.data import CorpusName, Format
from nmt.languages import resolve_language

OWN_TEST_SETS = frozenset({"test", "general"})
"""Names of the test sets that a run's own data gives."""
RESERVED_SETS = OWN_TEST_SETS | {"validation"}
"""Names that no other test set may have."""
Baseline = Literal["memory", "few-shot", "retrieved"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)
RESERVED_SYSTEMS = frozenset({"base", "tuned", "engine", "stable", *BASELINES})
"""Names of the systems of a run and of its baselines."""

VARIANTS = "variant-"
"""What the names of systems begin with that are variants of a run."""

_Text = Annotated[str, StringConstraints(min_length=1)]
_Several = Annotated[tuple[_Text, ...], Field(min_length=1)]


class TestSetConfig(Section):
    """A test set beside the one that is held out from the data; it is scored as it is, and whole.

    Further sets may be named at any time, also after the training.
    """

    path: str
    """File, folder, prefix of two files, or `datasets` name."""
    target_path: _Text | _Several | None = None
    """File of the target side, if the two languages are in two text files; a list of files: one
    for each reference."""
    format: Format = "auto"
    """File format; `auto`: chosen by the suffix of the path."""
    source_column: str | None = None
    """Column or key of the source; a number counts columns from 1; unset: found by its name."""
    target_column: _Text | _Several | None = None
    """Column or key of the target; a number counts columns from 1; unset: found by its name; a
    list: one for each reference."""
    domain_column: str | None = None
    """Column or key of the domain, such as `news`; each domain is also scored by itself."""
    document_column: str | None = None
    """Column or key of the document of a sentence. Sentences of one document are not independent,
    so differences are then judged by whole documents."""
    source_language: str | None = None
    """FLORES-200 or ISO 639 code of the source; unset: `data.source_language`."""
    target_language: str | None = None
    """FLORES-200 or ISO 639 code of the target; unset: `data.target_language`."""
    forgetting: bool = False
    """Whether the set shows what the training made the model forget, such as another domain or
    direction, rather than what it was trained for."""

    @field_validator("source_language", "target_language")
    @classmethod
    def _flores_code(cls, code: str | None) -> str | None:
        return None if code is None else resolve_language(code)

    @model_validator(mode="after")
    def _check_references(self) -> Self:
        if isinstance(self.target_path, tuple) and isinstance(self.target_column, tuple):
            raise ValueError(
                "target_path and target_column are both lists: name the references by one of them"
            )
        return self


class SystemConfig(Section):
    """A system that is scored beside those of the run; set exactly one of its keys."""

    run: str | None = None
    """Another run on the storage root, whose engine is scored."""
    engine: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")] | None = None
    """Digest of an engine on the storage root."""
    endpoint: str | None = None
    """Endpoint (`serving.name`) whose present engine is scored."""
    hypotheses: dict[str, str] = Field(default={})
    """Test set -> text file with a translation in each line, by a system outside the project."""

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name)]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"{found} is set: set one of run, engine, endpoint and hypotheses")
        return self


class EvaluationConfig(Section):
    """How the systems of a run, and others, are scored on test sets."""

    sets: dict[CorpusName, TestSetConfig] = Field(default={})
    """Test sets by name. `prepare` drops training pairs that are like a sentence of theirs."""
    systems: dict[CorpusName, SystemConfig] = Field(default={})
    """Other systems by name, beside `base`, `tuned` and `engine`."""
    baselines: tuple[Baseline, ...] = ()
    """Systems to score that are not trained: `memory` copies the target of
    the pair whose source is most similar; `few-shot` and `retrieved` prompt a decoder-only base
    with examples, which are a few random pairs or those most similar to each sentence."""
    examples: int = Field(default=5, ge=1, le=64)
    """Number of examples in a prompt of `few-shot` and `retrieved`."""
    decoding: Literal["beam", "mbr"] = "beam"
    """Search of the base and the tuned model: `beam`, which is greedy with one beam, or `mbr`,
    which samples translations and takes the one most like the others in chrF."""
    beam_size: int = Field(default=1, ge=1, le=16)
    """Number of beams; 1 is greedy decoding."""
    length_penalty: float = Field(default=1.0, ge=0, le=10)
    """Exponent of the length by which beam search divides a score: above 1 favours long output."""
    mbr_samples: int = Field(default=32, ge=2, le=1024)
    """Number of translations sampled for each sentence with `decoding=mbr`."""
    max_sentences: PositiveInt = 1000
    """Maximum number of pairs to score of a split that is held out from the data. Given test
    sets are always scored whole."""
    batch_tokens: PositiveInt = 8192
    """Maximum number of source tokens in a decoding batch, padding included."""
    bootstrap_samples: int = Field(default=1000, ge=100)
    """Number of resamples behind the intervals of scores and differences."""
    usable_chrf: float = Field(default=60.0, ge=0, le=100)
    """chrF++ of a sentence from which its translation counts as usable as it is."""
    report_samples: int = Field(default=12, ge=0)
    """Number of translations that the summary shows side by side."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for name in self.sets.keys() & RESERVED_SETS:
            raise ValueError(f"sets.{name} has the name of a run's own set: choose another")
        for name in self.systems:
            if name.startswith(VARIANTS):
                raise ValueError(f"systems.{name} has the name of a variant: choose another")
        for name in self.systems.keys() & RESERVED_SYSTEMS:
            raise ValueError(f"systems.{name} has the name of a run's own system: choose another")
        known = self.sets.keys() | OWN_TEST_SETS
        for name, system in self.systems.items():
            for test_set in system.hypotheses.keys() - known:
                raise ValueError(
                    f"systems.{name}.hypotheses names '{test_set}', which is not a test set: "
                    f"the test sets are {', '.join(sorted(known))}"
                )
        return self
