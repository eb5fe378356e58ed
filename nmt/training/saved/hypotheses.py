"""Translations of the validation pairs, kept in the checkpoint that made them. Imports no torch."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from nmt.errors import StorageError
from nmt.runs import layout
from nmt.storage import Storage

HYPOTHESES = "hypotheses.json"
_LINES = TypeAdapter(tuple[str, ...])


def write_hypotheses(folder: Path, hypotheses: Sequence[str]) -> None:
    """Write translations into the folder of a checkpoint."""
    text = json.dumps(list(hypotheses), ensure_ascii=False, indent=0)
    (folder / HYPOTHESES).write_text(text, encoding="utf-8")


def read_hypotheses(storage: Storage, folder: str, step: int) -> tuple[str, ...] | None:
    """Read the translations that a training kept with the checkpoint of a step.

    Args:
        storage: the storage root.
        folder: of the training.
        step: of a validation.

    Returns:
        One for each validation pair; None where an earlier release wrote the checkpoint.

    Raises:
        StorageError: the checkpoint is missing or damaged.
    """
    path = layout.checkpoint(layout.checkpoints(folder), step)
    if HYPOTHESES not in storage.manifest(path)["files"]:
        return None
    with storage.reading(path, only=[HYPOTHESES]) as place:
        raw = (place / HYPOTHESES).read_bytes()
    try:
        return _LINES.validate_json(raw)
    except ValidationError:
        raise StorageError(f"{storage.locate(path)}: its {HYPOTHESES} is not a list") from None
