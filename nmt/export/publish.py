"""The export of a run: the merged model, the adapter, and the engine."""

import logging

from torch import nn

from nmt.config import Config
from nmt.engines.card import EngineFormat, write_card
from nmt.export.convert import (
    build_card,
    copy_content,
    fill_ctranslate2,
    fill_torch,
    store_by_digest,
)
from nmt.export.engine_format import engine_format
from nmt.export.model_card import write_model_card
from nmt.export.trained_model import ReferenceLogits, TrainedModel, find_trained_model, write_merged
from nmt.models.license import license_of
from nmt.runs import layout
from nmt.runs.results import ExportResult
from nmt.storage import Storage

log = logging.getLogger(__name__)


def export(config: Config, storage: Storage) -> ExportResult:
    """Export a run's best weights as an engine in `engines/<digest>/`.

    The step's folder also gets `merged/` for transformers, if the weights are a plain model, and
    `adapter/` for PEFT, if they are an adapter.

    Raises:
        ExportError: the written model differs from the trained one, or
            `export.format=ctranslate2` does not support it.
    """
    trained = find_trained_model(config, storage)
    form = engine_format(config.export.format, trained)
    model = trained.load()
    # Before merging, which changes the model in place.
    reference = ReferenceLogits.of(model, config, storage, trained.codec)
    merged_difference = 0.0
    if trained.is_plain_model:
        with storage.commit(layout.merged_model(config.run)) as merged:
            model, merged_difference = write_merged(model, trained, reference, merged)
            write_model_card(config, merged)
    if trained.is_adapter:
        with storage.commit(layout.exported_adapter(config.run)) as adapter:
            copy_content(trained.weights, adapter)
            write_model_card(config, adapter)
    digest, engine_difference = write_engine(config, storage, form, model, trained, reference)
    log.info("export: %s engine %s in %s", form, digest, storage.locate(layout.engine(digest)))
    return ExportResult(
        engine=digest,
        format=form,
        logit_difference=max(merged_difference, engine_difference),
        license=license_of(config.model.name_or_path),
    )


def write_engine(
    config: Config,
    storage: Storage,
    form: EngineFormat,
    model: nn.Module,
    trained: TrainedModel,
    reference: ReferenceLogits,
) -> tuple[str, float]:
    """Write an engine folder and store it by its digest.

    Returns:
        The digest, and the largest difference of its logits; 0 for CTranslate2.
    """
    # The digest, which names the final folder, is known only after everything is written.
    staging, difference = layout.unfinished_engine(config.run), 0.0
    with storage.commit(staging) as folder:
        if form == "torch":
            translate, difference = fill_torch(folder, model, trained, reference)
        else:
            merged = storage.fetch(layout.merged_model(config.run))
            quantization = config.export.quantization
            # CTranslate2 gives no logits; the golden sentence is checked when the engine is loaded.
            translate = fill_ctranslate2(folder, merged, trained.codec, quantization)
        write_model_card(config, folder)
        write_card(folder, build_card(config, storage, form, trained, translate))
        digest = store_by_digest(config, storage, folder)
    storage.delete(staging)
    return digest, difference
