"""Reading of an engine's origin from the records of its run."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import Field, JsonValue, TypeAdapter

from nmt.config import digest_of
from nmt.errors import InputError
from nmt.provenance.record import (
    BaseOrigin,
    DataOrigin,
    EvaluationOrigin,
    Provenance,
    SearchOrigin,
    TrainingOrigin,
)
from nmt.runs import layout
from nmt.runs.evaluation import BASE_SYSTEM, ENGINE_SYSTEM, TUNED_SYSTEM
from nmt.runs.gate_record import find_decision
from nmt.runs.records import Record, evaluation_of, find_record, require, result_of
from nmt.runs.step_result import ResultPart
from nmt.runs.steps import BASE, EVALUATE, EXPORT, PREPARE, TRAIN, TUNE
from nmt.storage import Storage

_SETTINGS: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
_SYSTEMS = (BASE_SYSTEM, TUNED_SYSTEM, ENGINE_SYSTEM)
_CHAIN = (PREPARE, BASE, TRAIN, EXPORT)


class _File(ResultPart):
    sha256: str


class _Fingerprint(ResultPart):
    files: dict[str, _File] = Field(default_factory=dict)


class _Source(ResultPart):
    """What the record of the base says of a model's files. The type belongs to a package above."""

    revision: str | None = None
    fingerprint: _Fingerprint = _Fingerprint()


def collect(storage: Storage, run: str) -> Provenance:
    """Describe the origin of a run's engine, as far as the run has gone.

    Raises:
        MissingStepError: the run is not exported.
        InputError: an earlier step was made again since the export.
    """
    records = {step.name: require(storage, run, step) for step in _CHAIN}
    _check_chain(run, records)
    exported = result_of(storage, run, EXPORT, records[EXPORT.name])
    settings = {
        name: _SETTINGS.validate_python(record.settings) for name, record in records.items()
    }
    languages = settings[PREPARE.name]
    return Provenance(
        recorded_at=datetime.now(UTC),
        engine=exported.engine,
        run=run,
        source_language=str(languages["data.source_language"]),
        target_language=str(languages["data.target_language"]),
        seed=records[TRAIN.name].settings["seed"],
        software=exported.software,
        settings=settings,
        data=_data(storage, run, records[PREPARE.name]),
        base=_base(storage, run, records[BASE.name]),
        search=_search(storage, run),
        training=_training(storage, run, records[TRAIN.name]),
        logit_difference=exported.logit_difference,
        evaluation=_evaluation(storage, run, exported.engine),
        gate=find_decision(storage, run, exported.engine),
    )


def _check_chain(run: str, records: Mapping[str, Record]) -> None:
    """Check that each step was done from what the steps before it hold now.

    Raises:
        InputError: one was made again, so its record is not that of the engine.
    """
    for name, record in records.items():
        for earlier, digest in record.inputs.items():
            if earlier in records and records[earlier].output != digest:
                raise InputError(
                    f"run '{run}': the step '{earlier}' was made again after '{name}', so its "
                    f"record is not the origin of the engine: give `nmt {name} run={run} --restart`"
                )


def _data(storage: Storage, run: str, record: Record) -> DataOrigin:
    result = result_of(storage, run, PREPARE, record)
    return DataOrigin(
        digest=record.output,
        fingerprint=result.fingerprint,
        sizes=result.sizes,
        dropped=result.dropped,
        flagged=result.flagged,
        inputs=result.inputs,
        screened=result.screened,
    )


def _base(storage: Storage, run: str, record: Record) -> BaseOrigin:
    result = result_of(storage, run, BASE, record)
    model = _Source.model_validate(result.model or {})
    return BaseOrigin(
        name=str(record.settings["model.name_or_path"]),
        revision=model.revision or record.settings.get("model.revision"),
        license=result.license,
        files={name: file.sha256 for name, file in model.fingerprint.files.items()},
    )


def _search(storage: Storage, run: str) -> SearchOrigin | None:
    record = find_record(storage, run, TUNE)
    if record is None or not record.done:
        return None
    result = result_of(storage, run, TUNE, record)
    return SearchOrigin(trials=len(result.trials), best=result.best.config, bleu=result.best.bleu)


def _training(storage: Storage, run: str, record: Record) -> TrainingOrigin:
    result = result_of(storage, run, TRAIN, record)
    return TrainingOrigin(
        steps=result.steps,
        best_step=result.best_step,
        base_bleu=result.base_bleu,
        best_bleu=result.best_bleu,
        digest=record.output,
        files=_weights(storage, run, record.output),
    )


def _weights(storage: Storage, run: str, digest: str) -> dict[str, str]:
    """Return the files of the trained weights; none if they are gone, or others by now."""
    path = layout.trained_weights(run)
    if not storage.is_committed(path):
        return {}
    files = storage.manifest(path)["files"]
    if digest_of(files) != digest:
        return {}
    return {name: file["sha256"] for name, file in files.items()}


def _evaluation(storage: Storage, run: str, engine: str) -> EvaluationOrigin | None:
    """Return the scores of the engine; None if the run was not evaluated with this engine."""
    result = evaluation_of(storage, run, find_record(storage, run, EVALUATE), engine)
    if result is None:
        return None
    return EvaluationOrigin(
        test_sets=result.test_sets,
        scores=tuple(row for row in result.scores if row.system in _SYSTEMS),
        comparisons=tuple(row for row in result.comparisons if row.system in _SYSTEMS),
    )
