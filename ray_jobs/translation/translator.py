"""An engine that translates the texts of a shard into columns."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nmt.cli.translation import TranslationOptions
from nmt.config import ServingConfig
from nmt.decoding.settings import Sampling
from nmt.engines.engine import load_engine
from nmt.engines.translate import Candidate, Translated, TranslateOptions, translate_texts
from nmt.errors import NmtError
from nmt.storage import Storage
from nmt.traffic import open_engine
from ray_jobs.translation.formats.rows import Value

log = logging.getLogger(__name__)

_GPU_BATCH_FACTOR = 16
_MIN_BATCH_TOKENS = 64


@dataclass(frozen=True, slots=True)
class TranslatorSetup:
    """What a process needs to load an engine and to translate with it."""

    storage: Storage
    engine: str
    """Digest."""
    serving: ServingConfig
    options: TranslationOptions
    seed: int = 1
    """Seed of the samples of `--mbr`."""


@dataclass(frozen=True, slots=True)
class ShardResult:
    """The columns of a translated shard, and what it took."""

    columns: list[list[Value]]
    """In the order of `added_columns`."""
    cut: int
    """Number of texts whose endless output was cut."""
    source_tokens: int
    cpu_seconds: float


class Translator:
    """A loaded engine."""

    def __init__(self, setup: TranslatorSetup) -> None:
        """Fetch and load the engine.

        Raises:
            StorageError: the engine is missing or damaged.
            TranslationError: it cannot be loaded.
        """
        options, serving = setup.options, setup.serving
        sampling = Sampling(options.mbr, setup.seed) if options.mbr else None
        # A beam search cannot return more hypotheses than it has beams.
        beam_size = serving.beam_size if sampling else max(serving.beam_size, options.nbest)
        serving = serving.model_copy(update={"beam_size": beam_size})
        # A GPU needs many more sentences at a time until it is busy.
        factor = _GPU_BATCH_FACTOR if serving.gpus_per_replica else 1
        self._nbest, self._confidence = options.nbest, options.confidence
        self._options = TranslateOptions(
            max_batch_tokens=options.batch_tokens or serving.max_batch_tokens * factor,
            candidates=options.nbest,
            scored=options.confidence,
            split_sentences=not options.whole_lines,
            sampling=sampling,
        )
        with open_engine(setup.storage, setup.engine, serving.public_key) as folder:
            self._engine = load_engine(folder, serving, setup.engine)

    def translate(self, texts: Sequence[str]) -> ShardResult:
        """Translate texts in order."""
        before = time.process_time()
        found = self._translate(texts)
        columns: list[list[Value]] = []
        for rank in range(self._nbest):
            ranked = [candidates[rank : rank + 1] for candidates in found.candidates]
            columns.append([one[0].text if one else "" for one in ranked])
            if self._confidence:
                columns.append([_rounded(one[0]) if one else None for one in ranked])
        return ShardResult(columns, found.cut, found.source_tokens, time.process_time() - before)

    def _translate(self, texts: Sequence[str]) -> Translated:
        while True:
            try:
                return translate_texts(self._engine, texts, self._options)
            except RuntimeError as error:
                budget = self._options.max_batch_tokens // 2
                # Libraries say so in their message only, CTranslate2 and torch alike.
                fits_not = "out of memory" in str(error) and not isinstance(error, NmtError)
                if not fits_not or budget < _MIN_BATCH_TOKENS:
                    raise
                log.warning("a batch does not fit into the memory: %d tokens from now on", budget)
                self._options = replace(self._options, max_batch_tokens=budget)


def _rounded(candidate: Candidate) -> float | None:
    confidence = candidate.confidence
    # Batches of other sizes change the digits after these.
    return None if confidence is None else round(confidence, 4)
