"""Score the base and the trained model of a run on its test sets."""

import logging

from nmt.config import Config
from nmt.report.console import score_lines
from nmt.runs import layout
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.records import Record, require, result_of
from nmt.runs.running import StepOutput
from nmt.runs.steps import EVALUATE, TRAIN
from nmt.storage import Storage
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session) -> Record:
    """Evaluate a run, unless that is done, and log how its systems compare.

    Raises:
        MissingStepError: the run is not trained.
    """
    session = session.with_inherited(EVALUATE)
    run_name = session.config.run
    require(session.storage, run_name, TRAIN)

    def work() -> StepOutput[EvaluationResult]:
        result = on_worker(session, evaluate_on_worker)
        session.storage.write_json(layout.evaluation(run_name), result.as_json())
        return StepOutput(result)

    record = session.run_step(EVALUATE, work)
    for line in score_lines(result_of(session.storage, run_name, EVALUATE, record)):
        log.info("%s", line)
    return record


def evaluate_on_worker(config: Config, storage: Storage) -> EvaluationResult:
    """Evaluate a run on a worker."""
    from nmt.evaluation.evaluate import evaluate  # imports torch, which the driver does not need

    return evaluate(config, storage)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("evaluate")
