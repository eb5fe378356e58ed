"""Models as systems: the base of a run, and its tuned weights."""

import gc
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from nmt.config import Config, digest_of
from nmt.data.test_sets import TestSet
from nmt.decoding.generate import translate_scored
from nmt.decoding.settings import SearchSettings
from nmt.errors import ModelError
from nmt.evaluation.system import AfterBatch, System
from nmt.evaluation.variants import method_variants
from nmt.models.adapters import attach, is_adapter
from nmt.models.load import load_codec, load_model
from nmt.models.out_of_memory import DoesNotFitError, attempt
from nmt.models.precision import base_dtype, pick_dtype
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.runs import layout
from nmt.runs.evaluation import BASE_SYSTEM, TUNED_SYSTEM, Decoding, SystemInfo
from nmt.runs.records import fetch_output, find_record, result_of
from nmt.runs.results import TrainResult
from nmt.runs.steps import TRAIN
from nmt.scoring.outputs import SystemOutput
from nmt.storage import Storage
from nmt.training.base import base_source
from nmt.training.strategies import pick_device

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelSystem:
    """The base of a run, or its base with the weights that the run has trained."""

    config: Config
    base: ModelSource
    trained: Path | None
    """Folder of the trained weights."""
    weights: str
    """Digest of all files of the model."""
    info: SystemInfo
    codecs: dict[tuple[str, str], Codec] = field(compare=False)
    """Tokenizers that were loaded, by direction; base and tuned weights share them."""
    is_model: bool = True

    def content(self, test_set: str) -> str:
        """Return a digest of all that decides the translations of a test set."""
        del test_set
        decoding = _decoding(self.config)
        # Only samples are drawn with the seed of the run.
        seed = self.config.seed if decoding.method == "mbr" else None
        return digest_of([self.weights, decoding.model_dump(mode="json"), seed])

    def find_obstacle(self, test_set: TestSet) -> str | None:
        """Explain why the system cannot translate a test set; None if it can."""
        data = self.config.data
        own_direction = (data.source_language, data.target_language)
        languages = (test_set.source_language, test_set.target_language)
        if languages == own_direction:
            return None
        try:
            # Such as a model for one pair of languages, which would translate in its own direction.
            if _input(self.codec(own_direction)) == _input(self.codec(languages)):
                source, target = own_direction
                return f"the model is not told the languages: it translates {source} to {target}"
        except ModelError as error:
            return str(error)
        return None

    @contextmanager
    def load(self) -> Generator["LoadedModel"]:
        """Provide the system in memory, for as long as the block lasts."""
        device, dtype = _device_and_dtype(self.config)
        if self.trained and not is_adapter(self.trained):
            model: nn.Module = load_model(ModelSource(str(self.trained)), dtype)
        else:
            model = load_model(self.base, dtype)
            if self.trained:
                model = attach(model, self.trained)
        try:
            yield LoadedModel(self, _placed(model, device))
        finally:
            del model
            release_memory()

    def codec(self, languages: tuple[str, str]) -> Codec:
        """Load the tokenizer for a direction.

        Raises:
            ModelError: it does not know a language.
        """
        if languages not in self.codecs:
            self.codecs[languages] = load_codec(self.base, *languages)
        return self.codecs[languages]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory."""

    system: ModelSystem
    model: nn.Module

    @property
    def info(self) -> SystemInfo:
        """Describe the system, with what is known only of a loaded one."""
        device = next(self.model.parameters()).device
        return self.system.info.model_copy(
            update={
                "parameters": sum(p.numel() for p in self.model.parameters()),
                "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            }
        )

    def translate(self, test_set: TestSet, after_batch: AfterBatch) -> SystemOutput:
        """Translate the sources of a test set."""
        languages = (test_set.source_language, test_set.target_language)
        return self.translate_with(self.system.codec(languages), test_set.sources, after_batch)

    def translate_with(
        self, codec: Codec, sources: Sequence[str], after_batch: AfterBatch
    ) -> SystemOutput:
        """Translate texts that a codec writes for the model."""
        config = self.system.config
        found = translate_scored(
            self.model,
            codec,
            sources,
            settings=_search_settings(config),
            batch_tokens=config.evaluation.batch_tokens,
            after_batch=after_batch,
        )
        return SystemOutput([each.text for each in found], [each.confidence for each in found])


def find_models(config: Config, storage: Storage) -> dict[str, System]:
    """Find the base, the tuned weights and the other methods of a run, and verify their files.

    Raises:
        ModelError: the base has changed since the run began.
        StorageError: the trained weights are missing or damaged.
    """
    base = find_base(config, storage)
    trained = layout.trained_weights(config.run)
    variants = {
        each.system: _trained(
            base,
            storage,
            layout.published_weights(each.folder),
            {"weights": each.weights, **_training(each.trained)},
        )
        for each in method_variants(config, storage)
    }
    tuned = _trained(base, storage, trained, _own_training(config, storage))
    return {BASE_SYSTEM: base, TUNED_SYSTEM: tuned, **variants}


def find_base(config: Config, storage: Storage) -> ModelSystem:
    """Find the base of a run, and verify its files.

    Raises:
        ModelError: it has changed since the run began.
    """
    base = base_source(config, storage).resolve(storage)
    size = sum(file.size for file in base.content.files.values())
    return ModelSystem(
        config,
        base,
        trained=None,
        weights=base.content.digest,
        info=SystemInfo(kind="base", size_bytes=size, decoding=_decoding(config)),
        codecs={},
    )


def _trained(
    base: ModelSystem, storage: Storage, folder: str, facts: Mapping[str, object]
) -> ModelSystem:
    """Return a base with weights that were trained from it, and what is known of these."""
    weights = fetch_output(storage, folder)
    files = storage.manifest(folder)["files"]
    below = (base.info.size_bytes or 0) if is_adapter(weights) else 0
    size = below + sum(file["size"] for file in files.values())
    changes = {"kind": "tuned", "run": base.config.run, "size_bytes": size, **facts}
    return replace(
        base,
        trained=weights,
        weights=digest_of([base.weights, files]),
        info=base.info.model_copy(update=changes),
    )


def _own_training(config: Config, storage: Storage) -> dict[str, float]:
    """Return what the record of the run's own training says of its size and its time."""
    record = find_record(storage, config.run, TRAIN)
    if record is None or not record.done:
        return {}
    return _training(result_of(storage, config.run, TRAIN, record))


def _training(trained: TrainResult) -> dict[str, float]:
    return {
        "trained_parameters": trained.trained_parameters,
        "preparation_seconds": trained.train_seconds,
    }


def release_memory() -> None:
    """Return the memory of a model that is no longer used, before the next one is loaded."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _input(codec: Codec) -> tuple[object, ...]:
    """Return what a model gets of a text in the direction of a codec."""
    options = codec.generation_options()
    return codec.encode_sources(["a"]), codec.encode_targets(["a"]), options


def _device_and_dtype(config: Config) -> tuple[torch.device, torch.dtype]:
    device = pick_device(config.scaling.gpus_per_worker)
    # The number format in which the training validated its weights.
    return device, base_dtype(config, pick_dtype(config.training.precision, device))


def _search_settings(config: Config) -> SearchSettings:
    """Return the search of the base and the tuned model."""
    settings = config.evaluation
    return SearchSettings(
        method=settings.decoding,
        beam_size=settings.beam_size,
        length_penalty=settings.length_penalty,
        mbr_samples=settings.mbr_samples,
        seed=config.seed,
    )


def _decoding(config: Config) -> Decoding:
    settings = config.evaluation
    precision = str(_device_and_dtype(config)[1]).removeprefix("torch.")
    if settings.decoding == "mbr":
        return Decoding(method="mbr", mbr_samples=settings.mbr_samples, precision=precision)
    return Decoding(
        method="greedy" if settings.beam_size == 1 else "beam",
        beam_size=settings.beam_size,
        length_penalty=settings.length_penalty,
        precision=precision,
    )


def _placed(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a model to a device, or to the CPU if the device has too little memory."""
    try:
        attempt(lambda: model.to(device), rows=1)
    except DoesNotFitError:
        log.warning("evaluate: %s does not hold the model: the CPU translates, slowly", device)
        model.to("cpu")
    return model.eval()
