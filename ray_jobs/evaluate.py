"""Score the systems of a run, and others, on test sets."""

import logging

from nmt.config import Config
from nmt.config.sections.evaluation import VARIANTS
from nmt.errors import StorageError
from nmt.evaluation.changes import find_changes
from nmt.evaluation.test_sets import named_below
from nmt.evaluation.variants import method_variants
from nmt.export.model_card import add_scores, lacks_scores
from nmt.provenance.signing import usable_private_key
from nmt.report.console import score_lines
from nmt.report.page import render_scores
from nmt.report.summarize import finished_steps, summarize
from nmt.runs import layout
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.gate_record import find_decision
from nmt.runs.records import SUMMARY, Record, require, result_of
from nmt.runs.results import Summary
from nmt.runs.running import StepOutput
from nmt.runs.steps import EVALUATE, EXPORT
from nmt.storage import Storage
from ray_jobs import provenance
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session
from ray_jobs.runtime.written_summary import stored_sets, write_summary

log = logging.getLogger(__name__)


def run(session: Session) -> Record:
    """Evaluate a run, unless that is done; log and report how its systems compare.

    Raises:
        MissingStepError: the run is not exported.
    """
    session = session.with_inherited(EVALUATE)
    run_name = session.config.run
    require(session.storage, run_name, EXPORT)

    def work() -> StepOutput[EvaluationResult]:
        result = on_worker(session, evaluate_on_worker, user_set=session.user_set)
        session.storage.write_json(layout.evaluation(run_name), result.as_json())
        return StepOutput(result)

    private_key = usable_private_key(session.config)
    record = session.run_step(
        EVALUATE,
        work,
        is_intact=lambda found: _is_current(session, found),
        is_equal=lambda run, found: _has_same_variants(session, run, found),
    )
    if private_key:
        # Again, with the scores in the record.
        provenance.sign_again(session, private_key)
    if not session.in_pipeline:
        result = result_of(session.storage, run_name, EVALUATE, record)
        for line in score_lines(result):
            log.info("%s", line)
        _write_report(session, record, result)
    return record


def _write_report(session: Session, record: Record, result: EvaluationResult) -> None:
    """Write summary and report of a run, or bring those of a pipeline up to date."""
    storage, run_name = session.storage, session.config.run
    path, again = layout.summary(run_name), "it is written again"
    before = SUMMARY.find_or_leave_out(storage, path, again, log.warning)
    if before and before.evaluation == result:
        return
    summary = _with_evaluation(session, before, record, result) if before else _summary(session)
    if summary:
        write_summary(storage, run_name, summary)
    else:
        stored = stored_sets(storage, run_name, result)
        page = render_scores(result, stored, f"Run {run_name}")
        storage.write_bytes(layout.report(run_name), page.encode())
    log.info("report %s", storage.locate(layout.report(run_name)))


def _with_evaluation(
    session: Session, summary: Summary, record: Record, result: EvaluationResult
) -> Summary:
    """Return the summary of a pipeline with another evaluation."""
    settings = session.config.model_dump(mode="json")["evaluation"]
    return summary.model_copy(
        update={
            "evaluation": result,
            "gate": find_decision(session.storage, session.config.run, summary.engine or ""),
            "seconds": summary.seconds | {EVALUATE.name: record.seconds},
            "config": summary.config | {"evaluation": settings},
        }
    )


def _summary(session: Session) -> Summary | None:
    """Summarize a run whose steps were done one by one; None if a record cannot be read."""
    storage, config = session.storage, session.config
    try:
        return summarize(storage, config, finished_steps(storage, config.run))
    except StorageError as error:
        log.warning("%s: the report shows the evaluation alone", error)
        return None


def _has_same_variants(session: Session, run: str, record: Record) -> bool:
    """Tell whether another run has evaluated the variants that this one has."""
    found = result_of(session.storage, run, EVALUATE, record).systems
    scored = {name: found[name].weights for name in found if name.startswith(VARIANTS)}
    own = method_variants(session.config, session.storage)
    return scored == {variant.system: variant.weights for variant in own}


def _is_current(session: Session, record: Record) -> bool:
    """Tell whether all that an evaluation was made from is still the same."""
    result = result_of(session.storage, session.config.run, EVALUATE, record)
    named = named_below(session.user_set, "evaluation.sets")
    changes = list(find_changes(session.config, session.storage, result, named))
    if lacks_scores(session.storage, session.config.run):
        # Such as after an export that was damaged and made again.
        changes.append("a model card has no scores")
    for change in changes:
        log.info("evaluate: %s: it is done again", change)
    return not changes


def evaluate_on_worker(
    config: Config, storage: Storage, user_set: frozenset[str] = frozenset()
) -> EvaluationResult:
    """Evaluate a run on a worker, and write the scores into its model cards."""
    from nmt.evaluation.evaluate import evaluate  # torch follows, which the driver does not need

    result = evaluate(config, storage, user_set)
    add_scores(config, storage, result)
    return result


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("evaluate")
