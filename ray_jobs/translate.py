"""Translate in the terminal, with an engine of the storage root and without an endpoint."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from nmt.config import Config
from nmt.errors import MissingStepError
from nmt.steps import EXPORT, find_record, require
from nmt.storage import Storage
from nmt.traffic import engine_path, read_traffic
from ray_jobs.place import absolute_storage

_LINES_AT_ONCE = 32


def translate_words(config: Config, texts: Sequence[str]) -> None:
    """Write one line per text, or per line of standard input when there is no text."""
    storage = Storage(absolute_storage(config))
    folder = storage.fetch(engine_path(find_engine(config, storage)))
    source: Iterable[str] = texts or (line.rstrip("\n") for line in sys.stdin)
    for target in translate_lines(config, folder, source):
        sys.stdout.write(f"{target}\n")
        sys.stdout.flush()


def find_engine(config: Config, storage: Storage) -> str:
    """Digest of the run's engine when a run is named, else of what the endpoint serves.

    Raises:
        MissingStepError: there is neither.
    """
    if "run" in config.explicit():
        return require(storage, config.run, EXPORT).output
    traffic = read_traffic(storage, config.serving.name)
    if traffic:
        return traffic.stable
    record = find_record(storage, config.run, EXPORT)
    if record is None or not record.done:
        raise MissingStepError(
            f"no engine to translate with in {storage.locate('')}: name a run that is exported "
            "(run=NAME), or promote one"
        )
    return record.output


def translate_lines(config: Config, folder: Path, lines: Iterable[str]) -> Iterator[str]:
    """Translations in order, read and written in small batches."""
    from nmt.serving.engine import load_engine, translate_texts

    engine = load_engine(folder, config.serving)
    stream = iter(lines)
    while batch := list(islice(stream, _LINES_AT_ONCE)):
        yield from translate_texts(engine, batch, config.serving)
