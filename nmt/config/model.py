"""The model and what is trained of it."""

from typing import Literal

from pydantic import Field, field_validator

from nmt.config.section import Fraction, PositiveInt, Section


class ModelConfig(Section):
    """The model that is adapted."""

    name_or_path: str = "tiny"
    """Hub name, local folder, or `tiny`: a small model built and trained on the spot."""
    revision: str | None = None
    """Branch, tag or commit of a hub model; pin it to repeat a result."""
    max_source_tokens: int = Field(default=128, ge=8, le=1024)
    """Training pairs with a longer source are left out and counted."""
    max_target_tokens: int = Field(default=128, ge=8, le=1024)
    """Training pairs with a longer target are left out and counted."""
    base_steps: PositiveInt = 700
    """Optimizer steps that train the `tiny` model from nothing."""
    base_learning_rate: float = Field(default=3e-3, gt=0, lt=1)
    """Peak learning rate of those steps."""
    vocabulary_size: int = Field(default=800, ge=200, le=64_000)
    """Tokens of the `tiny` model's vocabulary."""

    @field_validator("name_or_path")
    @classmethod
    def _not_empty(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("is empty: give a hub name, a folder, or 'tiny'")
        return name

    @property
    def is_tiny(self) -> bool:
        """Whether the model is built by the step `base`."""
        return self.name_or_path == "tiny"


class NoAdapter(Section):
    """Full fine-tuning: every weight is trained."""

    type: Literal["none"] = "none"


class LoraAdapter(Section):
    """Low-rank adaptation of the linear layers.

    Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685
    """

    type: Literal["lora"] = "lora"
    rank: int = Field(default=16, ge=1, le=512)
    """Rank of the update matrices."""
    alpha: float = Field(default=32, gt=0)
    """Scale: the update is multiplied by alpha / rank."""
    dropout: Fraction = 0.05
    """Dropout on the adapter's input."""
    target_modules: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    """Names of the linear layers that get an update."""

    @field_validator("target_modules")
    @classmethod
    def _no_embeddings(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        tied = {"shared", "embed_tokens", "lm_head"} & set(names)
        if tied:
            raise ValueError(
                f"names {sorted(tied)}: these share one matrix, and merging an update into it "
                "gives a wrong model; leave them out"
            )
        if not names:
            raise ValueError("is empty: name at least one linear layer")
        return names


class QloraAdapter(LoraAdapter):
    """LoRA on a base quantized to 4 bits.

    Source: Dettmers et al. 2023, https://arxiv.org/abs/2305.14314
    """

    type: Literal["qlora"] = "qlora"  # pyright: ignore[reportIncompatibleVariableOverride]
    quantization: Literal["nf4", "fp4"] = "nf4"
    """4-bit number format of the frozen weights."""
    double_quantization: bool = True
    """Quantize the quantization constants too."""
    compute_precision: Literal["bf16", "fp32"] = "bf16"
    """Number format of the matrix products."""
