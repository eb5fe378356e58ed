"""The choice of the library that an engine is written for."""

from typing import Literal

from nmt.engines.card import EngineFormat
from nmt.errors import ExportError
from nmt.export.trained_model import TrainedModel
from nmt.models.families import family_named
from nmt.models.model_config import load_model_config
from nmt.models.tokenization.language_tags import LanguageCodes


def engine_format(wanted: Literal["auto"] | EngineFormat, trained: TrainedModel) -> EngineFormat:
    """Choose an engine's format; `auto` is CTranslate2 if it supports the model, else torch.

    Raises:
        ExportError: CTranslate2 is wanted, but does not support the model.
    """
    obstacle = find_ctranslate2_obstacle(trained)
    if wanted == "ctranslate2" and obstacle:
        raise ExportError(f"export.format=ctranslate2: {obstacle}: use export.format=auto or torch")
    if wanted == "auto":
        return "torch" if obstacle else "ctranslate2"
    return wanted


def find_ctranslate2_obstacle(trained: TrainedModel) -> str | None:
    """Explain why CTranslate2 does not support a model; None if it does."""
    # Only models whose translations are known to agree are converted.
    if not trained.is_plain_model:
        return "this adapter cannot be merged into the model's weights"
    model_type = load_model_config(trained.base).model_type
    # M2M100 has NLLB's architecture, but language codes that the CTranslate2 engine does not know.
    has_flores_codes = isinstance(trained.codec, LanguageCodes)
    if not (family_named(model_type).ctranslate2 and has_flores_codes):
        return f"architecture '{model_type}' cannot be converted, only NLLB-200 can"
    return None
