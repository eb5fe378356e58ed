"""The export of a run: a merged model, an adapter, and the engine made of them."""

import logging
from pathlib import Path
from typing import Any

from torch import nn

from nmt.config import Config
from nmt.engines.card import EngineFormat, write_card
from nmt.export.convert import (
    copy_content,
    engine_card,
    fill_ctranslate2,
    fill_torch,
    store_by_digest,
)
from nmt.export.engine_format import engine_format
from nmt.export.trained_model import ReferenceLogits, TrainedModel, find_trained_model, write_merged
from nmt.models.license import license_of
from nmt.runs import layout
from nmt.storage import Storage

log = logging.getLogger(__name__)


def export(config: Config, storage: Storage) -> dict[str, Any]:
    """Leave an engine of the best weights in `engines/<digest>/`.

    Beside it the step's folder holds `merged/` for plain transformers, where there is such a
    model, and, for an adapter, `adapter/` for plain PEFT.

    Raises:
        ExportError: what is written answers otherwise than the trained model, or
            `export.format=ctranslate2` cannot hold it.
    """
    trained = find_trained_model(config, storage)
    form = engine_format(config.export.format, trained)
    model = trained.load()
    reference = ReferenceLogits.of(model, config, storage, trained.codec)
    merged_difference = 0.0
    if trained.is_plain_model:
        with storage.commit(layout.merged_model(config.run)) as merged:
            model, merged_difference = write_merged(model, trained, reference, merged)
            write_license(config, merged)
    if trained.is_adapter:
        with storage.commit(layout.exported_adapter(config.run)) as adapter:
            copy_content(trained.weights, adapter)
            write_license(config, adapter)
    digest, engine_difference = write_engine(config, storage, form, model, trained, reference)
    log.info("export: %s engine %s in %s", form, digest, storage.locate(layout.engine(digest)))
    return {
        "output": digest,
        "engine": digest,
        "format": form,
        "logit_difference": max(merged_difference, engine_difference),
        "license": license_of(config.model.name_or_path),
    }


def write_engine(
    config: Config,
    storage: Storage,
    form: EngineFormat,
    model: nn.Module,
    trained: TrainedModel,
    reference: ReferenceLogits,
) -> tuple[str, float]:
    """Fill an engine folder and file it by its content.

    Returns:
        The digest, and the largest difference of its logits; CTranslate2 shows none.
    """
    staging, difference = layout.unfinished_engine(config.run), 0.0
    with storage.commit(staging) as folder:
        if form == "torch":
            answer, difference = fill_torch(folder, model, trained, reference)
        else:
            merged = storage.fetch(layout.merged_model(config.run))
            quantization = config.export.quantization
            answer = fill_ctranslate2(folder, merged, trained.codec, quantization)
        write_license(config, folder)
        write_card(folder, engine_card(config, storage, form, trained, answer))
        digest = store_by_digest(config, storage, folder)
    storage.delete(staging)
    return digest, difference


def write_license(config: Config, folder: Path) -> None:
    """Say beside the weights whose terms they inherit; Hugging Face reads the heading."""
    name = config.model.name_or_path
    license_name = license_of(name)
    (folder / "README.md").write_text(
        f"---\nlicense: {'other' if license_name == 'unknown' else license_name}\n"
        f"base_model: {name}\npipeline_tag: translation\n"
        f"language: [{config.data.source_language}, {config.data.target_language}]\n---\n"
        f"# {config.run}\n\nMade from `{name}`, whose licence it inherits: {license_name}.\n",
        encoding="utf-8",
    )
