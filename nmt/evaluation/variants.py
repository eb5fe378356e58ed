"""The variants of a run that an evaluation compares. Imports no torch."""

from nmt.config import Config
from nmt.runs.records import find_record, has_present_inputs, result_of
from nmt.runs.steps import VARIANTS
from nmt.runs.variants import Variant
from nmt.storage import Storage


def method_variants(config: Config, storage: Storage) -> tuple[Variant, ...]:
    """List the trainings of other methods that belong to the run's present training."""
    record = find_record(storage, config.run, VARIANTS)
    if record is None or not record.done:
        return ()
    if not has_present_inputs(storage, config.run, VARIANTS, record):
        return ()
    variants = result_of(storage, config.run, VARIANTS, record).variants
    return tuple(variant for variant in variants if variant.kind == "method")
