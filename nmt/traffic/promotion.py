"""Let an endpoint serve the engine of a run, unless it was found to be worse than its base.

What decides is the evaluation of the run on its own test set, if it is of the training that was
exported.
"""

from dataclasses import dataclass

from nmt.errors import InputError, WorseThanBaseError
from nmt.runs.comparison import Comparison, probability
from nmt.runs.steps import EVALUATE, EXPORT, Record, find_record, require
from nmt.storage import Storage
from nmt.traffic import Traffic, pointer


@dataclass(frozen=True, slots=True)
class Promotion:
    """The engine of a run at an endpoint."""

    traffic: Traffic
    """The pointer as it is now."""
    digest: str
    remark: str = ""
    """What a user has to know of how the engine compares with its base."""


def promote_run(
    storage: Storage, run: str, endpoint: str, force: str | None = None, *, dry_run: bool = False
) -> Promotion:
    """Make the engine of a run the stable one of an endpoint.

    Args:
        storage: the storage root.
        run: its name.
        endpoint: its name (`serving.name`).
        force: why the engine is to be served even if it is worse than its base.
        dry_run: only tell what would be.

    Raises:
        MissingStepError: the run is not exported.
        InputError: the reason is empty, or not a line of text.
        WorseThanBaseError: the engine is significantly worse than its base, and no reason is given.
    """
    reason = None if force is None else checked_reason(force)
    exported = require(storage, run, EXPORT)
    evaluated = find_record(storage, run, EVALUATE)
    found = _comparison(storage, run, exported, evaluated)
    if found and found.significance.is_worse:
        remark = _forced(run, found, reason)
    else:
        remarks = ["" if found else _unknown(run, evaluated)]
        remarks += ["--force was not needed, and its reason is not kept"] if reason else []
        remark, reason = "; ".join(filter(None, remarks)), None
    moved = pointer.promote(storage, endpoint, exported.output, reason, dry_run=dry_run)
    return Promotion(moved, exported.output, remark)


def _forced(run: str, found: Comparison, reason: str | None) -> str:
    """Say that a worse engine is promoted, and why.

    Raises:
        WorseThanBaseError: no reason is given.
    """
    if reason is None:
        raise WorseThanBaseError(
            f"run '{run}': its engine is significantly worse than its base: {_scores(found)}: "
            "train it again with other settings, or have it served all the same with "
            f'`promote run={run} --force "REASON"`'
        )
    return f"significantly worse than its base ({_scores(found)}), and promoted because: {reason}"


def checked_reason(text: str) -> str:
    """Read the reason of a forced promotion as one line.

    Raises:
        InputError: it is empty, or holds characters that cannot be shown.
    """
    reason = " ".join(text.split())
    if not reason:
        raise InputError("--force needs a reason, which is kept beside the engine: none is given")
    if not reason.isprintable():
        raise InputError("--force: the reason holds characters that cannot be shown: write text")
    return reason


def _comparison(
    storage: Storage, run: str, exported: Record, evaluated: Record | None
) -> Comparison | None:
    """Read what the evaluation of the exported training has found; None where there is none.

    Raises:
        StorageError: the record of the evaluation has no scores.
    """
    if evaluated is None or not evaluated.done or evaluated.inputs != exported.inputs:
        return None
    place = storage.locate(f"{EVALUATE.path(run)}/step.json")
    return Comparison.read(evaluated.result, place)


def _unknown(run: str, evaluated: Record | None) -> str:
    if evaluated is None or not evaluated.done:
        why = f"run '{run}' is not evaluated"
    else:
        why = f"the evaluation of run '{run}' is of another training than its engine"
    return f"{why}: whether the engine is better than its base is not known"


def _scores(found: Comparison) -> str:
    """Scores of the base and of what was trained, and how sure the difference is."""
    names = {"bleu": "BLEU", "chrf++": "chrF++", "ter": "TER"}
    pairs = [
        f"{name} {found.base.scores[key].value:.2f} -> {found.best.scores[key].value:.2f}"
        for key, name in names.items()
        if key in found.base.scores and key in found.best.scores
    ]
    tested = f"{found.significance.sentences} test sentences"
    return f"{', '.join(pairs)}, {probability(found.significance.p_value)}, {tested}"
