"""Score the base and the adapter of a run on its test split."""

from typing import Any

from nmt.config import Config
from nmt.steps import EVALUATE, TRAIN, Record, require
from nmt.storage import Storage
from ray_jobs.cluster import on_worker
from ray_jobs.session import Session


def run(session: Session) -> Record:
    """Evaluate a run, unless that is done; writes `evaluation.json`.

    Raises:
        MissingStepError: the run is not trained.
    """
    session = session.on(EVALUATE)
    run_name = session.config.run
    require(session.storage, run_name, TRAIN)

    def work() -> dict[str, Any]:
        scores = on_worker(session, evaluate_on_worker)
        session.storage.write_json(f"{EVALUATE.path(run_name)}/evaluation.json", scores)
        return scores

    return session.do(EVALUATE, work)


def evaluate_on_worker(config: Config, storage: Storage) -> dict[str, Any]:
    """On a worker, where the heavy imports belong."""
    from nmt.evaluation.evaluate import evaluate

    return evaluate(config, storage)


if __name__ == "__main__":
    from ray_jobs.entry import main

    main("evaluate")
