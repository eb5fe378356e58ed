"""Let an endpoint serve the engine of a run, as the stable one, a canary or a shadow."""

import logging

from nmt.cli.traffic_options import PromotionOptions
from nmt.traffic import Traffic
from nmt.traffic.promotion import promote_run
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session, options: PromotionOptions | None = None) -> Traffic:
    """Write the traffic file; running replicas follow it within `serving.poll_seconds`.

    Args:
        session: names the run and the endpoint.
        options: which traffic the engine gets, and why if it is worse than its base.

    Raises:
        MissingStepError: the run is not exported.
        SignatureError: the endpoint has a public key, and its key has not signed the engine.
        WorseThanBaseError: its engine is significantly worse than its base, and is not forced.
    """
    serving, run_name = session.config.serving, session.config.run
    promoted = promote_run(
        session.storage,
        run_name,
        serving.name,
        options or PromotionOptions(),
        public_key=serving.public_key,
    )
    log.info("%s", promoted.text)
    if promoted.remark:
        log.warning("%s", promoted.remark)
    return promoted.traffic


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("promote")
