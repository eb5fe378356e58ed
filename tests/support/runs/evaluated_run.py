"""Records of runs that are exported and evaluated, as far as a promotion reads them."""

from dataclasses import asdict, replace
from typing import Any

from nmt.runs.comparison import Significance
from nmt.runs.steps import STEPS, Record
from nmt.storage import Storage
from nmt.traffic import engine_path
from tests.support.runs.summaries import SIGNIFICANCE, system

INPUTS = {"prepare": "data-1", "base": "base-1", "train": "adapter-1"}
WORSE = replace(SIGNIFICANCE, best_bleu=8.5, difference_interval=(-14.5, -8.5))
UNSURE = replace(WORSE, p_value=0.3, difference_interval=(-2.5, 0.5))


def export(storage: Storage, run: str) -> None:
    """Leave an engine with the name of its run."""
    with storage.commit(engine_path(run)) as folder:
        (folder / "engine.json").write_text("{}")
    _write(storage, run, Record("export", True, {}, INPUTS, output=run))


def evaluate(
    storage: Storage, run: str, significance: Significance = WORSE, **changes: Any
) -> None:
    """Record what an evaluation of a run has found: that it is worse, if nothing else is given."""
    result = {
        "base": system(20.0, None),
        "best": system(8.5, None, chrf=30.0),
        "significance": asdict(significance),
        "samples": [],
    }
    record = Record("evaluate", True, {}, INPUTS, output="scores-1", result=result)
    _write(storage, run, replace(record, **changes))


def _write(storage: Storage, run: str, record: Record) -> None:
    storage.write_json(f"{STEPS[record.step].path(run)}/step.json", asdict(record))
