"""Tokenized training data: written once for a run, and used by its workers, trials and resumes."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from nmt.cli.progress import PairProgress
from nmt.config import digest_of
from nmt.data.prepared_rows import read_rows
from nmt.data.saved import count_rows, has_split
from nmt.errors import InputError, InUseError, StorageError
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.saved_tokens import VERSION, SavedTokens, TokenWriter
from nmt.runs import layout
from nmt.runs.records import fetch_output
from nmt.storage import alone
from nmt.training.events import StoppedError
from nmt.training.job import TrainingJob
from nmt.training.strategies import Strategy

log = logging.getLogger(__name__)

# More pairs at once are not faster, and their lists of Python integers take 20 KB each.
_ROWS_AT_ONCE = 2000
_EXCHANGE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Status:
    """What a worker tells the others while the first one tokenizes."""

    wants_stop: bool = False
    finished: bool = False
    error: InputError | None = None


class Tokenization:
    """The tokenization of a training's pairs, which one worker does for all."""

    def __init__(
        self,
        job: TrainingJob,
        base: ModelSource,
        codec: Codec,
        strategy: Strategy,
        wants_stop: Callable[[], bool],
    ) -> None:
        """Find out where the tokens are.

        Args:
            job: the training.
            base: its resolved model.
            codec: the tokenizer of that model.
            strategy: the workers of the training; each of them calls `load`.
            wants_stop: tells whether this worker has to stop.
        """
        self._job, self._codec, self._strategy = job, codec, strategy
        self._wants_stop = wants_stop
        self._exchanged = time.monotonic()
        self._tags = {name: corpus.tag for name, corpus in job.config.data.corpora.items()}
        self._splits = [job.train_split]
        if job.replay_split and job.config.training.replay_fraction:
            self._splits.append(job.replay_split)
        self.path = layout.tokens(job.config.run, self._digest(base))

    def load(self) -> SavedTokens:
        """Open the tokens, after the first worker has made them where they are missing.

        Raises:
            DataError: the prepared pairs are damaged.
            StoppedError: a worker had to stop meanwhile.
        """
        if self._strategy.rank == 0:
            self._make_for_all()
        else:
            self._wait_for_first()
        # The first worker has just read all files. On an object store each machine has a copy.
        storage = self._job.storage
        first = self._strategy.rank == 0
        return SavedTokens.open(storage.fetch(self.path, verify=not (first or storage.is_local)))

    def _digest(self, base: ModelSource) -> str:
        """Identify everything that the tokens depend on."""
        limits, weights = self._job.config.model, base.files().weights
        files = base.content.model_dump(mode="json")["files"]
        return digest_of(
            {
                "version": VERSION,
                "data": self._job.storage.manifest(self._job.data)["files"],
                "splits": self._splits,
                "tokenizer": {name: files[name] for name in files if name not in weights},
                # Another release of these may split a text in another way.
                "libraries": {name: version(name) for name in ("tokenizers", "transformers")},
                "languages": [self._codec.source_language, self._codec.target_language],
                "limits": [limits.max_source_tokens, limits.max_target_tokens],
                "tags": self._tags,
            }
        )

    def _make_for_all(self) -> None:
        """Make the tokens, and tell the other workers how that ended."""
        try:
            self._make()
        except InputError as error:
            self._strategy.gather(_Status(finished=True, error=error))
            raise
        self._strategy.gather(_Status(finished=True))

    def _wait_for_first(self) -> None:
        """Answer the first worker until it has made the tokens."""
        while not (first := self._exchange()).finished:
            pass
        if first.error:
            raise first.error

    def _exchange(self) -> _Status:
        """Exchange stop requests with all workers, and return what the first one says.

        Raises:
            StoppedError: one of them has to stop.
        """
        # The first worker asks again and again, since a process group gives up a worker that it
        # has not heard of for half an hour.
        self._exchanged = time.monotonic()
        statuses: list[_Status] = self._strategy.gather(_Status(self._wants_stop()))
        if not statuses[0].finished and any(status.wants_stop for status in statuses):
            raise StoppedError
        return statuses[0]

    def _make(self) -> None:
        """Write the tokens unless they exist, or wait for another process that writes them."""
        what, waits = f"the tokenization of run '{self._job.config.run}'", False
        while not self._are_intact():
            try:
                with alone(self._job.storage, f"{self.path}.lock", what):
                    if not self._are_intact():  # another process was faster
                        self._write()
                return
            except InUseError as error:
                # Concurrent trials need the same tokens.
                if not waits:
                    log.info("%s: waiting for the tokens: %s", self._job.name, error)
                waits = True
                time.sleep(_EXCHANGE_SECONDS)
                self._exchange()

    def _are_intact(self) -> bool:
        """Tell whether the tokens exist undamaged, and log what is wrong with damaged ones."""
        try:
            self._job.storage.fetch(self.path)
        except StorageError as error:
            if self._job.storage.exists(self.path):
                log.warning("damaged, and made again: %s", error)
            return False
        return True

    def _write(self) -> None:
        """Tokenize the prepared pairs into a folder commit."""
        job = self._job
        data = fetch_output(job.storage, job.data)
        # Only the built-in phrasebook has general pairs to replay.
        splits = [name for name in self._splits if name == job.train_split or has_split(data, name)]
        progress = PairProgress(
            f"{job.name}: tokenized",
            sum(count_rows(data, split) for split in splits),
            job.config.training.log_every_seconds,
        )
        with (
            job.storage.commit(self.path) as folder,
            TokenWriter(folder, self._codec, job.config.model, self._tags) as writer,
        ):
            for split in splits:
                self._write_split(writer, data, split, progress)
        progress.finish()

    def _write_split(
        self, writer: TokenWriter, data: Path, split: str, progress: PairProgress
    ) -> None:
        writer.begin_split()
        for rows in read_rows(data, split, _ROWS_AT_ONCE):
            writer.add(rows)
            progress.add(len(rows.sources))
            if time.monotonic() - self._exchanged >= _EXCHANGE_SECONDS:
                self._exchange()
