"""Score the base and the adapter of a run on its test split."""

import logging
from typing import Any

from nmt.config import Config
from nmt.report.summary import comparison_lines
from nmt.runs.comparison import Comparison
from nmt.runs.steps import EVALUATE, TRAIN, Record, require
from nmt.storage import Storage
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session) -> Record:
    """Evaluate a run, unless that is done, and show how base and best compare.

    Raises:
        MissingStepError: the run is not trained.
    """
    session = session.on(EVALUATE)
    run_name = session.config.run
    require(session.storage, run_name, TRAIN)

    def work() -> dict[str, Any]:
        scores = on_worker(session, evaluate_on_worker)
        session.storage.write_json(f"{EVALUATE.path(run_name)}/evaluation.json", scores)
        return scores

    record = session.do(EVALUATE, work)
    place = session.storage.locate(f"{EVALUATE.path(run_name)}/step.json")
    found = Comparison.read(record.result, place)
    for line in comparison_lines(found.base, found.best, found.significance):
        log.info("%s", line)
    return record


def evaluate_on_worker(config: Config, storage: Storage) -> dict[str, Any]:
    """On a worker, where the heavy imports belong."""
    from nmt.evaluation.evaluate import evaluate

    return evaluate(config, storage)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("evaluate")
