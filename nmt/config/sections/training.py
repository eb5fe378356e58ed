"""Settings of the training."""

from typing import Literal, Self

from pydantic import Field, model_validator

from nmt.config.section import Fraction, PositiveInt, Section


class TrainingConfig(Section):
    """The adapter's training."""

    max_steps: PositiveInt = 1200
    """Optimizer steps."""
    learning_rate: float = Field(default=2e-4, gt=0, lt=1)
    """Peak learning rate."""
    schedule: Literal["cosine", "inverse_sqrt", "linear", "constant"] = "cosine"
    """Course of the learning rate after the warm-up."""
    warmup_steps: int = Field(default=50, ge=0)
    """Steps of linear warm-up."""
    micro_batch_tokens: int = Field(default=2048, ge=64)
    """Padded source and target tokens that one forward pass holds."""
    micro_batches_per_step: PositiveInt = 1
    """Micro-batches per optimizer step, over all workers together."""
    label_smoothing: Fraction = 0.1
    """Probability mass spread over the vocabulary."""
    weight_decay: float = Field(default=0.01, ge=0, lt=1)
    """Decoupled weight decay (AdamW)."""
    max_gradient_norm: float = Field(default=1.0, gt=0)
    """Gradients are scaled down to this norm."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto`: bf16 on a GPU that has it, else fp32."""
    gradient_checkpointing: bool = False
    """Keep only each layer's input for the backward pass: less memory, about a third more time."""
    replay_fraction: Fraction = 0.25
    """Share of general pairs mixed into the training data, against forgetting."""
    evaluate_every_steps: PositiveInt = 200
    """Steps between two validations by BLEU; a checkpoint is written at each."""
    checkpoint_every_steps: PositiveInt | None = None
    """Steps between two checkpoints beside those at validations."""
    validation_sentences: PositiveInt = 500
    """Validation pairs decoded at each validation."""
    patience: PositiveInt | None = None
    """Stop after this many validations without a better BLEU."""
    keep_checkpoints: int = Field(default=2, ge=2)
    """Latest checkpoints kept beside the best."""
    average_checkpoints: PositiveInt = 1
    """Checkpoints of the latest validations whose mean is published where its BLEU beats the best
    single one's."""
    allow_worse_than_base: bool = False
    """Publish the best weights also where their validation BLEU is below the base's."""
    from_best_trial: bool = True
    """Go on from the best trial's checkpoint when its settings fit."""
    log_every_seconds: float = Field(default=5.0, gt=0)
    """Time between two lines of progress."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.warmup_steps >= self.max_steps:
            raise ValueError(
                f"warmup_steps ({self.warmup_steps}) must be below max_steps ({self.max_steps})"
            )
        if self.average_checkpoints > self.keep_checkpoints:
            raise ValueError(
                f"average_checkpoints ({self.average_checkpoints}) must not be above "
                f"keep_checkpoints ({self.keep_checkpoints}): no more are there at the end"
            )
        return self
