"""From the records of a run's steps to its summary. Pure: neither Ray nor storage."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from nmt import __version__
from nmt.config import Config
from nmt.report.summary import (
    DataSummary,
    EndpointSummary,
    ModelSummary,
    Sample,
    Summary,
    TrainingPoint,
    TrialSummary,
)
from nmt.runs.comparison import SystemSummary
from nmt.runs.steps import Record

Records = dict[str, Record]

_FEW_SENTENCES = 50
_PACKAGES = ("torch", "transformers", "peft", "ray", "ctranslate2", "sacrebleu", "datasets")


def summarize(
    config: Config, records: Mapping[str, Record], endpoint: EndpointSummary, seconds: float
) -> Summary:
    """Everything a run found, in the shape of `summary.json`.

    Args:
        config: the settings the user gave.
        records: step -> its record.
        endpoint: what the endpoint answered.
        seconds: how long asking it took.
    """
    scores = records["evaluate"].result
    trained = records["train"]
    license_name = records["base"].result["license"]
    tuned = records["tune"].result if "tune" in records else None
    return Summary(
        run=config.run,
        version=__version__,
        data=DataSummary(
            name=config.data.path or "the built-in phrasebook",
            sizes=records["prepare"].result["sizes"],
            dropped=records["prepare"].result["dropped"],
        ),
        model=ModelSummary(
            name=config.model.name_or_path,
            license=license_name,
            tiny=config.model.is_tiny,
            parameters=scores["parameters"],
            trainable=trained.result["trained_parameters"],
        ),
        base=SystemSummary(**scores["base"]),
        best=SystemSummary(**scores["best"]),
        p_value=scores["p_value"],
        significance=scores["significance"],
        trials=tuple(_trial(entry) for entry in tuned["trials"]) if tuned else (),
        best_config=_taken(tuned["best"]["config"], trained) if tuned else {},
        base_validation_bleu=trained.result.get("base_bleu"),
        curve=tuple(TrainingPoint(**point) for point in trained.result["curve"]),
        samples=tuple(Sample(**sample) for sample in scores["samples"]),
        seconds={name: record.seconds for name, record in records.items()} | {"endpoint": seconds},
        endpoint=endpoint,
        engine=records["export"].output,
        notes=tuple(_notes(config, license_name, records)),
        versions=_versions(),
        config=config.model_dump(mode="json"),
    )


def _trial(entry: Mapping[str, Any]) -> TrialSummary:
    fields = {key: entry[key] for key in ("config", "bleu", "state", "steps", "curve")}
    return TrialSummary(**fields)


def _taken(found: Mapping[str, Any], trained: Record) -> dict[str, Any]:
    """What of the best trial's settings the training really ran with."""
    return {key: value for key, value in found.items() if trained.settings.get(key) == value}


def _notes(config: Config, license_name: str, records: Mapping[str, Record]) -> list[str]:
    notes = []
    tested = records["prepare"].result["sizes"]["test"]
    if tested < _FEW_SENTENCES:
        notes.append(f"Only {tested} test sentences: too few to compare two systems by.")
    left_out = records["train"].result["left_out"]
    if left_out:
        notes.append(
            f"{left_out} training pairs were left out as longer than model.max_source_tokens or "
            "model.max_target_tokens."
        )
    if config.model.is_tiny:
        notes.append(
            "A tiny model, built and trained on the spot, shows the path and not quality: set "
            "model.name_or_path for a real one."
        )
    if config.data.path is not None:
        notes.append("Own data has no general part, so what was forgotten is not computed.")
    if "nc" in license_name.split("-"):
        notes.append(f"The weights inherit {license_name}: not for commercial use.")
    return notes


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
