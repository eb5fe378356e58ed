"""Which library an engine is for."""

from typing import Literal

from nmt.engines.card import EngineFormat
from nmt.errors import ExportError
from nmt.export.trained import Trained
from nmt.models.families import family_named
from nmt.models.shape import load_shape
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.language_tags import LanguageCodes


def engine_format(wanted: Literal["auto"] | EngineFormat, trained: Trained) -> EngineFormat:
    """The wanted format; for `auto` CTranslate2 where it can hold what was trained.

    Raises:
        ExportError: CTranslate2 is wanted, and cannot.
    """
    obstacle = obstacle_to_ctranslate2(trained)
    if wanted == "ctranslate2" and obstacle:
        raise ExportError(f"export.format=ctranslate2: {obstacle}: use export.format=auto or torch")
    if wanted == "auto":
        return "torch" if obstacle else "ctranslate2"
    return wanted


def obstacle_to_ctranslate2(trained: Trained) -> str | None:
    """Why CTranslate2 cannot hold it; only what is known to answer alike there goes."""
    if not trained.becomes_one_model:
        return "this adapter cannot be merged into the model's weights"
    model_type = load_shape(trained.base).model_type
    if not _converts(model_type, trained.codec):
        return f"architecture '{model_type}' cannot be converted, only NLLB-200 can"
    return None


def _converts(model_type: str, codec: Codec) -> bool:
    # M2M100 has NLLB's architecture, and language codes that the engine does not know.
    return family_named(model_type).ctranslate2 and isinstance(codec, LanguageCodes)
