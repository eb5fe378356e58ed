"""The base model of a run: checked, or, for `tiny`, built and trained."""

from nmt.config import Config
from nmt.errors import PreemptedError
from nmt.runs import layout
from nmt.runs.records import Record, is_intact, require
from nmt.runs.results import BaseResult
from nmt.runs.running import StepOutput
from nmt.runs.steps import BASE, PREPARE
from nmt.storage import Storage
from ray_jobs.prepare import check_split
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session


def run(session: Session, *, thorough: bool = True) -> Record:
    """Make the base of a run, unless that is done and undamaged.

    Args:
        session: of the command.
        thorough: read a large base through to see whether it is damaged; a worker that loads it
            does so too, and names the command that makes it again.

    Raises:
        DataError: there is nothing to choose the weights of a training by.
        ModelError: the model or a language code does not fit.
        UnavailableError: a hub that cannot be reached.
    """
    session = session.with_inherited(BASE)
    run = session.config.run
    check_split(session.storage, run, require(session.storage, run, PREPARE), "validation")
    return session.run_step(
        BASE,
        lambda: on_worker(session, make_base),
        is_intact=lambda _: _is_intact(session, thorough=thorough),
        # What a name stands for may have changed since, and to look is quick.
        is_equal=lambda run, record: session.config.model.is_tiny,
    )


def _is_intact(session: Session, *, thorough: bool) -> bool:
    """Tell whether what the step has left, if anything, is as it was written."""
    storage, run = session.storage, session.config.run
    if session.config.model.is_tiny:
        return is_intact(storage, layout.trained_base(run))
    initial = layout.untrained_base(run)
    return not thorough or not storage.exists(initial) or is_intact(storage, initial)


def make_base(config: Config, storage: Storage) -> StepOutput[BaseResult]:
    """Train a tiny base, or check that a named one exists and fits, on a worker.

    Raises:
        PreemptedError: the worker was told to go before the training's end.
    """
    from nmt.models.license import license_of
    from nmt.training.base import made_base, prepare_base, train_tiny_base

    license_name, bleu = license_of(config.model.name_or_path), None
    if config.model.is_tiny:
        outcome = train_tiny_base(config, storage)
        if not outcome.finished:
            raise PreemptedError(
                f"base: told to stop at step {outcome.state.step}: the same command goes on from "
                "there"
            )
        source, bleu = made_base(config).resolve(storage), outcome.state.best_bleu
    else:
        source = prepare_base(config, storage)
    result = BaseResult(license=license_name, model=source.as_record(), validation_bleu=bleu)
    # By the digest of its files, later steps notice that a base has changed.
    return StepOutput(result, source.content.digest)


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("base")
