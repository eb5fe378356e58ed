"""Show the feedback on an endpoint's translations, and export its corrections as training data."""

import argparse
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from nmt.cli import console
from nmt.config import load_with_user_set
from nmt.errors import InputError
from nmt.serving.feedback.options import ACTIONS
from nmt.serving.feedback.rows import Feedback, read_rows
from nmt.serving.feedback.summary import summarise, summary_table
from nmt.storage import Storage
from ray_jobs.runtime.storage_location import absolute_storage


def run(options: argparse.Namespace) -> None:
    """Run the command line.

    Raises:
        InputError: the command line does not fit, or there is nothing to export.
    """
    words, settings = console.split_words(options.overrides)
    config = load_with_user_set(options.config, settings).config
    storage, endpoint = Storage(absolute_storage(config)), config.serving.name
    match words:
        case ["list"]:
            rows = chain(
                read_rows(storage, endpoint, "corrections"), read_rows(storage, endpoint, "ratings")
            )
            summary = summarise(rows)
            none = f"endpoint '{endpoint}' has no feedback: set serving.feedback=true to take it"
            console.print_line(summary_table(summary) if summary else none)
        case ["export", file]:
            _export(storage, endpoint, Path(file), options)
        case [action, *_] if action not in ACTIONS:
            raise InputError(f"feedback: '{action}' is not an action: choose list or export FILE")
        case _:
            raise InputError("feedback: what to do? give `list` or `export FILE`")


def _export(storage: Storage, endpoint: str, file: Path, options: argparse.Namespace) -> None:
    """Write the corrections of all replicas into one file."""
    if file.suffix != ".jsonl":
        raise InputError(f"feedback export: {file} must end in .jsonl, which is its format")
    if file.exists():
        raise InputError(f"feedback export: {file} exists: delete it, or name another file")
    partial = file.with_name(f".{file.name}.partial")
    count = 0
    with partial.open("wb") as stream:
        for row in _wanted(read_rows(storage, endpoint, "corrections"), options):
            stream.write(row.dump())
            count += 1
        stream.flush()
        os.fsync(stream.fileno())
    if not count:
        partial.unlink()
        raise InputError(f"endpoint '{endpoint}' has no such corrections")
    partial.replace(file)
    console.print_line(
        f"{count} pairs in {file}: read them before a training takes them (data.path={file})"
    )


def _wanted(rows: Iterator[Feedback], options: argparse.Namespace) -> Iterator[Feedback]:
    """Yield the rows that the options choose."""
    for row in rows:
        if options.key and row.key not in options.key:
            continue
        if options.languages in (None, f"{row.source_language}-{row.target_language}"):
            yield row


if __name__ == "__main__":
    from ray_jobs.cli.main import run_module

    run_module("feedback")
