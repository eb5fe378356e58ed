"""Decide whether the engine of a run may replace the one that serves."""

import logging
from dataclasses import replace

from nmt.config import Config
from nmt.errors import InputError
from nmt.evaluation.gate.ledger import settle_by_people
from nmt.evaluation.gate.opponent import find_opponent
from nmt.provenance.signing import usable_private_key
from nmt.ratings.design import Design
from nmt.ratings.gate import ask_people, has_translations, with_answer
from nmt.report.gate import gate_lines
from nmt.runs import layout
from nmt.runs.gate import GateResult
from nmt.runs.records import RECORD, Record, find_record, require, result_of
from nmt.runs.running import StepOutput, lock_step
from nmt.runs.steps import EVALUATE, GATE
from nmt.storage import Storage
from nmt.traffic import stable_engine
from ray_jobs import provenance
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session
from ray_jobs.runtime.written_summary import add_decision

log = logging.getLogger(__name__)


def run(session: Session) -> Record:
    """Judge the engine of a run, unless that is done; log each rule and the answer.

    Raises:
        MissingStepError: the run is not evaluated.
        InputError: the engine already serves, or no test set can decide.
        ConfigError: the private key cannot be used.
    """
    session = session.with_inherited(GATE)
    storage, run_name = session.storage, session.config.run
    private_key = usable_private_key(session.config)
    require(storage, run_name, EVALUATE)

    def work() -> StepOutput[GateResult]:
        find_opponent(session.config, storage)  # raises before a cluster is started
        return StepOutput(on_worker(session, judge_on_worker, user_set=session.user_set))

    # A restart judges again, and keeps the earlier answer until then.
    again = session.restart
    record = session.run_step(
        GATE, work, is_intact=lambda found: not again and _is_current(session, found)
    )
    record = _with_people(session, record)
    if private_key:
        provenance.sign_again(session, private_key)
    result = result_of(storage, run_name, GATE, record)
    for line in gate_lines(result):
        log.info("gate: %s", line)
    # The summary was written before the gate had judged the engine.
    add_decision(storage, run_name, result)
    return record


def _with_people(session: Session, record: Record) -> Record:
    """Let people decide what the rules left open, and record what they have said so far."""
    storage, config = session.storage, session.config
    result = result_of(storage, config.run, GATE, record)
    if not result.is_for_people:
        return record
    try:
        design = ask_people(storage, config.run, result, config.campaign.raters, config.seed)
    except InputError as error:
        log.warning("gate: people cannot decide: %s", error)
        return record
    answered = with_answer(storage, config.run, result)
    if answered.verdict != result.verdict or (answered.people and answered.people.ratings):
        # Before the record, so that a call that is killed in between does it again.
        settle_by_people(storage, answered)
    if answered != result:
        with lock_step(storage, config.run, GATE):
            # Another call may have decided meanwhile.
            if find_record(storage, config.run, GATE) == record:
                record = replace(record, result=answered.as_json())
                RECORD.write(storage, layout.step_record(config.run, GATE), record)
    if answered.verdict == "undecided" and answered.people and answered.people.looks_left:
        log.info("gate: %s", _next_batch(config.run, design))
    return record


def _next_batch(run: str, design: Design) -> str:
    return (
        f"people can decide: `nmt ratings sheet run={run} --name {design.study} --output sheets` "
        f"writes the next {design.rows} sentences for them, `nmt ratings import sheets/FILE ... "
        f"run={run}` takes their ratings, and `nmt gate run={run}` decides again"
    )


def _is_current(session: Session, record: Record) -> bool:
    """Tell whether the engine was compared with the one that serves, or serves itself since."""
    storage, run_name = session.storage, session.config.run
    found = result_of(storage, run_name, GATE, record)
    evaluated = result_of(storage, run_name, EVALUATE, require(storage, run_name, EVALUATE))
    for each in found.sets:
        # A set that only the gate was given is not among them.
        known = evaluated.test_sets.get(each.name)
        # The file of a set may have another text than it had.
        if known and known.digest != each.digest:
            log.info("gate: the text of %s has changed: it is done again", each.name)
            return False
    # Those of the baseline are written by the gate alone, and an evaluation that is given again
    # with --restart deletes them.
    if found.is_for_people and not has_translations(storage, run_name, found):
        log.info("gate: translations that people rate are missing or damaged: it is done again")
        return False
    serving = stable_engine(storage, session.config.serving.name, found.route)
    return serving in (found.baseline, found.engine)


def judge_on_worker(
    config: Config, storage: Storage, user_set: frozenset[str] = frozenset()
) -> GateResult:
    """Judge the engine of a run, on a worker."""
    from nmt.evaluation.gate.run import judge_run  # torch follows, which the driver does not need

    return judge_run(config, storage, user_set)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("gate")
