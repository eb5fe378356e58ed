"""Score the base and the adapter of a run on its test split."""

from typing import Any

from nmt.config import Config
from nmt.steps import EVALUATE, TRAIN, Record, require, run_step
from nmt.storage import Storage
from ray_jobs.cluster import connect, on_worker
from ray_jobs.session import Session


def run(session: Session) -> Record:
    """Evaluate a run, unless that is done; writes `evaluation.json`.

    Raises:
        MissingStepError: the run is not trained.
    """
    session = session.on(EVALUATE)
    config, storage = session.config, session.storage
    require(storage, config.run, TRAIN)

    def work() -> dict[str, Any]:
        with connect(config):
            scores = on_worker(config, evaluate_on_worker, storage=storage)
        storage.write_json(f"{EVALUATE.path(config.run)}/evaluation.json", scores)
        return scores

    record, did_work = run_step(storage, config, EVALUATE, work, restart=session.restart)
    session.announce(EVALUATE, record, did_work)
    return record


def evaluate_on_worker(config: Config, storage: Storage) -> dict[str, Any]:
    """On a worker, where the heavy imports belong."""
    from nmt.evaluation.evaluate import evaluate

    return evaluate(config, storage)


if __name__ == "__main__":
    from ray_jobs.entry import main

    main("evaluate")
