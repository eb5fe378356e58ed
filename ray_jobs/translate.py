"""Translate files, text or standard input, with an engine from the storage root."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence

from nmt.cli import console
from nmt.cli.translation import (
    BASE_SETTINGS,
    TRANSLATE,
    TranslationOptions,
    add_translation_options,
    translation_options,
)
from nmt.config import Config, LoadedConfig, load_with_user_set
from nmt.errors import DataError, InputError, MissingStepError, TranslationError
from nmt.provenance.keys import with_public_key_text
from nmt.runs.records import find_record, require
from nmt.runs.steps import EXPORT
from nmt.storage import Storage
from nmt.traffic import read_traffic, route_key
from ray_jobs.cli.runner import add_options, guarded, parse
from ray_jobs.runtime.storage_location import absolute_storage
from ray_jobs.translation.lines import batches_as_they_arrive, not_utf_8

# Few, so that the first translations appear soon.
_BATCH_LINES = 32


def run(options: argparse.Namespace) -> None:
    """Translate what the command line names.

    Raises:
        InputError: the options or the input cannot be used.
    """
    # Settings and the text to translate are both plain words of the command line.
    texts, words = console.split_words(options.overrides)
    loaded = load_with_user_set(
        options.config, words, base=("the command translate", BASE_SETTINGS)
    )
    asked = translation_options(options)
    if not asked.input:
        translate_words(loaded, texts, asked)
        return
    if texts:
        raise InputError(f"--input names the text, so '{texts[0]:.40}' cannot be translated too")
    storage = Storage(absolute_storage(loaded.config))
    # Imported here, so that errors in the command line are reported without loading a library.
    from ray_jobs.translation.files import translate_files

    engine = find_engine(loaded, storage)
    translate_files(loaded.config, storage, engine, asked, restart=options.restart)


def translate_words(
    loaded: LoadedConfig, texts: Sequence[str], options: TranslationOptions
) -> None:
    """Print the translations of texts, or, without texts, of the lines of standard input.

    Raises:
        DataError: a text or line is not UTF-8; the lines before it are translated.
        TranslationError: the translations cannot be written.
    """
    _check_words(texts)
    storage = Storage(absolute_storage(loaded.config))
    engine = find_engine(loaded, storage)
    batches = [list(texts)] if texts else _standard_input()
    _print_translations(loaded.config, storage, engine, batches, options)


def _print_translations(
    config: Config,
    storage: Storage,
    engine: str,
    batches: Iterable[list[str]],
    options: TranslationOptions,
) -> None:
    from ray_jobs.translation.formats.text import lines_of
    from ray_jobs.translation.translator import Translator, TranslatorSetup

    serving = with_public_key_text(config.serving)
    setup = TranslatorSetup(storage, engine, serving, options, config.seed)
    translator = Translator(setup)
    cut = 0
    try:
        for batch in batches:
            result = translator.translate(batch)
            cut += result.cut
            lines = result.columns[0]
            if len(result.columns) > 1:
                columns = {str(place): column for place, column in enumerate(result.columns)}
                lines = lines_of(columns)
            _print(f"{line}\n" for line in lines)
    finally:
        if cut:
            # Not into the log, which is on standard output, where only translations belong.
            sys.stderr.write(f"nmt: lines whose output did not end and was cut: {cut}\n")


def _print(lines: Iterable[str]) -> None:
    try:
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        # Not an error for the command line: the reader, for instance `head`, has ended.
        raise
    except OSError as error:
        raise TranslationError(f"standard output: {error.strerror}") from None


def _standard_input() -> Iterable[list[str]]:
    if sys.stdin is None:
        raise DataError("standard input is closed: give texts as words, or lines to read")
    return batches_as_they_arrive(sys.stdin.buffer, _BATCH_LINES)


def _check_words(texts: Sequence[str]) -> None:
    """Refuse command-line words that are not UTF-8."""
    for number, text in enumerate(texts, start=1):
        # Python decodes such bytes to surrogates, which cannot be encoded.
        try:
            text.encode()
        except UnicodeEncodeError as error:
            offset = len(os.fsencode(text[: error.start]))
            raise DataError(not_utf_8(f"text {number}, offset {offset}", "ITS_ENCODING")) from None


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
        wanted = route_key(config.data.source_language, config.data.target_language)
        is_pair_given = loaded.user_set & {"data.source_language", "data.target_language"}
        return traffic.route(wanted if is_pair_given else None).stable
    record = find_record(storage, config.run, EXPORT)
    if record is None or not record.done:
        raise MissingStepError(
            f"no engine to translate with in {storage.locate('')}: name an exported run "
            "(run=NAME), or promote one"
        )
    return record.output


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command as `python -m ray_jobs.translate`, and return its exit code."""
    about = "translate text, lines from standard input, or files"
    parser = argparse.ArgumentParser(prog=f"python -m ray_jobs.{TRANSLATE}", description=about)
    add_options(parser)
    add_translation_options(parser)
    options = parse(parser, arguments)
    return guarded(lambda: run(options), extra="serve")


if __name__ == "__main__":
    sys.exit(main())
