"""The decision of a gate, read from the record of a run."""

from nmt.runs.gate import GateResult
from nmt.runs.records import find_record, result_of
from nmt.runs.steps import GATE
from nmt.storage import Storage


def find_decision(storage: Storage, run: str, engine: str) -> GateResult | None:
    """Read the decision on an engine of a run; None if there is none on this one.

    Raises:
        StorageError: the record is damaged.
    """
    record = find_record(storage, run, GATE)
    if record is None or not record.done:
        return None
    found = result_of(storage, run, GATE, record)
    # The run may have been exported again since.
    return found if found.engine == engine else None
