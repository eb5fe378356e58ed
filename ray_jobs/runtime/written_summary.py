"""Summary and report of a run, as its commands write them."""

import logging
from collections.abc import Iterator

from nmt.evaluation.kept import find_rows
from nmt.report.page import render_report
from nmt.report.stored import StoredSet
from nmt.runs import layout
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.gate import GateResult
from nmt.runs.records import SUMMARY
from nmt.runs.results import Summary
from nmt.storage import Storage

log = logging.getLogger(__name__)


def write_summary(storage: Storage, run: str, summary: Summary) -> None:
    """Write `summary.json` and `report.html` of a run."""
    SUMMARY.write(storage, layout.summary(run), summary)
    page = render_report(summary, stored_sets(storage, run, summary.evaluation))
    storage.write_bytes(layout.report(run), page.encode())


def stored_sets(storage: Storage, run: str, result: EvaluationResult) -> Iterator[StoredSet]:
    """Yield the translations that were scored, for the report."""
    # One file at a time, when it is needed: all of them would fill the memory.
    for test_set, system in dict.fromkeys((row.test_set, row.system) for row in result.scores):
        if rows := find_rows(storage, run, test_set, system):
            yield StoredSet(test_set, system, rows)


def add_decision(storage: Storage, run: str, result: GateResult) -> None:
    """Write the gate's decision into summary and report, if these are of the engine it judged."""
    path, left_out = layout.summary(run), "it gets no decision of the gate"
    summary = SUMMARY.find_or_leave_out(storage, path, left_out, log.warning)
    if summary is None or summary.engine != result.engine or summary.gate == result:
        return
    write_summary(storage, run, summary.model_copy(update={"gate": result}))
    log.info("report %s", storage.locate(layout.report(run)))
