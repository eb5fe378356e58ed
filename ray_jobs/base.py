"""The base model of a run: checked, or, for `tiny`, built and trained."""

from typing import Any

from nmt.config import Config, digest_of
from nmt.steps import BASE, PREPARE, Record, require
from nmt.storage import Storage
from ray_jobs.cluster import on_worker
from ray_jobs.session import Session


def run(session: Session) -> Record:
    """Make the base of a run, unless that is done.

    Raises:
        ModelError: the model or a language code does not fit.
        UnavailableError: a hub that cannot be reached.
    """
    session = session.on(BASE)
    require(session.storage, session.config.run, PREPARE)
    return session.do(BASE, lambda: on_worker(session, make_base))


def make_base(config: Config, storage: Storage) -> dict[str, Any]:
    """On a worker: train a tiny base, or check that a named one is there and fits."""
    from nmt.models.load import license_of
    from nmt.training.base import check_base, train_tiny_base
    from nmt.training.job import best_path

    model = config.model
    about: dict[str, Any] = {"license": license_of(model.name_or_path)}
    if not model.is_tiny:
        check_base(config)
        return about | {"output": digest_of([model.name_or_path, model.revision])}
    outcome = train_tiny_base(config, storage)
    files = storage.manifest(best_path(BASE.path(config.run)))["files"]
    return about | {"output": digest_of(files), "validation_bleu": outcome.state.best_bleu}


if __name__ == "__main__":
    from ray_jobs.entry import main

    main("base")
