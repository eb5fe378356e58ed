"""The supported model families."""

from typing import Any

from nmt.errors import ModelError
from nmt.models.families.family import Family
from nmt.models.tokenization.language_tags import (
    Instruction,
    LanguageCodes,
    ModelCodes,
    Prompt,
    TargetTag,
    Untagged,
    language_codes,
)

NLLB = Family("NLLB-200 and M2M100", ("m2m_100",), language_codes, ctranslate2=True)
NLLB_MOE = Family("NLLB-MoE", ("nllb-moe",), LanguageCodes, routes_tokens=True)
"""No load-balancing loss is added: a pretrained router is already balanced."""
MARIAN = Family("MarianMT", ("marian",), TargetTag)
MBART = Family("mBART-50", ("mbart",), ModelCodes)
T5 = Family("T5 and mT5", ("mt5", "t5"), Instruction)
WARM_START = Family("encoder-decoder made of encoders", ("encoder-decoder",), Untagged)
ENCODERS = ("bert", "roberta", "xlm-roberta", "albert")
"""Encoders from which the base step builds an encoder-decoder."""
DECODER_ONLY = Family(
    "decoder-only",
    ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma3_text", "bloom", "gpt2"),
    Prompt,
    decoder_only=True,
)
FAMILIES = (NLLB, NLLB_MOE, MARIAN, MBART, T5, WARM_START, DECODER_ONLY)

SUPPORTED = ", ".join([*(name for family in FAMILIES for name in family.model_types), *ENCODERS])
INDIC_TRANS = "IndicTrans"


def family_of(model_config: Any) -> Family:  # noqa: ANN401 - any transformers config
    """Find a model's family by its configuration.

    Raises:
        ModelError: the architecture is not supported.
    """
    return family_named(getattr(model_config, "model_type", None))


def family_named(model_type: str | None) -> Family:
    """Find a family by the `model_type` of `config.json`.

    Raises:
        ModelError: the architecture is not supported.
    """
    for family in FAMILIES:
        if model_type in family.model_types:
            return family
    if model_type in ENCODERS:
        return WARM_START
    if model_type == INDIC_TRANS:
        raise ModelError(
            "model.name_or_path: architecture 'IndicTrans' (IndicTrans2) needs its own code "
            "from the hub, which is never run here: use NLLB-200 or mBART-50 instead"
        )
    raise ModelError(
        f"model.name_or_path: architecture '{model_type}' is not supported; supported: {SUPPORTED}"
    )
