"""Promotion of a run's engine to an endpoint, refused if the engine is worse than its base."""

from dataclasses import dataclass

from nmt.errors import InputError, WorseThanBaseError
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    ENGINE_SYSTEM,
    METRIC_NAMES,
    TEST_SET,
    Comparison,
    EvaluationResult,
    format_p_value,
)
from nmt.runs.records import Record, find_record, require, result_of
from nmt.runs.steps import EVALUATE, EXPORT
from nmt.storage import Storage
from nmt.traffic import Traffic, changes


@dataclass(frozen=True, slots=True)
class Promotion:
    """The engine of a run at an endpoint."""

    traffic: Traffic
    """The pointer after the promotion."""
    digest: str
    remark: str = ""
    """What the user should know about the engine and its base."""


def promote_run(
    storage: Storage, run: str, endpoint: str, force: str | None = None, *, dry_run: bool = False
) -> Promotion:
    """Make the engine of a run the stable one of an endpoint.

    Args:
        storage: the storage root.
        run: name of the run.
        endpoint: name of the endpoint (`serving.name`).
        force: the reason to serve the engine even if it is worse than its base.
        dry_run: change nothing, and only return the result.

    Raises:
        MissingStepError: the run is not exported.
        InputError: the reason is empty, or has characters that cannot be printed.
        WorseThanBaseError: the engine is significantly worse than its base, and no reason is given.
    """
    reason = None if force is None else checked_reason(force)
    exported = require(storage, run, EXPORT)
    evaluated = find_record(storage, run, EVALUATE)
    evaluation = _find_evaluation(storage, run, exported, evaluated)
    # The engine itself rather than the tuned model: it is what users will get.
    compared = evaluation.comparison(ENGINE_SYSTEM) if evaluation else None
    if evaluation and compared and compared.verdict == "worse":
        # Only a significant loss is refused: any other difference may be chance.
        remark = _explain_force(run, _write_scores(evaluation, compared), reason)
    else:
        remarks = [] if compared else [_explain_unknown(run, evaluated, evaluation)]
        remarks += ["--force was not needed, and its reason is not kept"] if reason else []
        # A reason that is kept with the engine says that it is worse than its base.
        remark, reason = "; ".join(remarks), None
    moved = changes.promote(storage, endpoint, exported.output, reason, dry_run=dry_run)
    return Promotion(moved, exported.output, remark)


def _explain_force(run: str, scores: str, reason: str | None) -> str:
    """Say that a worse engine is promoted, and why.

    Raises:
        WorseThanBaseError: no reason is given.
    """
    if reason is None:
        raise WorseThanBaseError(
            f"run '{run}': its engine is significantly worse than its base: {scores}: "
            "train it again with other settings, or serve it anyway with "
            f'`promote run={run} --force "REASON"`'
        )
    return f"significantly worse than its base ({scores}), and promoted because: {reason}"


def checked_reason(text: str) -> str:
    """Read the reason for a forced promotion as one line.

    Raises:
        InputError: it is empty, or has characters that cannot be printed.
    """
    # It is shown within a line, where a line break or a control character would forge another.
    reason = " ".join(text.split())
    if not reason:
        raise InputError("--force needs a reason, which is kept with the engine")
    if not reason.isprintable():
        raise InputError("--force: the reason has characters that cannot be printed")
    return reason


def _find_evaluation(
    storage: Storage, run: str, exported: Record, evaluated: Record | None
) -> EvaluationResult | None:
    """Read the evaluation of the exported engine; None if there is none.

    Raises:
        StorageError: the record does not hold the result of an evaluation.
    """
    if evaluated is None or not evaluated.done:
        return None
    # An evaluation of an earlier release has no engine among its inputs.
    if evaluated.inputs.get(EXPORT.name) != exported.output:
        return None
    return result_of(storage, run, EVALUATE, evaluated)


def _explain_unknown(
    run: str, evaluated: Record | None, evaluation: EvaluationResult | None
) -> str:
    if evaluated is None or not evaluated.done:
        why = f"run '{run}' is not evaluated"
    elif evaluation:
        why = f"the evaluation of run '{run}' does not compare its engine with its base"
    else:
        why = f"the evaluation of run '{run}' is not of its present engine"
    return f"{why}: whether the engine is better than its base is not known"


def _write_scores(evaluation: EvaluationResult, compared: Comparison) -> str:
    """Write the scores of base and engine, and how sure the difference is."""
    parts: list[str] = []
    for metric, name in METRIC_NAMES.items():
        base = evaluation.score(BASE_SYSTEM, TEST_SET, metric)
        engine = evaluation.score(ENGINE_SYSTEM, TEST_SET, metric)
        if base and engine:
            parts.append(f"{name} {base.value:.2f} -> {engine.value:.2f}")
    parts.append(format_p_value(compared.p_value))
    return ", ".join([*parts, f"{evaluation.test_sets[TEST_SET].sentences} test sentences"])
