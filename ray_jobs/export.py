"""Merge and convert the adapter of a run into an engine that can be served."""

from typing import Any

from nmt.config import Config
from nmt.steps import EXPORT, TRAIN, Record, require
from nmt.storage import Storage
from ray_jobs.cluster import on_worker
from ray_jobs.session import Session


def run(session: Session) -> Record:
    """Export a run, unless that is done.

    Raises:
        MissingStepError: the run is not trained.
        ExportError: the merged model does not answer as the trained one.
    """
    session = session.on(EXPORT)
    require(session.storage, session.config.run, TRAIN)
    return session.do(EXPORT, lambda: on_worker(session, export_on_worker))


def export_on_worker(config: Config, storage: Storage) -> dict[str, Any]:
    """On a worker, where the heavy imports belong."""
    from nmt.export.export import export

    return export(config, storage)


if __name__ == "__main__":
    from ray_jobs.entry import main

    main("export")
