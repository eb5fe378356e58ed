"""Let an endpoint serve the engine of a run."""

import logging

from nmt.steps import EXPORT, require
from nmt.traffic import Traffic, promote
from ray_jobs.session import Session

log = logging.getLogger(__name__)


def run(session: Session) -> Traffic:
    """Write the pointer; running replicas follow it within `serving.poll_seconds`.

    Raises:
        MissingStepError: the run is not exported.
    """
    name, run_name = session.config.serving.name, session.config.run
    digest = require(session.storage, run_name, EXPORT).output
    traffic = promote(session.storage, name, digest)
    log.info("endpoint '%s' serves engine %s of run %s", name, digest, run_name)
    return traffic


if __name__ == "__main__":
    from ray_jobs.entry import main

    main("promote")
