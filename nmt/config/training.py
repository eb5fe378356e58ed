"""How training runs, and on how many workers."""

from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from nmt.config.section import Fraction, PositiveInt, Section


class SingleStrategy(Section):
    """One process."""

    type: Literal["single"] = "single"


class DdpStrategy(Section):
    """Data parallel: each worker holds the model, gradients are summed.

    Source: Li et al. 2020, https://arxiv.org/abs/2006.15704
    """

    type: Literal["ddp"] = "ddp"


class DeepspeedStrategy(Section):
    """DeepSpeed ZeRO: optimizer state, gradients and weights are partitioned by stage.

    Source: Rajbhandari et al. 2019, https://arxiv.org/abs/1910.02054
    """

    type: Literal["deepspeed"] = "deepspeed"
    zero_stage: Literal[0, 1, 2, 3] = 2
    """0 none, 1 optimizer state, 2 and gradients, 3 and weights."""
    offload: bool = False
    """Keep the optimizer state in CPU memory."""

    @field_validator("zero_stage", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdigit() else value

    @field_validator("offload")
    @classmethod
    def _has_partitions(cls, offload: bool, info: ValidationInfo) -> bool:
        if offload and info.data.get("zero_stage") == 0:
            raise ValueError("moves what zero_stage 1, 2 or 3 partitions, and zero_stage is 0")
        return offload


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


class ScalingConfig(Section):
    """Workers of a Ray Train run, and what each step may take."""

    workers: PositiveInt = 1
    """Training processes."""
    cpus_per_worker: float = Field(default=1, gt=0)
    """CPUs each worker reserves; also its number of threads."""
    gpus_per_worker: float = Field(default=0, ge=0, le=1)
    """GPU each worker reserves; of a part of one, several trials of a search share it."""
    max_failures: int = Field(default=3, ge=0)
    """Restarts of the worker group from the last checkpoint."""

    @model_validator(mode="after")
    def _one_gpu_each(self) -> Self:
        if self.workers > 1 and 0 < self.gpus_per_worker < 1:
            raise ValueError(
                f"gpus_per_worker ({self.gpus_per_worker}) must be 0 or 1 with several workers "
                f"({self.workers}): NCCL takes no two workers on one GPU"
            )
        return self
