"""The record of a base step that found its base in a folder."""

from dataclasses import asdict
from typing import Any

from nmt.config import Config
from nmt.models.sources.source import ModelSource
from nmt.runs import layout
from nmt.runs.records import Record
from nmt.runs.steps import BASE
from nmt.storage import Storage


def record_base(config: Config, storage: Storage, result: dict[str, Any] | None = None) -> None:
    """Write it as the step does, or with another result."""
    if result is None:
        found = ModelSource(config.model.name_or_path).resolve(storage)
        result = {"license": "unknown", "model": found.as_record()}
    record = Record(step="base", done=True, settings={}, inputs={}, result=result)
    storage.write_json(layout.step_record(config.run, BASE), asdict(record))
