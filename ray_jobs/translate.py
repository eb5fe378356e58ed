"""Translate in the terminal, with an engine from the storage root."""

import os
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from nmt.config import Config, LoadedConfig
from nmt.errors import DataError, MissingStepError, TranslationError
from nmt.runs.records import find_record, require
from nmt.runs.steps import EXPORT
from nmt.storage import Storage
from nmt.traffic import fetch_engine, read_traffic
from ray_jobs.runtime.storage_location import absolute_storage

# Few, so that the first translations appear soon.
_BATCH_LINES = 32


def translate_words(loaded: LoadedConfig, texts: Sequence[str]) -> None:
    """Print the translations of texts, or, without texts, of the lines of standard input.

    Raises:
        DataError: a text or line is not UTF-8; the lines before it are translated.
        TranslationError: the translations cannot be written.
    """
    _check_words(texts)
    config = loaded.config
    storage = Storage(absolute_storage(config))
    folder = fetch_engine(storage, find_engine(loaded, storage))
    for target in translate_lines(config, folder, texts or _standard_input()):
        try:
            sys.stdout.write(f"{target}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # Not an error for the command line: the reader, for instance `head`, has ended.
            raise
        except OSError as error:
            raise TranslationError(f"standard output: {error.strerror}") from None


def read_lines(stream: BinaryIO) -> Iterator[str]:
    """Read UTF-8 lines without line ends and byte-order mark.

    Raises:
        DataError: bytes are not UTF-8, or the stream cannot be read.
    """
    offset = 0
    try:
        for number, line in enumerate(stream, start=1):
            content = line.removesuffix(b"\n").removesuffix(b"\r")
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError as error:
                utf_16 = number == 1 and line.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
                where = f"standard input, line {number}, offset {offset + error.start}"
                raise DataError(_not_utf_8(where, "UTF-16" if utf_16 else "ITS_ENCODING")) from None
            offset += len(line)
            # A single \r is a line end too, which iterating over bytes does not split at.
            yield from text.removeprefix("\ufeff" if number == 1 else "").split("\r")
    except OSError as error:
        raise DataError(f"standard input cannot be read: {error.strerror}") from None


def _standard_input() -> Iterator[str]:
    if sys.stdin is None:
        raise DataError("standard input is closed: give texts as words, or lines to read")
    return read_lines(sys.stdin.buffer)


def _check_words(texts: Sequence[str]) -> None:
    """Refuse command-line words that are not UTF-8."""
    for number, text in enumerate(texts, start=1):
        # Python decodes such bytes to surrogates, which cannot be encoded.
        try:
            text.encode()
        except UnicodeEncodeError as error:
            offset = len(os.fsencode(text[: error.start]))
            raise DataError(_not_utf_8(f"text {number}, offset {offset}", "ITS_ENCODING")) from None


def _not_utf_8(where: str, encoding: str) -> str:
    return (
        f"{where}: the bytes are not UTF-8. Convert the text first: iconv -f {encoding} -t UTF-8 "
        "FILE | nmt translate"
    )


def find_engine(loaded: LoadedConfig, storage: Storage) -> str:
    """Return the digest of the named run's engine, else of the engine that the endpoint serves.

    Raises:
        MissingStepError: neither exists.
    """
    config = loaded.config
    # The default name of a run does not count: a promoted engine is more likely meant.
    if "run" in loaded.user_set:
        return require(storage, config.run, EXPORT).output
    traffic = read_traffic(storage, config.serving.name)
    if traffic:
        return traffic.stable
    record = find_record(storage, config.run, EXPORT)
    if record is None or not record.done:
        raise MissingStepError(
            f"no engine to translate with in {storage.locate('')}: name an exported run "
            "(run=NAME), or promote one"
        )
    return record.output


def translate_lines(config: Config, folder: Path, lines: Iterable[str]) -> Iterator[str]:
    """Translate lines in order and in small batches."""
    # Imported here, so that errors in the command line are reported without loading a library.
    from nmt.engines.engine import load_engine, translate_texts

    engine = load_engine(folder, config.serving)
    for batch in _batched(lines):
        yield from translate_texts(engine, batch, config.serving)


def _batched(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield batches of lines; yield those before an unreadable line before raising its error."""
    batch: list[str] = []
    try:
        for line in lines:
            batch.append(line)
            if len(batch) == _BATCH_LINES:
                yield batch
                batch = []
    except DataError:
        yield batch
        raise
    yield batch
