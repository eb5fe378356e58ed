"""Records of exported and evaluated runs, with what a promotion reads of them."""

from dataclasses import asdict, replace
from typing import Any

from nmt.runs import layout
from nmt.runs.evaluation import Comparison
from nmt.runs.records import Record
from nmt.runs.steps import STEPS
from nmt.storage import Storage
from tests.support.runs.summaries import WORSE, evaluation

INPUTS = {"prepare": "data-1", "base": "base-1", "train": "adapter-1"}


def export(storage: Storage, run: str) -> None:
    """Leave an engine with the name of its run."""
    with storage.commit(layout.engine(run)) as folder:
        (folder / "engine.json").write_text("{}")
    _write(storage, run, Record("export", True, {}, INPUTS, output=run))


def evaluate(storage: Storage, run: str, compared: Comparison = WORSE, **changes: Any) -> None:
    """Record the evaluation of a run, which is worse than its base by default."""
    result = evaluation(20.0, 8.5, chrf=30.0, compared=compared).model_dump(mode="json")
    record = Record("evaluate", True, {}, INPUTS, output="scores-1", result=result)
    _write(storage, run, replace(record, **changes))


def _write(storage: Storage, run: str, record: Record) -> None:
    storage.write_json(layout.step_record(run, STEPS[record.step]), asdict(record))
