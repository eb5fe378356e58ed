"""The record of where an engine comes from, which is signed together with the engine's files."""

from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue, NonNegativeInt

from nmt.runs.evaluation.rows import Comparison, SystemScore, TestSetInfo
from nmt.runs.gate import GateResult
from nmt.runs.results import InputCounts, ScreenedSet, Software
from nmt.runs.step_result import ResultPart
from nmt.runs.trials import Bleu, TrialSettings

Sha256 = str
"""64 hexadecimal digits."""


class DataOrigin(ResultPart):
    """The sentence pairs that the model was trained on, and how they were chosen."""

    digest: str
    """Of the prepared pairs; the training read exactly these."""
    fingerprint: str | None = None
    """SHA-256 of the local input files; null for the phrasebook and a data set of the hub."""
    sizes: dict[str, NonNegativeInt]
    """Split -> pairs."""
    dropped: dict[str, NonNegativeInt] = Field(default_factory=dict)
    """Rule -> pairs that it dropped."""
    flagged: dict[str, dict[str, NonNegativeInt]] = Field(default_factory=dict)
    """Split -> flag -> pairs that have it."""
    inputs: dict[str, InputCounts] = Field(default_factory=dict)
    """Input -> what became of its pairs."""
    screened: dict[str, ScreenedSet] = Field(default_factory=dict)
    """Test set -> what the training pairs were compared with."""


class BaseOrigin(ResultPart):
    """The model that the training began with."""

    name: str
    """Name on the hub, folder, or `tiny`."""
    revision: str | None = None
    """Commit on the hub."""
    license: str
    files: dict[str, Sha256] = Field(default_factory=dict)
    """File -> its SHA-256."""


class SearchOrigin(ResultPart):
    """The search whose best trial the training could take its settings from."""

    trials: NonNegativeInt
    """Number of trials."""
    best: TrialSettings
    """Settings of the best trial."""
    bleu: Bleu | None = None
    """Its best validation BLEU."""


class TrainingOrigin(ResultPart):
    """The training of the weights."""

    steps: NonNegativeInt
    best_step: NonNegativeInt | None = None
    """Step of the checkpoint that was exported; null where none was validated."""
    base_bleu: Bleu | None = None
    """Validation BLEU of the base."""
    best_bleu: Bleu | None = None
    """Validation BLEU of the checkpoint."""
    digest: str
    """Of the trained weights; the export read exactly these."""
    files: dict[str, Sha256] = Field(default_factory=dict)
    """File of the trained weights -> its SHA-256; empty if they are no longer there."""


class EvaluationOrigin(ResultPart):
    """The scores of the engine and its base on held-out text."""

    test_sets: dict[str, TestSetInfo]
    scores: tuple[SystemScore, ...]
    comparisons: tuple[Comparison, ...]


class Provenance(ResultPart):
    """Everything that an engine was made from and measured with."""

    version: Literal[1] = 1
    """Version of this format."""
    recorded_at: AwareDatetime
    engine: str
    """Digest of the engine."""
    run: str
    """Run that made it."""
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    seed: NonNegativeInt
    software: Software | None = None
    """What exported the engine; null in the record of an earlier release."""
    settings: dict[str, dict[str, JsonValue]]
    """Step -> the settings it was done with; those of `prepare` are the filters."""
    data: DataOrigin
    base: BaseOrigin
    search: SearchOrigin | None = None
    training: TrainingOrigin
    logit_difference: float
    """Largest difference between the logits of the trained model and of what was exported."""
    evaluation: EvaluationOrigin | None = None
    """Null as long as the engine is not evaluated."""
    gate: GateResult | None = None
    """The decision whether it may serve; null as long as no gate has decided."""

    def has_same_content(self, other: "Provenance | None") -> bool:
        """Tell whether another record says the same, perhaps at another time."""
        return other is not None and self == other.model_copy(
            update={"recorded_at": self.recorded_at}
        )
