"""Add, list and remove the glossaries of an endpoint."""

import argparse
from pathlib import Path

from nmt.cli import console
from nmt.cli.table import table
from nmt.config import load_with_user_set
from nmt.errors import InputError, unknown_action
from nmt.serving.glossaries.glossary import check_name, read_glossary_file
from nmt.serving.glossaries.options import ACTIONS
from nmt.serving.glossaries.store import (
    glossary_names,
    read_glossary,
    remove_glossary,
    write_glossary,
)
from nmt.storage import Storage
from ray_jobs.runtime.storage_location import absolute_storage


def run(options: argparse.Namespace) -> None:
    """Run the command line; running replicas follow within `serving.poll_seconds`.

    Raises:
        InputError: the command line does not fit, or the file is not a glossary.
    """
    words, settings = console.split_words(options.overrides)
    if words[:1] != ["add"] and (options.source or options.target):
        raise InputError("--source and --target are options of `glossaries add`")
    config = load_with_user_set(options.config, settings).config
    storage, endpoint = Storage(absolute_storage(config)), config.serving.name
    match words:
        case ["add", name, file]:
            _add(storage, endpoint, name, file, options)
        case ["list"]:
            rows = _rows(storage, endpoint)
            heads = ("NAME", "SOURCE", "TARGET", "TERMS")
            console.print_line(
                table(heads, rows) if rows else f"endpoint '{endpoint}' has no glossaries"
            )
        case ["remove", name]:
            remove_glossary(storage, endpoint, name)
            console.print_line(f"glossary '{name}' of endpoint '{endpoint}' is removed")
        case [action, *_] if action not in ACTIONS:
            raise unknown_action("glossaries", action, ACTIONS)
        case _:
            raise InputError(
                "glossaries: what to do? give `add NAME FILE`, `list` or `remove NAME`"
            )


def _add(
    storage: Storage, endpoint: str, name: str, file: str, options: argparse.Namespace
) -> None:
    if not (options.source and options.target):
        raise InputError("glossaries add: for which languages? give --source and --target")
    check_name(name)
    glossary = read_glossary_file(Path(file), options.source, options.target)
    count = len(glossary.terms)
    done = "replaced" if write_glossary(storage, endpoint, name, glossary) else "added"
    console.print_line(
        f"glossary '{name}' of endpoint '{endpoint}' is {done}: "
        f"{count} term{'s' if count > 1 else ''} from "
        f"{glossary.source_language} to {glossary.target_language}"
    )


def _rows(storage: Storage, endpoint: str) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = []
    for name in glossary_names(storage, endpoint):
        glossary = read_glossary(storage, endpoint, name)
        if glossary is not None:  # removed in the meantime
            languages = glossary.source_language, glossary.target_language
            rows.append((name, *languages, str(len(glossary.terms))))
    return rows


if __name__ == "__main__":
    from ray_jobs.cli.main import run_module

    run_module("glossaries")
