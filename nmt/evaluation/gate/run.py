"""The gate of a run: translate, score, count the use of the test sets, and decide."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from nmt.config import Config, digest_of
from nmt.data.test_sets import TestSet
from nmt.errors import InputError
from nmt.evaluation.engines import EngineSystem, find_engine
from nmt.evaluation.gate.decision import Decision, compared_sets, decide, findable_gain
from nmt.evaluation.gate.ledger import Reservation, SetUse, reserve, settle
from nmt.evaluation.gate.lengths import measure_lengths
from nmt.evaluation.gate.limits import Pair
from nmt.evaluation.gate.opponent import Opponent, find_opponent
from nmt.evaluation.system import System
from nmt.evaluation.test_sets import EvaluatedSet, TestSets, named_below
from nmt.evaluation.translations import Translations, Translators
from nmt.runs import layout
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    ENGINE_SYSTEM,
    METRIC_NAMES,
    STABLE_SYSTEM,
    EvaluationResult,
    TestSetInfo,
)
from nmt.runs.gate import GateResult, GateSet, LengthRatio
from nmt.scoring.result import join_sets
from nmt.scoring.score import ScoredSet, ScoreOptions, score_set
from nmt.scoring.stored import write_rows
from nmt.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Contest:
    """The two systems of a gate."""

    opponent: Opponent
    engine: EngineSystem
    baseline: System

    @property
    def pair(self) -> Pair:
        """Return the names of both in the result."""
        return Pair(ENGINE_SYSTEM, STABLE_SYSTEM if self.opponent.serving else BASE_SYSTEM)

    @property
    def systems(self) -> dict[str, System]:
        """Return both by name, the baseline first."""
        return {self.pair.baseline: self.baseline, self.pair.engine: self.engine}


def judge_run(config: Config, storage: Storage, user_set: Collection[str] = ()) -> GateResult:
    """Decide whether the engine of a run may replace the one that its endpoint serves.

    Args:
        config: all settings; those of the evaluation of the run are among them.
        storage: the storage root.
        user_set: dotted keys that this command names.

    Raises:
        InputError: the engine already serves, or no test set can decide.
        NmtError: a test set or a system cannot be used; raised before anything is translated.
    """
    contest = _find_contest(config, storage)
    sets = TestSets(config, storage)
    chosen = _choose(config, sets.read(named_below(user_set, "evaluation.sets")))
    usable, left_out = _usable(contest, chosen)
    translations = Translators(
        storage, config.run, contest.systems, config.campaign.reuse
    ).translate(usable)
    described = sets.describe(usable)
    _check_deciding(described)
    result = _score(config, storage, described, translations)
    lengths = _measure_lengths(contest, described, translations)
    decided = _decide(config, storage, contest, result, left_out)
    return decided.model_copy(update={"baseline_lengths": lengths})


def _find_contest(config: Config, storage: Storage) -> _Contest:
    opponent = find_opponent(config, storage)
    engine = find_engine(config, storage, opponent.engine)
    if opponent.serving:
        return _Contest(opponent, engine, find_engine(config, storage, opponent.serving))
    from nmt.evaluation.models import find_base  # imports torch

    log.info("gate: nothing serves %s yet: the engine is compared with its base", opponent.route)
    return _Contest(opponent, engine, find_base(config, storage))


def _choose(config: Config, found: Mapping[str, TestSet]) -> list[TestSet]:
    """Choose the test sets that the settings name.

    Raises:
        InputError: there is no such set.
    """
    named = {"gate.sets": config.gate.sets, "gate.largest_losses": config.gate.largest_losses}
    for key, names in named.items():
        if unknown := sorted(set(names) - found.keys()):
            raise InputError(
                f"{key} names {', '.join(unknown)}: run '{config.run}' has the test sets "
                f"{', '.join(found)}"
            )
    return [
        each for name, each in found.items() if not config.gate.sets or name in config.gate.sets
    ]


def _usable(contest: _Contest, chosen: Collection[TestSet]) -> tuple[list[TestSet], dict[str, str]]:
    """Leave out the sets that one of the systems cannot translate, and those of a single unit.

    Raises:
        InputError: none is left.
    """
    left_out: dict[str, str] = {}
    first: dict[str, str] = {}
    for test_set in chosen:
        # Counted twice, the same sentences would make a difference look surer than it is.
        if (same := first.setdefault(test_set.digest, test_set.name)) != test_set.name:
            left_out[test_set.name] = f"it has the same sentences as {same}"
        for name, system in contest.systems.items():
            if why := system.find_obstacle(test_set):
                left_out[test_set.name] = f"{name}: {why}"
        if len(set(test_set.documents or range(len(test_set)))) < 2:
            left_out[test_set.name] = "it has a single sentence or document"
    usable = [each for each in chosen if each.name not in left_out]
    if not usable:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise InputError(f"no test set can decide ({reasons}): name one by evaluation.sets")
    for name, why in left_out.items():
        log.warning("gate: %s is left out: %s", name, why)
    return usable, left_out


def _check_deciding(described: Mapping[str, EvaluatedSet]) -> None:
    if all(each.info.forgetting for each in described.values()):
        raise InputError(
            f"the test sets {', '.join(described)} only show forgetting: name one that shows "
            "what the engine is for, by evaluation.sets"
        )


def _score(
    config: Config,
    storage: Storage,
    described: Mapping[str, EvaluatedSet],
    translations: Translations,
) -> EvaluationResult:
    scored: dict[str, tuple[TestSetInfo, ScoredSet]] = {}
    for name, each in described.items():
        options = ScoreOptions(
            bootstrap_samples=config.evaluation.bootstrap_samples,
            seed=config.seed,
            overlapping=each.overlapping,
        )
        found = score_set(each.test_set, translations.outputs[name], options)
        # The scores of each sentence are what people's ratings are compared with.
        rows = found.rows.get(STABLE_SYSTEM)
        if rows:
            storage.write_bytes(
                layout.hypotheses(config.run, name, STABLE_SYSTEM), write_rows(rows)
            )
        scored[name] = each.info, found
    return join_sets(
        translations.systems, scored, costs=translations.costs,
        not_computed=translations.not_computed,
    )  # fmt: skip


def _measure_lengths(
    contest: _Contest, described: Mapping[str, EvaluatedSet], translations: Translations
) -> LengthRatio | None:
    """Measure how long the translations of the baseline are on the sets that decide."""
    baseline = contest.pair.baseline
    return measure_lengths(
        pair
        for name, each in described.items()
        if not each.info.forgetting
        for pair in zip(
            each.test_set.sources, translations.outputs[name][baseline].hypotheses, strict=True
        )
    )


def _decide(
    config: Config,
    storage: Storage,
    contest: _Contest,
    result: EvaluationResult,
    left_out: Mapping[str, str],
) -> GateResult:
    settings = config.gate
    digests = {name: info.digest for name, info in result.test_sets.items() if not info.forgetting}
    use = SetUse(
        engine=contest.engine.content(""),
        baseline=contest.baseline.content(""),
        # Each choice of sets gives the engine another chance to be accepted.
        rules=digest_of([settings.model_dump(mode="json"), sorted(digests.values())]),
        run=config.run,
        error_rate=settings.error_rate / settings.uses,
    )
    _log_prediction(config, result, contest.pair, use.error_rate)
    reservation = reserve(storage, digests, use, settings)
    decision = decide(result, settings, reservation.budget, contest.pair)
    settle(storage, list(digests.values()), reservation, decision.verdict)
    score = result.score(ENGINE_SYSTEM, next(iter(digests)), settings.metric)
    return GateResult(
        verdict=decision.verdict,
        reason=decision.reason,
        engine=contest.opponent.engine,
        baseline=contest.opponent.serving,
        endpoint=config.serving.name,
        route=contest.opponent.route,
        metric=settings.metric,
        signature=score.signature if score else "",
        goal=settings.goal,
        rules_digest=use.rules,
        error_rate=reservation.budget.error_rate,
        difference=decision.difference,
        standard_error=decision.standard_error,
        low=decision.low,
        high=decision.high,
        findable=decision.findable,
        rules=decision.rules,
        sets=_numbered(decision, reservation),
        left_out=dict(left_out),
        remarks=reservation.remarks,
    )


def _log_prediction(
    config: Config, result: EvaluationResult, pair: Pair, error_rate: float
) -> None:
    """Say which gain the sets can find, from what is known before the scores are compared."""
    metric = METRIC_NAMES[config.gate.metric]
    gain = findable_gain(compared_sets(result, config.gate.metric, pair), config.gate, error_rate)
    if gain is None:
        log.info("gate: which gain can be found cannot be predicted for documents")
        return
    names = ", ".join(name for name, info in result.test_sets.items() if not info.forgetting)
    log.info("gate: on %s, a true gain of %.2f %s is found in 80 %% of cases", names, gain, metric)


def _numbered(decision: Decision, reservation: Reservation) -> tuple[GateSet, ...]:
    """Add to each set the number of this use."""
    numbers = reservation.numbers
    return tuple(
        each.model_copy(update={"use": numbers.get(each.name, 0)}) for each in decision.sets
    )
