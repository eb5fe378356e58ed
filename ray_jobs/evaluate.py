"""Score the systems of a run, and others, on test sets."""

import logging
from functools import partial

from nmt.config import Config
from nmt.evaluation.changes import find_changes
from nmt.evaluation.named import named_below
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

    record = session.run_step(EVALUATE, work, is_intact=lambda found: _is_current(session, found))
    for line in score_lines(result_of(session.storage, run_name, EVALUATE, record)):
        log.info("%s", line)
    return record


def _is_current(session: Session, record: Record) -> bool:
    """Tell whether all that an evaluation was made from is still the same."""
    result = result_of(session.storage, session.config.run, EVALUATE, record)
    named = named_below(session.user_set, "evaluation.sets")
    changes = list(find_changes(session.config, session.storage, result, named))
    for change in changes:
        log.info("evaluate: %s: it is done again", change)
    return not changes


def evaluate_on_worker(
    config: Config, storage: Storage, user_set: frozenset[str] = frozenset()
) -> EvaluationResult:
    """Evaluate a run on a worker, and write the scores into its model cards."""
    # Both import torch, which the driver does not need.
    from nmt.evaluation.evaluate import evaluate
    from nmt.export.model_card import add_scores

    result = evaluate(config, storage, user_set)
    add_scores(config, storage, result)
    return result


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("evaluate")
