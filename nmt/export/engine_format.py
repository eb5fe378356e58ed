"""Which library an engine is for."""

from typing import Literal

from nmt.engines.card import EngineFormat
from nmt.errors import ExportError
from nmt.export.trained_model import TrainedModel
from nmt.models.families import family_named
from nmt.models.model_config import load_model_config
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.language_tags import LanguageCodes


def engine_format(wanted: Literal["auto"] | EngineFormat, trained: TrainedModel) -> EngineFormat:
    """The wanted format; for `auto` CTranslate2 where it can hold what was trained.

    Raises:
        ExportError: CTranslate2 is wanted, and cannot.
    """
    obstacle = find_ctranslate2_obstacle(trained)
    if wanted == "ctranslate2" and obstacle:
        raise ExportError(f"export.format=ctranslate2: {obstacle}: use export.format=auto or torch")
    if wanted == "auto":
        return "torch" if obstacle else "ctranslate2"
    return wanted


def find_ctranslate2_obstacle(trained: TrainedModel) -> str | None:
    """Why CTranslate2 cannot hold it; only what is known to answer alike there goes."""
    if not trained.is_plain_model:
        return "this adapter cannot be merged into the model's weights"
    model_type = load_model_config(trained.base).model_type
    if not _converts(model_type, trained.codec):
        return f"architecture '{model_type}' cannot be converted, only NLLB-200 can"
    return None


def _converts(model_type: str, codec: Codec) -> bool:
    # M2M100 has NLLB's architecture, and language codes that the engine does not know.
    return family_named(model_type).ctranslate2 and isinstance(codec, LanguageCodes)
