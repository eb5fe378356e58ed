"""The export of a run: the merged model, the adapter, and the engine."""

import logging
from dataclasses import dataclass

from torch import nn

from nmt.config import Config
from nmt.engines.card import EngineFormat, write_card
from nmt.export.convert import (
    choose_golden,
    copy_content,
    describe_engine,
    fill_torch,
    store_by_digest,
)
from nmt.export.engine_format import engine_format
from nmt.export.model_card import write_model_card
from nmt.export.trained_model import ReferenceLogits, TrainedModel, find_trained_model, write_merged
from nmt.export.vocabulary import fill_ctranslate2, open_ctranslate2
from nmt.models.license import license_of
from nmt.runs import layout
from nmt.runs.results import EngineVocabulary, ExportResult
from nmt.runs.software import installed_software
from nmt.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WrittenEngine:
    """An engine in the storage root."""

    digest: str
    logit_difference: float
    """Largest difference of its logits from the trained model's; 0 for CTranslate2."""
    vocabulary: EngineVocabulary | None
    """None for torch."""


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
    written = write_engine(config, storage, form, model, trained, reference)
    place = storage.locate(layout.engine(written.digest))
    log.info("export: %s engine %s in %s", form, written.digest, place)
    return ExportResult(
        engine=written.digest,
        format=form,
        logit_difference=max(merged_difference, written.logit_difference),
        license=license_of(config.model.name_or_path),
        vocabulary=written.vocabulary,
        software=installed_software(),
    )


def write_engine(
    config: Config,
    storage: Storage,
    form: EngineFormat,
    model: nn.Module,
    trained: TrainedModel,
    reference: ReferenceLogits,
) -> WrittenEngine:
    """Write an engine folder and store it by its digest."""
    # The digest, which names the final folder, is known only after everything is written.
    staging, difference, vocabulary = layout.unfinished_engine(config.run), 0.0, None
    data = storage.fetch(layout.pairs(config.run), verify=False)
    card = describe_engine(config, form, trained)
    with storage.commit(staging) as folder:
        if form == "torch":
            translate, difference = fill_torch(folder, model, trained, reference)
        else:
            merged = storage.fetch(layout.merged_model(config.run))
            # CTranslate2 gives no logits; the golden sentence is checked when the engine is loaded.
            vocabulary = fill_ctranslate2(folder, merged, data, config, trained.codec, card)
            translate = open_ctranslate2(folder, card)
        write_model_card(config, folder)
        golden = choose_golden(data, config, trained, translate)
        write_card(folder, card.model_copy(update={"golden": golden}))
        digest = store_by_digest(config, storage, folder)
    storage.delete(staging)
    return WrittenEngine(digest, difference, vocabulary)
