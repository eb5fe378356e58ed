"""Merge and convert the adapter of a run into an engine that can be served."""

from nmt.config import Config
from nmt.runs import layout
from nmt.runs.records import Record, is_intact, require
from nmt.runs.results import ExportResult
from nmt.runs.running import StepOutput
from nmt.runs.steps import EXPORT, TRAIN
from nmt.storage import Storage
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session


def run(session: Session) -> Record:
    """Export a run, unless that is done.

    Raises:
        MissingStepError: the run is not trained.
        ExportError: the merged model does not answer as the trained one.
    """
    session = session.with_inherited(EXPORT)
    require(session.storage, session.config.run, TRAIN)

    def work() -> StepOutput[ExportResult]:
        result = on_worker(session, export_on_worker)
        return StepOutput(result, result.engine)

    return session.run_step(EXPORT, work, is_intact=lambda record: _is_intact(session, record))


def _is_intact(session: Session, record: Record) -> bool:
    """Tell whether the engine is as it was written, and what stands beside it for other tools."""
    storage, run = session.storage, session.config.run
    engine = layout.engine(record.output)
    beside = [layout.merged_model(run), layout.exported_adapter(run)]
    paths = [engine, *(path for path in beside if storage.exists(path))]
    return all(is_intact(storage, path) for path in paths)


def export_on_worker(config: Config, storage: Storage) -> ExportResult:
    """Export the run, on a worker."""
    from nmt.export.publish import export  # imports torch, which the driver does not need

    return export(config, storage)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("export")
