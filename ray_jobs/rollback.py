"""Let an endpoint end its canary or shadow, or serve the engine it served before."""

import logging

from nmt.traffic import Rollback, rollback
from nmt.traffic.display import rollback_text
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session, route: str | None = None) -> Rollback:
    """Write the traffic file; running replicas follow it within `serving.poll_seconds`.

    Args:
        session: names the endpoint.
        route: key of the route; None: that of requests that name no language.

    Raises:
        InputError: there is no such route, or no earlier engine.
    """
    name = session.config.serving.name
    done = rollback(session.storage, name, route=route)
    log.info("%s", rollback_text(name, done))
    return done


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("rollback")
