"""Settings of the export."""

from typing import Literal

from pydantic import Field

from nmt.config.section import Section


class ExportConfig(Section):
    """From adapter to engine."""

    format: Literal["auto", "ctranslate2", "torch"] = "auto"
    """What the engine runs on. CTranslate2 holds NLLB-200 alone, and no adapter that cannot be
    merged (bottleneck, prefix, prompt): there auto takes torch."""
    quantization: Literal["int8", "int8_float32", "int8_float16", "float16", "float32"] = "int8"
    """Number format of a CTranslate2 engine on disk; one of torch is float32."""
    logit_tolerance: float = Field(default=1e-3, gt=0)
    """Largest difference between the logits of the trained model and of what is exported."""
