"""Exported engines as systems, which translate as the endpoint does."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from nmt.config import Config, ServingConfig, digest_of
from nmt.data.test_sets import TestSet
from nmt.engines.card import EngineCard, read_card
from nmt.engines.engine import SearchEngine, load_engine
from nmt.engines.translate import TranslateOptions, translate_texts
from nmt.evaluation.system import AfterBatch, LoadedSystem
from nmt.runs import layout
from nmt.runs.evaluation import Decoding, SystemInfo
from nmt.runs.records import find_record
from nmt.runs.steps import EXPORT
from nmt.scoring.outputs import SystemOutput
from nmt.storage import Storage
from nmt.traffic import fetch_engine

_SENTENCES_AT_ONCE = 256
"""Sentences between two counts of the progress; many, since batches hold similar lengths."""


@dataclass(frozen=True, slots=True)
class EngineSystem:
    """An engine on the storage root."""

    storage: Storage
    digest: str
    card: EngineCard
    serving: ServingConfig
    batch_tokens: int
    info: SystemInfo
    is_model: bool = True

    def content(self, test_set: str) -> str:
        """Return a digest of all that decides the translations of a test set."""
        del test_set
        return digest_of([self.digest, self.serving.beam_size, self.serving.length_penalty])

    def find_obstacle(self, test_set: TestSet) -> str | None:
        """Explain why the system cannot translate a test set; None if it can."""
        languages = (self.card.source_language, self.card.target_language)
        if languages == (test_set.source_language, test_set.target_language):
            return None
        return (
            f"the engine translates {languages[0]} to {languages[1]} only, and the set is "
            f"{test_set.source_language} to {test_set.target_language}"
        )

    @contextmanager
    def load(self) -> Generator[LoadedSystem]:
        """Provide the system in memory, for as long as the block lasts."""
        engine = load_engine(fetch_engine(self.storage, self.digest), self.serving, self.digest)
        yield LoadedEngine(self, engine)


@dataclass(frozen=True, slots=True)
class LoadedEngine:
    """An engine in memory."""

    system: EngineSystem
    engine: SearchEngine

    @property
    def info(self) -> SystemInfo:
        """Describe the system, with what is known only of a loaded one."""
        return self.system.info

    def translate(self, test_set: TestSet, after_batch: AfterBatch) -> SystemOutput:
        """Translate the sources of a test set."""
        options = TranslateOptions(self.system.batch_tokens, scored=True)
        hypotheses: list[str] = []
        confidences: list[float | None] = []
        for start in range(0, len(test_set), _SENTENCES_AT_ONCE):
            texts = test_set.sources[start : start + _SENTENCES_AT_ONCE]
            found = translate_texts(self.engine, texts, options)
            hypotheses.extend(found.texts)
            confidences.extend(candidates[0].confidence for candidates in found.candidates)
            after_batch(len(texts))
        return SystemOutput(hypotheses, confidences)


def find_engine(config: Config, storage: Storage, digest: str) -> EngineSystem:
    """Find an engine on the storage root, and verify its files.

    Raises:
        StorageError: it is missing or damaged.
        TranslationError: its card cannot be read.
    """
    card = read_card(fetch_engine(storage, digest))
    files = storage.manifest(layout.engine(digest))["files"]
    # As many threads as the worker has: they change the time, and not the translations.
    cpus = max(config.serving.cpus_per_replica, config.scaling.cpus_per_worker)
    # Only a GPU that was reserved for this worker.
    gpus = config.serving.gpus_per_replica if config.scaling.gpus_per_worker else 0
    serving = config.serving.model_copy(update={"cpus_per_replica": cpus, "gpus_per_replica": gpus})
    info = SystemInfo(
        kind="engine",
        engine=digest,
        run=card.run,
        size_bytes=sum(file["size"] for file in files.values()),
        device=_device(serving),
        decoding=Decoding(
            method="greedy" if serving.beam_size == 1 else "beam",
            beam_size=serving.beam_size,
            length_penalty=serving.length_penalty,
            splits_sentences=True,
            precision=_precision(storage, card),
        ),
    )
    return EngineSystem(storage, digest, card, serving, config.evaluation.batch_tokens, info)


def _device(serving: ServingConfig) -> str:
    if not serving.gpus_per_replica:
        return "cpu"
    import torch  # only to ask for the name of the GPU

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _precision(storage: Storage, card: EngineCard) -> str:
    """Return the number format of an engine; empty where the run that made it is gone."""
    if card.format == "torch":
        return "float32"
    exported = find_record(storage, card.run, EXPORT)
    return str(exported.settings.get("export.quantization", "")) if exported else ""
