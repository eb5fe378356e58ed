"""Score the systems of a run, and others, on test sets."""

import logging
from functools import partial

from nmt.config import Config
from nmt.report.console import score_lines
from nmt.runs import layout
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.records import Record, require, result_of
from nmt.runs.running import StepOutput
from nmt.runs.steps import EVALUATE, EXPORT
from nmt.storage import Storage
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session) -> Record:
    """Evaluate a run, unless that is done, and log how its systems compare.

    Raises:
        MissingStepError: the run is not exported.
    """
    session = session.with_inherited(EVALUATE)
    run_name = session.config.run
    require(session.storage, run_name, EXPORT)

    def work() -> StepOutput[EvaluationResult]:
        result = on_worker(session, partial(evaluate_on_worker, user_set=session.user_set))
        session.storage.write_json(layout.evaluation(run_name), result.as_json())
        return StepOutput(result)

    record = session.run_step(EVALUATE, work)
    for line in score_lines(result_of(session.storage, run_name, EVALUATE, record)):
        log.info("%s", line)
    return record


def evaluate_on_worker(
    config: Config, storage: Storage, user_set: frozenset[str] = frozenset()
) -> EvaluationResult:
    """Evaluate a run on a worker."""
    from nmt.evaluation.evaluate import evaluate  # imports torch, which the driver does not need

    return evaluate(config, storage, user_set)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("evaluate")
