"""Roll out the engine of a run: start or go on, watch it to its end, or do what a person asks."""

import getpass
import logging
import time
from datetime import UTC, datetime

from nmt.cli.console import print_line
from nmt.cli.rollout_options import RolloutOptions
from nmt.errors import InputError, RolledBackError
from nmt.rollout import RolloutRecord, command, look, newest_rollout, start
from nmt.rollout.display import RolloutProgress, describe_state, rollout_text
from nmt.runs.records import require
from nmt.runs.steps import EXPORT
from nmt.traffic.promotion import route_of
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session, options: RolloutOptions | None = None) -> None:
    """Watch a rollout until it has ended; replicas follow the traffic file that it writes.

    Args:
        session: names the run and the endpoint, and has the settings of a new rollout.
        options: what to do instead of that.

    Raises:
        InputError: there is no rollout to show or change, or none can begin.
        RolledBackError: the rollout has ended without a promotion.
    """
    options = options or RolloutOptions()
    if options.status:
        print_line(rollout_text(_find(session), _now()))
    elif options.do:
        found = _find(session)
        record = command(
            session.storage, found.endpoint, found.id, options.do,
            by=_user(), reason=options.reason, now=_now(),
        )  # fmt: skip
        log.info("rollout %s: %s: %s", record.id, describe_state(record), record.reason)
    else:
        _watch(session, options.force)


def _watch(session: Session, force: str | None) -> None:
    config, storage = session.config, session.storage
    record = start(
        storage, config.serving.name, config.run, config.rollout,
        owner=f"rollout/{config.run}", by=_user(), reason=force or "", domain=config.gate.domain,
        keep_route=False, public_key=config.serving.public_key, now=_now(),
    )  # fmt: skip
    progress = RolloutProgress()
    try:
        while True:
            progress.show(record, _now())
            if not record.is_active:
                break
            time.sleep(config.serving.poll_seconds)
            record = look(storage, record.endpoint, record.id, _now())
    finally:
        progress.finish()
    if record.state != "promoted":
        raise RolledBackError(
            f"rollout {record.id}: {describe_state(record)}: {record.reason}; endpoint "
            f"'{record.endpoint}' stays on engine {record.stable}"
        )
    log.info("endpoint '%s' serves engine %s", record.endpoint, record.engine)


def _find(session: Session) -> RolloutRecord:
    """Find the latest rollout of the engine of a run.

    Raises:
        InputError: the latest rollout of the route is that of another engine, or there is none.
    """
    config, storage = session.config, session.storage
    engine = require(storage, config.run, EXPORT).output
    route, endpoint = route_of(storage, engine, config.gate.domain), config.serving.name
    found = newest_rollout(storage, endpoint, route)
    if found is None or found.engine != engine:
        other = f"; the latest one is of run '{found.run}'" if found else ""
        raise InputError(
            f"run '{config.run}' has no rollout on route {route} of endpoint '{endpoint}'{other}: "
            f"begin one with `nmt rollout run={config.run}`"
        )
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def _user() -> str:
    """Name who gives the command, for the record."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # In a container the user may have a number and no name.
        return "unknown"


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("rollout")
