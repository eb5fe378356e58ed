"""Train the best settings of a run with other seeds, and the best ones of each other method."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nmt.config import SEEDS, Config, digest_of
from nmt.errors import DivergedError, InputError, InsufficientMemoryError, UnavailableError
from nmt.runs import layout
from nmt.runs.records import VARIANT, Record, is_intact, require, result_of, settings_of
from nmt.runs.results import TrainResult
from nmt.runs.running import StepOutput
from nmt.runs.steps import TRAIN, VARIANTS
from nmt.runs.variants import LeftOut, Variant, VariantsResult, spread_of
from nmt.storage import Storage
from ray_jobs.runtime.connection import connect
from ray_jobs.runtime.context import Session
from ray_jobs.search.best_trial import find_best_of_methods
from ray_jobs.train import fit
from ray_jobs.workers.attempt import TrainingPlace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WantedVariant:
    """A training beside the run's own, before it is done."""

    name: str
    kind: Literal["seed", "method"]
    config: Config
    start_from: str | None = None

    @property
    def folder(self) -> str:
        """Return its training folder, which only this training can have."""
        return layout.variant_folder(self.config.run, digest_of(settings_of(TRAIN, self.config)))


def run(session: Session) -> Record:
    """Train the variants of a run that are missing; log how they compare with its own training.

    Raises:
        MissingStepError: the run is not trained.
        TrainingError: the workers failed more often than `scaling.max_failures`.
    """
    session = session.with_inherited(VARIANTS)
    storage, run_name = session.storage, session.config.run
    own = result_of(storage, run_name, TRAIN, require(storage, run_name, TRAIN))
    wanted = list(wanted_variants(session, own))

    def work() -> StepOutput[VariantsResult]:
        left_out: list[LeftOut] = []
        done = tuple(_train_all(session, wanted, left_out))
        spread = spread_of(own, done)
        result = VariantsResult(
            metric=own.metric, variants=done, spread=spread, left_out=tuple(left_out)
        )
        return StepOutput(result, digest_of([each.weights for each in done]))

    def is_current(record: Record) -> bool:
        found = result_of(storage, run_name, VARIANTS, record)
        known = {each.folder for each in (*found.variants, *found.left_out)}
        given_up = {each.folder for each in found.left_out}
        return {each.folder for each in wanted} == known and all(
            each.folder in given_up or _find(storage, each) for each in wanted
        )

    record = session.run_step(VARIANTS, work, is_intact=is_current)
    log.info("variants: %s", result_of(storage, run_name, VARIANTS, record).headline())
    return record


def wanted_variants(session: Session, own: TrainResult) -> Iterator[WantedVariant]:
    """List the trainings that the settings ask for beside the run's own.

    Args:
        session: with the settings of the run's own training.
        own: the result of that training.
    """
    config = _as_own(session.config, own)
    for number in range(2, config.campaign.seeds + 1):
        seed = (config.seed + number - 1) % SEEDS
        yield WantedVariant(f"seed-{number}", "seed", config.with_overrides({"seed": seed}))
    if config.campaign.methods:
        for method, best in find_best_of_methods(session, config.adapter.type).items():
            name = "full" if method == "none" else method
            yield WantedVariant(name, "method", _as_own(best.config, own), best.checkpoints)


def _as_own(config: Config, own: TrainResult) -> Config:
    """Return settings that validate a variant on the sentences of the run's own training."""
    if not own.validation_sentences:  # in the record of an earlier release
        return config
    return config.with_overrides(
        {
            "training.validation_sentences": own.validation_sentences,
            "training.validation_share": None,
        }
    )


def _train_all(
    session: Session, wanted: list[WantedVariant], left_out: list[LeftOut]
) -> Iterator[Variant]:
    """Train the variants that are missing, and say why others cannot be trained."""
    for number, each in enumerate(wanted, 1):
        found = _find(session.storage, each)
        if found is None:
            log.info("variants: [%d/%d] %s", number, len(wanted), each.name)
            try:
                found = _train(session, each)
            except UnavailableError:  # it may answer the next call
                raise
            except (DivergedError, InsufficientMemoryError, InputError) as error:
                # The same would happen again, and the run's own training stands without it.
                log.warning("variants: %s is left out: %s", each.name, error)
                left_out.append(LeftOut(name=each.name, folder=each.folder, reason=str(error)))
                continue
        yield found


def _train(session: Session, wanted: WantedVariant) -> Variant:
    """Train a variant and record it."""
    storage, config = session.storage, wanted.config
    ray_files = layout.ray_files(config.run, VARIANTS)
    place = TrainingPlace(wanted.name, wanted.folder, ray_files, compares_with_base=False)
    with connect(config):
        trained = fit(session.with_config(config), place, wanted.start_from)
    files = storage.manifest(layout.published_weights(wanted.folder))["files"]
    variant = Variant(
        name=wanted.name,
        kind=wanted.kind,
        method=config.adapter.type,
        seed=config.seed,
        folder=wanted.folder,
        settings=_differing(session.config, config),
        trained=trained,
        weights=digest_of(files),
    )
    VARIANT.write(storage, layout.variant_record(wanted.folder), variant)
    return variant


def _find(storage: Storage, wanted: WantedVariant) -> Variant | None:
    """Find a variant that is trained and undamaged."""
    path, again = layout.variant_record(wanted.folder), "it is trained again"
    found = VARIANT.find_or_leave_out(storage, path, again, log.warning)
    if found is None or not is_intact(storage, layout.published_weights(wanted.folder)):
        return None
    return found


def _differing(own: Config, config: Config) -> dict[str, bool | int | float | str | None]:
    before, after = settings_of(TRAIN, own), settings_of(TRAIN, config)
    return {
        key: value
        for key, value in after.items()
        if before.get(key) != value and isinstance(value, bool | int | float | str | None)
    }


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("variants")
