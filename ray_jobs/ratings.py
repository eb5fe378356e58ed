"""Write blind sheets for raters, import what comes back, and report what it says."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nmt.cli import console
from nmt.config import Config, load_config
from nmt.errors import InputError
from nmt.ratings.decision import fit_slope
from nmt.ratings.design import Design, Outputs, Wishes, looks_of, make_design, shared_of
from nmt.ratings.imports import Imported, import_files
from nmt.ratings.options import RatingCommand, rating_command
from nmt.ratings.report import report_lines
from nmt.ratings.sources import outputs_of_files, outputs_of_run
from nmt.ratings.studies import (
    find_design,
    list_studies,
    read_design,
    read_keys,
    read_ratings,
    start_study,
    write_batch,
)
from nmt.runs import layout
from nmt.runs.evaluation import TEST_SET
from nmt.storage import Storage
from ray_jobs.runtime.storage_location import absolute_storage
from ray_jobs.scoring.options import ScoringOptions, file_options, take_settings


def run(options: argparse.Namespace) -> None:
    """Run the command line.

    Raises:
        InputError: the command line does not fit, or a file cannot be used.
    """
    words, settings = console.split_words(take_settings(options))
    wanted = rating_command(options, words)
    config = load_config(options.config, settings)
    storage = Storage(absolute_storage(config))
    match wanted.action:
        case "sheet":
            _write_sheets(storage, config, wanted, file_options(options))
        case "import":
            for imported in import_files(
                storage, config.run, wanted.files, replace=wanted.replace, partial=wanted.partial
            ):
                console.print_line(_counts(imported))
                _report(storage, config.run, imported.design.study)
        case _:
            _report(storage, config.run, _only_study(storage, config.run, wanted.name))


def _write_sheets(
    storage: Storage, config: Config, wanted: RatingCommand, files: ScoringOptions
) -> None:
    design = _find_study(storage, config.run, wanted, files)
    if design is None:
        outputs = _outputs(storage, config, wanted, files)
        wishes = replace(
            Wishes(slope=_slope(storage, wanted.earlier)),
            **{key: value for key, value in _given(wanted).items() if value is not None},
        )
        name = wanted.name or f"{outputs.test_set}.{wishes.protocol}"
        design = start_study(storage, make_design(config.run, name, outputs, wishes, config.seed))
    batch = write_batch(storage, design, wanted.output or Path(), wanted.format)
    console.print_line(
        f"study '{design.study}': batch {batch.number} of {design.batches} has "
        f"{batch.sentences} sentences"
    )
    for path in batch.files:
        console.print_line(f"  {path}")
    place = storage.locate(layout.rating_studies(design.run))
    console.print_line(f"the key is apart from the sheets, below {place}")


def _given(wanted: RatingCommand) -> dict[str, Any]:
    """Return the options that are part of a design; None where one is not given."""
    keys = ("protocol", "rows", "raters", "shared", "looks", "gain")
    return {key: getattr(wanted, key) for key in keys}


def _find_study(
    storage: Storage, run: str, wanted: RatingCommand, files: ScoringOptions
) -> Design | None:
    """Find a study that is named without the translations that it rates, to go on with it."""
    if not wanted.name or files.source or files.hypotheses or wanted.systems:
        return None
    design = find_design(storage, run, wanted.name)
    for option, made in _changed(storage, wanted, design) if design else ():
        raise InputError(
            f"--{option}: study '{wanted.name}' was made with {made}, which cannot change between "
            "its batches: leave the option out, or give another --name"
        )
    return design


def _changed(
    storage: Storage, wanted: RatingCommand, design: Design
) -> Iterator[tuple[str, object]]:
    """Yield the options that would have made another study, with what it was made with."""
    looks = design.looks if wanted.looks is None else wanted.looks
    wishes = Wishes(raters=design.raters, rows=design.rows, shared=wanted.shared, looks=looks)
    # A study keeps what its raters and sentences allow, and not what was asked for.
    kept = {"shared": shared_of(wishes), "looks": looks_of(wishes, len(design.segments))}
    for key, value in (_given(wanted) | {"test_set": wanted.test_set}).items():
        if value is not None and kept.get(key, value) != getattr(design, key):
            yield "set" if key == "test_set" else key, getattr(design, key)
    if wanted.earlier is not None and _slope(storage, wanted.earlier) != design.slope:
        yield "earlier", f"{design.slope:g} rating points for each point of the metric"


def _outputs(
    storage: Storage, config: Config, wanted: RatingCommand, files: ScoringOptions
) -> Outputs:
    if not files.source and not files.hypotheses:
        return outputs_of_run(storage, config.run, wanted.test_set or TEST_SET, wanted.systems)
    if not files.source or not files.hypotheses or not files.language:
        raise InputError(
            "ratings sheet: systems outside a run need --source, --hypotheses and --language"
        )
    if wanted.systems and set(wanted.systems) - files.hypotheses.keys():
        raise InputError(f"--systems names others than --hypotheses: {','.join(wanted.systems)}")
    names = wanted.systems or tuple(files.hypotheses)
    return outputs_of_files(
        files.source,
        files.references,
        {name: files.hypotheses[name] for name in names},
        source_language=files.source_language or config.data.source_language,
        target_language=files.language,
    )


def _slope(storage: Storage, earlier: str | None) -> float:
    if earlier is None:
        return 0.0
    run, _, study = earlier.partition("/")
    return fit_slope(read_ratings(storage, run, study), read_design(storage, run, study))


def _only_study(storage: Storage, run: str, name: str | None) -> str:
    if name is not None:
        return name
    known = list_studies(storage, run)
    if len(known) != 1:
        rest = f"give --name, one of {', '.join(known)}" if known else "give `nmt ratings sheet`"
        raise InputError(f"run '{run}' has {len(known)} studies of ratings: {rest}")
    return known[0]


def _report(storage: Storage, run: str, study: str) -> None:
    design = read_design(storage, run, study)
    lines = report_lines(design, read_ratings(storage, run, study), read_keys(storage, design))
    console.print_line("\n".join(lines))


def _counts(imported: Imported) -> str:
    parts = [f"{imported.new} rows imported"]
    parts += [f"{imported.known} were there already"] if imported.known else []
    parts += [f"{imported.replaced} replaced"] if imported.replaced else []
    parts += [f"{imported.unrated} without a rating left out"] if imported.unrated else []
    return f"study '{imported.design.study}': {', '.join(parts)}"


if __name__ == "__main__":
    from ray_jobs.cli.main import run_module

    run_module("ratings")
