"""The summary of a run, made from the records of its steps."""

from collections.abc import Iterator, Mapping

from nmt import __version__
from nmt.config import Config
from nmt.report.cleaning_examples import read_examples
from nmt.report.scores import Results
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.gate_record import find_decision
from nmt.runs.records import Record, find_record, has_present_inputs, result_of
from nmt.runs.results import (
    BaseResult,
    DataSummary,
    EndpointSummary,
    ExportResult,
    ModelSummary,
    Summary,
    TrainResult,
)
from nmt.runs.software import package_versions
from nmt.runs.steps import BASE, EVALUATE, EXPORT, PREPARE, STEPS, TRAIN, TUNE, VARIANTS
from nmt.runs.trials import Trial
from nmt.runs.tuning import Setting
from nmt.storage import Storage

Records = dict[str, Record]


# With fewer sentences, the interval of a difference in BLEU is wider than most gains.
_MIN_SENTENCES = 50


def summarize(
    storage: Storage,
    config: Config,
    records: Mapping[str, Record],
    endpoint: EndpointSummary | None = None,
    seconds: float = 0.0,
) -> Summary:
    """Collect everything a run found.

    Args:
        storage: the storage root of the run.
        config: the settings the user gave.
        records: step -> its record.
        endpoint: what the endpoint answered; None if it was not asked.
        seconds: how long asking it took.

    Raises:
        StorageError: another release wrote a record.
    """
    run = config.run
    prepared = result_of(storage, run, PREPARE, records["prepare"])
    base = result_of(storage, run, BASE, records["base"])
    trained = result_of(storage, run, TRAIN, records["train"])
    tuned = result_of(storage, run, TUNE, records["tune"]) if "tune" in records else None
    evaluation = result_of(storage, run, EVALUATE, records["evaluate"])
    exported = result_of(storage, run, EXPORT, records["export"])
    asked = {"endpoint": seconds} if endpoint else {}
    return Summary(
        run=run,
        version=__version__,
        data=DataSummary(
            name=config.data.name,
            sizes=prepared.sizes,
            dropped=prepared.dropped,
            inputs=prepared.inputs,
            flagged=prepared.flagged,
            examples=read_examples(storage, run),
            digest=records["prepare"].output or None,
            fingerprint=prepared.fingerprint,
        ),
        model=ModelSummary(
            name=config.model.name_or_path,
            license=base.license,
            tiny=config.model.is_tiny,
            trainable=trained.trained_parameters,
        ),
        evaluation=evaluation,
        trials=tuned.trials if tuned else (),
        methods=tuned.methods if tuned else (),
        against_second=tuned.best.against_second if tuned else None,
        between_methods=tuned.between_methods if tuned else (),
        best_config=_taken_settings(tuned.best, records["train"]) if tuned else {},
        validation_metric=trained.metric,
        base_validation_score=trained.base_score,
        base_validation_bleu=trained.base_bleu,
        curve=trained.curve,
        seconds={name: record.seconds for name, record in records.items()} | asked,
        endpoint=endpoint or EndpointSummary(checked=False),
        engine=records["export"].output,
        gate=find_decision(storage, run, records["export"].output),
        notes=(
            *_variant_notes(storage, run, records.get(VARIANTS.name)),
            *_notes(config, evaluation, base, trained, exported),
        ),
        versions=package_versions(),
        config=config.model_dump(mode="json"),
    )


def finished_steps(storage: Storage, run: str) -> Records:
    """Read the records of the steps of a run that are finished and of its present data and base."""
    records: Records = {}
    for step in STEPS.values():
        record = find_record(storage, run, step)
        if record and record.done and has_present_inputs(storage, run, step, record):
            records[step.name] = record
    return records


def _taken_settings(best: Trial, trained: Record) -> dict[str, Setting]:
    """Select the best trial's settings that the training really used."""
    # A setting that the user gave wins over the search.
    return {key: value for key, value in best.config.items() if trained.settings.get(key) == value}


def _variant_notes(storage: Storage, run: str, record: Record | None) -> Iterator[str]:
    """Say how far the seed moves the score, and what could not be trained."""
    if record is None:
        return
    found = result_of(storage, run, VARIANTS, record)
    yield f"Trained beside the engine, with the scores of the validation: {found.headline()}."
    for each in found.left_out:
        yield f"{each.name} could not be trained: {each.reason}"


def _notes(
    config: Config,
    evaluation: EvaluationResult,
    base: BaseResult,
    trained: TrainResult,
    exported: ExportResult,
) -> list[str]:
    notes: list[str] = []
    for name, info in evaluation.test_sets.items():
        if info.sentences < _MIN_SENTENCES:
            notes.append(
                f"Only {info.sentences} sentences in the test set {name}: too few to compare two "
                "systems."
            )
    if trained.left_out:
        notes.append(
            f"{trained.left_out} training pairs were left out because they are longer than "
            "model.max_source_tokens or model.max_target_tokens."
        )
    if exported.vocabulary and exported.vocabulary.form != "full":
        notes.append(exported.vocabulary.describe())
    if config.model.is_tiny:
        notes.append(
            "A tiny model, built and trained on the spot, shows the path and not quality: set "
            "model.name_or_path for a real one."
        )
    if not Results(evaluation).forgetting_sets:
        notes.append(
            "No test set shows forgetting: name one with evaluation.sets.NAME.forgetting=true."
        )
    if "nc" in base.license.split("-"):
        notes.append(f"The weights inherit {base.license}: not for commercial use.")
    return notes
