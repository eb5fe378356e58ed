"""Settings of the export."""

from typing import Literal

from pydantic import Field

from nmt.config.section import Section


class ExportConfig(Section):
    """How an engine is made from the trained model."""

    format: Literal["auto", "ctranslate2", "torch"] = "auto"
    """Runtime of the engine. CTranslate2 supports only NLLB-200 and only adapters that can be
    merged (not bottleneck, prefix or prompt); in all other cases `auto` chooses torch."""
    quantization: Literal["int8", "int8_float32", "int8_float16", "float16", "float32"] = "int8"
    """Number format of a CTranslate2 engine on disk; a torch engine is always float32."""
    vocabulary: Literal["auto", "full", "mapped", "trimmed"] = "auto"
    """Tokens of a CTranslate2 engine. `full` has all; `mapped` can write only those of the target
    side's text and script; `trimmed` has only what one of both sides needs, which takes less
    memory. `auto` trims a vocabulary of more than 32,768 tokens, unless the translations of the
    validation set get worse."""
    max_vocabulary_loss: float = Field(default=0.3, ge=0)
    """Maximum loss of chrF++ and of BLEU on the validation set at which `auto` still trims."""
    logit_tolerance: float = Field(default=1e-3, gt=0)
    """Maximum difference between the logits of the trained and the exported model."""
