"""Settings of the training."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nmt.config.section import Fraction, PositiveInt, Section

ValidationMetric = Literal[
    "bleu", "chrf", "chrf++", "ter", "ter-char", "spbleu", "meteor", "rouge1", "rouge2", "rougeL"
]
"""A metric of `nmt.metrics` by which checkpoints and trials are chosen."""


class TrainingConfig(Section):
    """The training of the adapter, or of all weights."""

    max_steps: PositiveInt = 1200
    """Number of optimizer updates."""
    learning_rate: float = Field(default=2e-4, gt=0, lt=1)
    """Peak learning rate."""
    learning_rate_changes: dict[PositiveInt, Annotated[float, Field(gt=0, lt=1)]] = Field(
        default_factory=dict[int, float]
    )
    """Another peak learning rate after so many updates, such as `{300: 0.0001}`. A search with
    `tune.scheduler=pbt` finds them."""
    schedule: Literal["cosine", "inverse_sqrt", "linear", "constant"] = "cosine"
    """Learning-rate schedule after the warm-up."""
    warmup_steps: int = Field(default=50, ge=0)
    """Number of updates of linear warm-up."""
    micro_batch_tokens: int = Field(default=2048, ge=64)
    """Maximum number of source and target tokens in a forward pass, padding included."""
    micro_batches_per_step: PositiveInt = 1
    """Micro-batches per optimizer update, over all workers."""
    label_smoothing: Fraction = 0.1
    """Probability mass that is spread over the vocabulary."""
    weight_decay: float = Field(default=0.01, ge=0, lt=1)
    """Decoupled weight decay (AdamW)."""
    max_gradient_norm: float = Field(default=1.0, gt=0)
    """Maximum gradient norm; larger gradients are scaled down to it."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto`: bf16 on a GPU that supports it, else fp32."""
    gradient_checkpointing: bool = False
    """Keep only each layer's input for the backward pass: less memory, about a third more time."""
    replay_fraction: Fraction = 0.25
    """Share of general pairs mixed into the training data to prevent forgetting."""
    evaluate_every_steps: PositiveInt = 200
    """Updates between two validations; each validation writes a checkpoint."""
    checkpoint_every_steps: PositiveInt | None = None
    """Updates between two checkpoints, in addition to those at validations."""
    validation_metric: ValidationMetric = "bleu"
    """Metric that chooses checkpoints and trials, ends a training without progress and compares it
    with its base. BLEU is always computed beside it."""
    validation_sentences: PositiveInt = 500
    """Maximum number of pairs decoded at each validation."""
    validation_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Maximum share of the training time that validations take: the first validation measures both,
    and chooses a number of pairs, at least 100, that all validations of the run, or all trials of a
    search, then use. Unset: always `validation_sentences`, so that a run repeated from its seed
    cannot choose another number."""
    patience: PositiveInt | None = None
    """Stop after this many validations in a row without a better score."""
    keep_checkpoints: int = Field(default=2, ge=2)
    """Number of latest checkpoints to keep in addition to the best."""
    average_checkpoints: PositiveInt = 1
    """Average the checkpoints of this many latest validations, and publish the average if its score
    is better than that of the best single checkpoint."""
    allow_worse_than_base: bool = False
    """Publish the best weights even if their validation score is worse than the base's."""
    from_best_trial: bool = True
    """Continue from the checkpoint of the best trial, if its settings fit."""
    log_every_seconds: float = Field(default=5.0, gt=0)
    """Time between two progress lines."""

    def peak_at(self, step: int) -> float:
        """Return the peak learning rate of a step, counted from 0."""
        begun = [change for change in self.learning_rate_changes if change <= step]
        return self.learning_rate_changes[max(begun)] if begun else self.learning_rate

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.warmup_steps >= self.max_steps:
            raise ValueError(
                f"warmup_steps ({self.warmup_steps}) must be below max_steps ({self.max_steps})"
            )
        if self.average_checkpoints > self.keep_checkpoints:
            raise ValueError(
                f"average_checkpoints ({self.average_checkpoints}) must not be above "
                f"keep_checkpoints ({self.keep_checkpoints}): older ones are deleted"
            )
        return self
