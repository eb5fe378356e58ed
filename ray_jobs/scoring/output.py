"""The folder that `nmt score` writes."""

from collections.abc import Mapping, Sequence

from nmt.errors import ConfigError, InputError
from nmt.report.page import render_scores
from nmt.report.stored import StoredSet
from nmt.runs import layout
from nmt.runs.evaluation import EvaluationResult
from nmt.scoring.stored import HypothesisRow, write_rows
from nmt.storage import Storage

_OWN = frozenset({layout.SCORES_FILE, layout.REPORT_FILE, layout.HYPOTHESES_FOLDER})

Rows = Mapping[str, Mapping[str, Sequence[HypothesisRow]]]
"""Test set -> system -> its translations."""


def open_output(place: str, *, restart: bool) -> Storage:
    """Open the folder before the work, which may be long.

    Args:
        place: folder or URL.
        restart: whether to replace what an earlier command wrote.

    Raises:
        InputError: the folder holds something else, or the output of an earlier command.
    """
    try:
        storage = Storage(place)
    except ConfigError as error:
        raise ConfigError(str(error).replace("storage=", "--output ", 1)) from None
    names = set(storage.list(""))
    others = names - _OWN
    if others:
        # It may be the evaluation of a run, whose translations would be lost.
        raise InputError(
            f"--output {place}: the folder holds {min(others)}, which `nmt score` did not write: "
            "name a new folder"
        )
    if names and not restart:
        raise InputError(
            f"--output {place}: the folder holds earlier scores: name another one, or give "
            "--restart to replace them"
        )
    return storage


def write_output(storage: Storage, result: EvaluationResult, rows: Rows, title: str) -> None:
    """Replace the content of the folder."""
    # A page without the translations that it shows would be worse than none.
    for name in sorted(_OWN & set(storage.list(""))):
        storage.delete(name)
    stored = [
        StoredSet(test_set, system, found)
        for test_set, by_system in rows.items()
        for system, found in by_system.items()
    ]
    for each in stored:
        path = layout.scored_hypotheses(each.test_set, each.system)
        storage.write_bytes(path, write_rows(each.rows))
    storage.write_bytes(layout.REPORT_FILE, render_scores(result, stored, title).encode())
    storage.write_json(layout.SCORES_FILE, result.as_json())
