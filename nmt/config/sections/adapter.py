"""Adapter methods, and full fine-tuning: which weights are trained."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from nmt.config.section import Fraction, PositiveInt, Section


class NoAdapter(Section):
    """Full fine-tuning: all weights are trained."""

    type: Literal["none"] = "none"


def _no_embeddings(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    # These modules share one matrix. An update learned for one of them would, once merged, change
    # the others too.
    tied = {"shared", "embed_tokens", "lm_head"} & set(names or ())
    if tied:
        raise ValueError(
            f"names {sorted(tied)}: these share one matrix, so merging an update of it "
            "gives a wrong model; leave them out"
        )
    if names is not None and not names:
        raise ValueError("is empty: name at least one linear layer")
    return names


Targets = Annotated[tuple[str, ...] | None, AfterValidator(_no_embeddings)]


class _OnLinearLayers(Section):
    """The settings of all methods that adapt linear layers."""

    target_modules: Targets = None
    """Names of the linear layers to adapt; unset: all in the encoder and decoder blocks."""


class _LowRank(_OnLinearLayers):
    """The settings of LoRA and QLoRA."""

    rank: int = Field(default=16, ge=1, le=512)
    """Rank of the update matrices."""
    alpha: float = Field(default=32, gt=0)
    """Scale of the update, which is multiplied by alpha / rank."""
    dropout: Fraction = 0.05
    """Dropout probability on the adapter's input."""
    rank_stabilized: bool = False
    """Multiply by alpha / sqrt(rank) instead, so that high ranks learn as fast (rsLoRA)."""
    decomposed: bool = False
    """Train the magnitude and the direction of each weight column separately (DoRA)."""


class LoraAdapter(_LowRank):
    """Low-rank adaptation of the linear layers.

    Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685;
    rsLoRA: Kalajdzievski 2023, https://arxiv.org/abs/2312.03732;
    DoRA: Liu et al. 2024, https://arxiv.org/abs/2402.09353;
    PiSSA: Meng et al. 2024, https://arxiv.org/abs/2404.02948
    """

    type: Literal["lora"] = "lora"
    initialization: Literal["zero", "pissa"] = "zero"
    """`zero`: start without an update; `pissa`: train the principal singular vectors."""


class QloraAdapter(_LowRank):
    """LoRA on a base quantized to 4 bits.

    Source: Dettmers et al. 2023, https://arxiv.org/abs/2305.14314
    """

    type: Literal["qlora"] = "qlora"
    quantization: Literal["nf4", "fp4"] = "nf4"
    """4-bit number format of the frozen weights."""
    double_quantization: bool = True
    """Also quantize the quantization constants."""
    compute_precision: Literal["bf16", "fp32"] = "bf16"
    """Number format of the matrix products."""


class Ia3Adapter(Section):
    """Trained scaling factors for keys, values and the inner feed-forward activations (IA3).

    Source: Liu et al. 2022, https://arxiv.org/abs/2205.05638
    """

    type: Literal["ia3"] = "ia3"
    target_modules: Targets = None
    """Names of the linear layers that get factors; unset: the keys, the values and the output
    layers of the feed-forward blocks, as in the paper."""
    feedforward_modules: tuple[str, ...] | None = None
    """Which of these layers have their input scaled instead of their output; unset: the output
    layers of the feed-forward blocks."""


class OftAdapter(_OnLinearLayers):
    """Trained block-wise rotations of the linear layers' inputs (OFT).

    Source: Qiu et al. 2023, https://arxiv.org/abs/2306.07280
    """

    type: Literal["oft"] = "oft"
    block_size: int = Field(default=32, ge=2, le=1024)
    """Width of a rotated block; must divide the input width of each adapted layer."""
    dropout: Fraction = 0.0
    """Share of the blocks that are not rotated in an update."""


class BottleneckAdapter(Section):
    """A small two-layer network after each feed-forward block; cannot be merged.

    Source: Houlsby et al. 2019, https://arxiv.org/abs/1902.00751
    """

    type: Literal["bottleneck"] = "bottleneck"
    width: int = Field(default=64, ge=1, le=4096)
    """Number of units between the two layers."""


class PrefixAdapter(Section):
    """Trained keys and values before those of each decoder layer; cannot be merged.

    Source: Li and Liang 2021, https://arxiv.org/abs/2101.00190
    """

    type: Literal["prefix"] = "prefix"
    virtual_tokens: PositiveInt = 20
    """Number of trained positions."""


class PromptAdapter(Section):
    """Trained embeddings before the source; cannot be merged.

    Source: Lester et al. 2021, https://arxiv.org/abs/2104.08691
    """

    type: Literal["prompt"] = "prompt"
    virtual_tokens: PositiveInt = 20
    """Number of trained positions."""


AdapterConfig = (
    NoAdapter
    | LoraAdapter
    | QloraAdapter
    | Ia3Adapter
    | OftAdapter
    | BottleneckAdapter
    | PrefixAdapter
    | PromptAdapter
)
DEFAULT_ADAPTER = LoraAdapter()


def keys_of(method: str) -> frozenset[str]:
    """List the dotted settings that an adapter type has."""
    sections = {
        section.model_fields["type"].default: section for section in get_args(AdapterConfig)
    }
    return frozenset(f"adapter.{name}" for name in sections[method].model_fields)
