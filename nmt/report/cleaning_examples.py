"""Examples of the pairs that cleaning left out, from `cleaning.json` of a run."""

from pydantic import BaseModel, TypeAdapter, ValidationError

from nmt.runs import layout
from nmt.runs.results import PairExample
from nmt.storage import Storage

_MAX_EXAMPLES = 3
"""Of each rule, over all inputs."""


class _Dropped(BaseModel):
    """The pairs that one rule dropped from an input."""

    examples: tuple[PairExample, ...] = ()


class _Cleaned(BaseModel):
    """What became of the pairs of one input."""

    dropped: dict[str, _Dropped] = {}


_CLEANING = TypeAdapter(dict[str, _Cleaned])


def read_examples(storage: Storage, run: str) -> dict[str, tuple[PairExample, ...]]:
    """Read a few pairs that each rule dropped.

    Raises:
        StorageError: the file is not valid JSON.
    """
    place = layout.cleaning_report(run)
    if not storage.exists(place):
        return {}
    try:
        inputs = _CLEANING.validate_python(storage.read_json(place))
    except ValidationError:  # an earlier release kept other figures
        return {}
    found: dict[str, list[PairExample]] = {}
    for each in inputs.values():
        for rule, dropped in each.dropped.items():
            found.setdefault(rule, []).extend(dropped.examples)
    return {rule: tuple(pairs[:_MAX_EXAMPLES]) for rule, pairs in found.items() if pairs}
