"""Records of exported and evaluated runs, with what a promotion reads of them."""

import json
from dataclasses import asdict, replace
from typing import Any

from nmt.runs import layout
from nmt.runs.evaluation import (
    ENGINE_SYSTEM,
    TUNED_SYSTEM,
    Comparison,
    EvaluationResult,
    SystemScore,
)
from nmt.runs.records import Record
from nmt.runs.steps import STEPS
from nmt.storage import Storage
from tests.support.runs.summaries import WORSE, evaluation

INPUTS = {"prepare": "data-1", "base": "base-1", "train": "adapter-1"}


def export(storage: Storage, run: str, target: str = "tam_Taml") -> None:
    """Leave an engine from English with the name of its run."""
    leave_engine(storage, run, target)
    _write(storage, run, Record("export", True, {}, INPUTS, output=run))


def leave_engine(storage: Storage, digest: str, target: str = "tam_Taml", **meta: str) -> None:
    """Commit an engine from English, of which only the languages can be read."""
    with storage.commit(layout.engine(digest), meta) as folder:
        (folder / "weights").write_bytes(b"0123456789")
        card = {"source_language": "eng_Latn", "target_language": target}
        (folder / "engine.json").write_text(json.dumps(card))


def evaluate(storage: Storage, run: str, compared: Comparison = WORSE, **changes: Any) -> None:
    """Record the evaluation of a run, whose engine is worse than its base by default."""
    found = with_engine(evaluation(20.0, 8.5, chrf=30.0, compared=compared))
    inputs = INPUTS | {"export": run}
    result = found.model_dump(mode="json")
    record = Record("evaluate", True, {}, inputs, output="scores-1", result=result)
    _write(storage, run, replace(record, **changes))


def with_engine(found: EvaluationResult) -> EvaluationResult:
    """Add an engine that has the scores of the tuned model."""
    rows = [*found.scores, *found.comparisons]
    copies = [
        row.model_copy(update={"system": ENGINE_SYSTEM})
        for row in rows
        if row.system == TUNED_SYSTEM
    ]
    return found.model_copy(
        update={
            "systems": found.systems | {ENGINE_SYSTEM: found.systems[TUNED_SYSTEM]},
            "scores": tuple(row for row in [*rows, *copies] if isinstance(row, SystemScore)),
            "comparisons": tuple(row for row in [*rows, *copies] if isinstance(row, Comparison)),
        }
    )


def _write(storage: Storage, run: str, record: Record) -> None:
    storage.write_json(layout.step_record(run, STEPS[record.step]), asdict(record))
