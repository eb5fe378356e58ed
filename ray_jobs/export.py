"""Merge and convert the adapter of a run into an engine that can be served."""

from nmt.config import Config
from nmt.provenance.signing import usable_private_key
from nmt.runs import layout
from nmt.runs.records import Record, is_intact, require
from nmt.runs.results import ExportResult
from nmt.runs.running import StepOutput
from nmt.runs.steps import EXPORT, TRAIN
from nmt.storage import Storage
from ray_jobs import provenance
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session


def run(session: Session) -> Record:
    """Export a run, unless that is done.

    Raises:
        MissingStepError: the run is not trained.
        ConfigError: the private key cannot be used.
        ExportError: the merged model does not answer as the trained one.
    """
    session = session.with_inherited(EXPORT)
    require(session.storage, session.config.run, TRAIN)
    # Before the work, which would end without a signature otherwise.
    private_key = usable_private_key(session.config)
    made: list[str] = []

    def work() -> StepOutput[ExportResult]:
        result = on_worker(session, export_on_worker)
        made.append(result.engine)
        return StepOutput(result, result.engine)

    record = session.run_step(
        EXPORT,
        work,
        is_intact=lambda found: _is_intact(session, found),
        is_equal=lambda run, found: bool(_beside(session.storage, run)),
    )
    if made and private_key:
        provenance.sign_new(session, private_key)
    elif private_key:
        provenance.sign_again(session, private_key)
    return record


def _is_intact(session: Session, record: Record) -> bool:
    """Tell whether the engine is as it was written, and what stands beside it for other tools."""
    storage, run = session.storage, session.config.run
    paths = [layout.engine(record.output), *_beside(storage, run)]
    return all(is_intact(storage, path) for path in paths)


def _beside(storage: Storage, run: str) -> list[str]:
    """List the folders for other tools, of which every export writes at least one."""
    paths = (layout.merged_model(run), layout.exported_adapter(run))
    return [path for path in paths if storage.exists(path)]


def export_on_worker(config: Config, storage: Storage) -> ExportResult:
    """Export the run, on a worker."""
    from nmt.export.publish import export  # imports torch, which the driver does not need

    return export(config, storage)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("export")
