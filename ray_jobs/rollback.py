"""Let an endpoint serve the engine it served before."""

import logging

from nmt.traffic import Rollback, rollback
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session) -> Rollback:
    """Write the traffic file; running replicas follow it within `serving.poll_seconds`.

    Raises:
        InputError: there is no earlier engine.
    """
    name = session.config.serving.name
    done = rollback(session.storage, name)
    log.info("endpoint '%s' is back on engine %s", name, done.stable)
    return done


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("rollback")
