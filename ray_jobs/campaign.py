"""All steps of a run with a search over methods, and the decision whether its engine may serve."""

import logging
from collections.abc import Iterator
from dataclasses import replace

from nmt.cli.traffic_options import PromotionOptions
from nmt.config import LoadedConfig, ServingConfig
from nmt.ratings.gate import study_name
from nmt.runs import layout
from nmt.runs.campaign import with_campaign_defaults
from nmt.runs.gate import GateResult
from nmt.runs.records import result_of
from nmt.runs.steps import GATE, campaign_steps
from ray_jobs import gate, promote
from ray_jobs.pipeline import nmt_command, run_steps, storage_word
from ray_jobs.runtime.context import Session

log = logging.getLogger(__name__)


def run(session: Session) -> GateResult:
    """Do what is not done yet of a campaign; promote an accepted engine if that is asked for.

    Raises:
        NmtError: of the step that failed; the steps before it stay done.
    """
    session = with_defaults(session)
    config, storage = session.config, session.storage
    # The gate comes last, so that a summary is written also where it refuses to decide.
    run_steps(session, [each for each in campaign_steps(config) if each is not GATE])
    result = result_of(storage, config.run, GATE, gate.run(session.without_restart()))
    if result.verdict == "accept" and config.campaign.promote:
        promote.run(session, PromotionOptions(domain=config.gate.domain))
    for line in ["", *_next_lines(session, result)]:
        log.info("%s", line)
    return result


def with_defaults(session: Session) -> Session:
    """Return the session with what a campaign does unless the user has set it."""
    loaded = with_campaign_defaults(LoadedConfig(session.config, session.user_set))
    return replace(session, config=loaded.config, user_set=loaded.user_set)


def _next_lines(session: Session, result: GateResult) -> Iterator[str]:
    """List what the user can do with the answer."""
    config = session.config
    nmt, place = nmt_command(), f"run={config.run}{storage_word(session)}"
    yield f"report      {session.storage.locate(layout.report(config.run))}"
    yield f"answer      {result.verdict}: {result.reason}"
    if result.verdict == "accept" and not config.campaign.promote:
        yield from _promotion_lines(session)
    elif result.verdict == "reject":
        yield "next        train with other settings or data under another run=NAME"
    elif result.is_for_people and result.people and result.people.looks_left:
        yield f"next        {nmt} ratings sheet {place} --name {study_name(result)} --output sheets"


def _promotion_lines(session: Session) -> Iterator[str]:
    """List the commands that let the engine serve the route for which the gate judged it."""
    config, nmt = session.config, nmt_command()
    run, domain = f" run={config.run}", config.gate.domain
    place = storage_word(session)
    if config.serving.name != ServingConfig().name:
        place += f" serving.name={config.serving.name}"
    yield f"promote it  {nmt} promote{run}{place}{f' --domain {domain}' if domain else ''}"
    # With its run, an endpoint would serve it to requests without the domain.
    yield f"serve it    {nmt} serve{'' if domain else run}{place}"


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("campaign")
