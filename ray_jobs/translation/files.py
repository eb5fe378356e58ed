"""Translation of the files of an input into one output."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePosixPath

from nmt.cli.translation import TranslationOptions
from nmt.config import Config
from nmt.engines.card import read_card
from nmt.errors import ConfigError
from nmt.provenance.keys import with_public_key_text
from nmt.storage import Storage
from nmt.traffic import open_engine
from ray_jobs.translation.places import (
    absolute_place,
    input_files,
    output_parent,
    packed,
)
from ray_jobs.translation.progress import Progress
from ray_jobs.translation.shards import (
    Shard,
    Source,
    added_columns,
    check_output_name,
    format_of,
    read_shards,
)
from ray_jobs.translation.translator import ShardResult, Translator, TranslatorSetup
from ray_jobs.translation.work import Description, WorkFolder

log = logging.getLogger(__name__)

Results = Iterable[tuple[Shard, ShardResult]]


@dataclass(slots=True)
class Totals:
    """What the shards of this command took."""

    lines: int = 0
    cut: int = 0
    cpu_seconds: float = 0.0


def translate_files(
    config: Config, storage: Storage, engine: str, options: TranslationOptions, *, restart: bool
) -> Totals:
    """Translate an input into an output, and continue where an earlier command was stopped.

    Args:
        config: the settings.
        storage: the storage root with the engine.
        engine: digest of the engine.
        options: input, output, and how to translate.
        restart: discard the output and its finished shards first.

    Raises:
        DataError: the input cannot be read.
        StepConflictError: the output exists, or was begun with something else.
        InUseError: another command writes the same output.
    """
    place = absolute_place(options.input, config)
    target = absolute_place(options.output, config)
    _check_apart(place, target)
    parent, name = output_parent(target)
    serving = with_public_key_text(config.serving)
    with open_engine(storage, engine, serving.public_key) as folder:
        language = read_card(folder).source_language
    sources, is_folder = _sources(place, name, options, language)
    description = _describe(config, sources, engine, options)
    work = WorkFolder(parent, name)
    with work.alone():
        if not work.begin(description, restart=restart):
            log.info("%s: already done", parent.locate(name))
            return Totals()
        setup = TranslatorSetup(storage, engine, serving, options, config.seed)
        job = _Job(config, setup, work)
        totals = job.translate(sources)
        work.finish(sources, job.names, description, is_folder=is_folder)
    log.info("%s: %s", parent.locate(name), job.progress.summary())
    if totals.cut:
        log.warning("lines whose output did not end and was cut: %d", totals.cut)
    return totals


def _sources(
    place: str, output: str, options: TranslationOptions, language: str
) -> tuple[list[Source], bool]:
    """List what to translate, and tell whether the output is a folder."""
    files, is_folder = input_files(place)
    if not is_folder:
        check_output_name(files[0], output, options)
    # A folder keeps the names of its files; a single file is packed as its output is named.
    return [
        Source(file, format_of(file, options, language), file.name if is_folder else output)
        for file in files
    ], is_folder


class _Job:
    """The translation of the shards that are not finished."""

    def __init__(self, config: Config, setup: TranslatorSetup, work: WorkFolder) -> None:
        self._config, self._setup, self._work = config, setup, work
        self.names: dict[int, list[str]] = defaultdict(list)
        """The names of the shards of each file, in order."""
        self.progress = Progress(0)

    def translate(self, sources: Sequence[Source]) -> Totals:
        """Translate and store what is missing."""
        options, totals = self._setup.options, Totals()
        self.progress = Progress(sum(source.file.size for source in sources))
        names = added_columns(options)
        shards = self._unfinished(read_shards(sources, options.shard_lines))
        for shard, result in self._results(shards):
            added = dict(zip(names, result.columns, strict=True))
            piece = shard.rows.piece(added, is_first=shard.number == 0)
            self._work.store(shard.name, packed(piece, sources[shard.file].output))
            totals.lines += len(shard.rows.texts)
            totals.cut += result.cut
            totals.cpu_seconds += result.cpu_seconds
            self.progress.add(len(shard.rows.texts), shard.size, result.source_tokens)
        return totals

    def _unfinished(self, shards: Iterable[Shard]) -> Iterator[Shard]:
        for shard in shards:
            name = shard.name
            self.names[shard.file].append(name)
            if self._work.has(shard, name):
                self.progress.skip(len(shard.rows.texts), shard.size)
            else:
                yield shard

    def _results(self, shards: Iterator[Shard]) -> Results:
        """Translate shards in this process if they are few, else on Ray."""
        # Starting Ray takes longer than to translate that many lines.
        few, lines = [], 0
        for shard in shards:
            few.append(shard)
            lines += len(shard.rows.texts)
            if lines > self._setup.options.shard_lines:
                return self._on_ray(chain(few, shards))
        return self._here(few)

    def _here(self, shards: Sequence[Shard]) -> Results:
        if shards:
            translator = Translator(self._setup)
            self.progress.start()
            for shard in shards:
                yield shard, translator.translate(shard.rows.texts)

    def _on_ray(self, shards: Iterator[Shard]) -> Results:
        # Imported here, since a small input does not pay for Ray.
        from ray_jobs.runtime.connection import connect
        from ray_jobs.translation.replicas import Replicas

        scaling = self._config.scaling
        serving = self._setup.serving.model_copy(
            update={
                "cpus_per_replica": scaling.cpus_per_worker,
                "gpus_per_replica": scaling.gpus_per_worker,
            }
        )
        setup = replace(self._setup, serving=serving)
        with connect(self._config):
            log.info(
                "translating with %d replicas, %g CPUs and %g GPUs each",
                scaling.workers, scaling.cpus_per_worker, scaling.gpus_per_worker,
            )  # fmt: skip
            yield from Replicas(setup, scaling, self.progress.start).translate(shards)


def _describe(
    config: Config, sources: Sequence[Source], engine: str, options: TranslationOptions
) -> Description:
    return Description(
        inputs={source.file.name: source.file.size for source in sources},
        engine=engine,
        settings={
            "column": options.column,
            "output_column": options.output_column,
            "nbest": options.nbest,
            "confidence": options.confidence,
            "whole_lines": options.whole_lines,
            "shard_lines": options.shard_lines,
            **_search_settings(config, options),
        },
    )


def _search_settings(config: Config, options: TranslationOptions) -> dict[str, int | float]:
    """List the settings of the search that change the output."""
    if options.mbr:
        return {"mbr": options.mbr, "seed": config.seed}
    settings: dict[str, int | float] = {"serving.beam_size": config.serving.beam_size}
    # Left out where it has no effect or is the default, so that a translation that an earlier
    # release has begun is continued.
    if max(config.serving.beam_size, options.nbest) > 1 and config.serving.length_penalty != 1:
        settings["serving.length_penalty"] = config.serving.length_penalty
    return settings


def _check_apart(source: str, target: str) -> None:
    inside = PurePosixPath(target.partition("?")[0]).is_relative_to(source.partition("?")[0])
    if inside:
        raise ConfigError(f"--output {target} is in --input {source}: choose another place")
