"""The decision whether an engine may replace another one: a pure function of their scores."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nmt.config import GateConfig
from nmt.evaluation.gate.limits import Pair, limit_rules
from nmt.evaluation.gate.sets import ComparedSet, Pool, pool
from nmt.runs.evaluation import METRIC_NAMES, EvaluationResult
from nmt.runs.gate import GateRule, GateSet, GateVerdict, Outcome, explain_verdict
from nmt.scoring.significance.student_t import quantile

LEVEL = 0.05
"""Chance of an error of each rule but the gain, one-sided."""
_POWER = 0.8
_FEW_SENTENCES = 1000
_LOSS_OF_LARGE_SETS, _LOSS_OF_SMALL_SETS = 1.0, 1.5


@dataclass(frozen=True, slots=True)
class Budget:
    """What one use of the test sets may spend of their error rates."""

    error_rate: float
    """Chance to accept an engine that is not better, by this use alone."""
    used_up: Mapping[str, str] = field(default_factory=dict)
    """Test set that has no error rate left -> why, and what to do."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of the gate, with all its figures."""

    verdict: GateVerdict
    reason: str
    rules: tuple[GateRule, ...]
    sets: tuple[GateSet, ...]
    difference: float
    standard_error: float
    low: float
    high: float
    findable: float | None


def decide(result: EvaluationResult, settings: GateConfig, budget: Budget, pair: Pair) -> Decision:
    """Decide whether an engine may replace the baseline.

    Args:
        result: scores and comparisons of both systems on all sets of the gate.
        settings: the rules.
        budget: the error rate of this use, and the sets that have none left.
        pair: names of the engine and the baseline in the result.

    Returns:
        `reject` if a rule failed, `accept` if all rules passed, else `undecided`.

    Raises:
        ValueError: no set decides, or the systems are not compared in the metric.

    Source: the statistics of `nmt.scoring.significance`; least gains by Kocmi et al. 2024,
    https://arxiv.org/abs/2401.06760
    """
    sets = compared_sets(result, settings.metric, pair)
    deciding = [each for each in sets if not each.info.forgetting]
    if not deciding:
        raise ValueError("no test set decides: all of them only show forgetting")
    pooled = pool(deciding)
    rules = [
        _gain_rule(pooled, settings, budget),
        *(_loss_rule(each, settings) for each in sets),
        *_bleu_rule(result, deciding, settings, pair),
        *limit_rules(result, settings, pair, [each.name for each in sets]),
        *(_budget_rule(each.name, budget) for each in deciding),
    ]
    verdict = _verdict(rules)
    return Decision(
        verdict=verdict,
        reason=explain_verdict(verdict, rules),
        rules=tuple(rules),
        sets=tuple(each.row() for each in sets),
        difference=pooled.difference,
        standard_error=pooled.standard_error,
        low=pooled.bound(budget.error_rate, -1),
        high=pooled.bound(LEVEL, +1),
        findable=findable_gain(sets, settings, budget.error_rate),
    )


def compared_sets(result: EvaluationResult, metric: str, pair: Pair) -> list[ComparedSet]:
    """List the test sets on which both systems are compared.

    Raises:
        ValueError: on one of them they are not.
    """
    found: list[ComparedSet] = []
    for name, info in result.test_sets.items():
        compared = result.comparison(pair.engine, name, metric=metric, baseline=pair.baseline)
        if compared is None:
            raise ValueError(f"the systems are not compared in {metric} on {name}")
        found.append(ComparedSet(name, info, compared))
    return found


def findable_gain(
    sets: Sequence[ComparedSet], settings: GateConfig, error_rate: float
) -> float | None:
    """Predict the true gain that is accepted in 80 % of cases, before the scores are compared.

    Returns:
        The gain in points of the metric; None where it cannot be predicted, as for documents.
    """
    sets = [each for each in sets if not each.info.forgetting]
    errors = [each.predicted_error for each in sets]
    known = [error for error in errors if error]
    if len(known) < len(errors) or not known:
        return None
    error = sum(each**-2 for each in known) ** -0.5
    degrees = sum(each.degrees for each in sets)
    # The estimate must reach the least gain, and its lower bound must be above 0.
    if settings.goal == "better":
        needed = max(settings.least_gain, quantile(1 - error_rate, degrees) * error)
    else:
        needed = quantile(1 - error_rate, degrees) * error
    return needed + quantile(_POWER, degrees) * error


def largest_loss(name: str, sentences: int, settings: GateConfig) -> float:
    """Return the largest loss that a test set may show, in points of the metric."""
    default = _LOSS_OF_LARGE_SETS if sentences >= _FEW_SENTENCES else _LOSS_OF_SMALL_SETS
    return settings.largest_losses.get(name, settings.largest_loss or default)


def _gain_rule(pooled: Pool, settings: GateConfig, budget: Budget) -> GateRule:
    metric = METRIC_NAMES[settings.metric]
    low, high = pooled.bound(budget.error_rate, -1), pooled.bound(LEVEL, +1)
    figures = f"{pooled.difference:+.2f} {metric}, between {low:+.2f} and {high:+.2f}"
    if settings.goal == "as_good":
        limit = -largest_loss("", pooled.sentences, settings)
        outcome = _outcome(pooled.is_equal or low > limit, high < limit)
        return GateRule(
            name="difference", outcome=outcome, figure=pooled.difference, limit=limit,
            text=f"{figures}; the lower bound must be above {limit:+.2f}",
        )  # fmt: skip
    limit = settings.least_gain
    text = f"{figures}; at least {limit:+.2f} is wanted, and a lower bound above 0"
    if pooled.is_equal:
        text = "no difference: both engines translate all sentences alike"
    outcome = _outcome(low > 0 and pooled.difference >= limit, high < limit or pooled.is_equal)
    return GateRule(name="gain", outcome=outcome, figure=pooled.difference, limit=limit, text=text)


def _loss_rule(compared: ComparedSet, settings: GateConfig) -> GateRule:
    """Check that a test set does not show a loss beyond its limit."""
    limit = -largest_loss(compared.name, compared.info.sentences, settings)
    low, high = compared.bound(LEVEL, -1), compared.bound(LEVEL, +1)
    outcome = _outcome(low > limit, high < limit)
    if compared.is_equal:
        outcome = "passed"
    shows = {
        "passed": "is shown to be no worse than the limit",
        "failed": "is shown to be worse than the limit",
        "open": "may be worse than the limit",
    }[outcome]
    return GateRule(
        name="forgetting" if compared.info.forgetting else "loss",
        test_set=compared.name,
        outcome=outcome,
        figure=compared.comparison.difference,
        limit=limit,
        text=f"{compared.comparison.difference:+.2f}, between {low:+.2f} and {high:+.2f}: it "
        f"{shows} of {limit:+.2f}",
    )


def _bleu_rule(
    result: EvaluationResult, deciding: Sequence[ComparedSet], settings: GateConfig, pair: Pair
) -> Iterator[GateRule]:
    """Reject an engine whose BLEU is shown to be too low, if another metric decides."""
    if settings.metric == "bleu":
        return
    names = {each.name for each in deciding}
    pooled = pool([each for each in compared_sets(result, "bleu", pair) if each.name in names])
    high = pooled.bound(LEVEL, +1)
    as_good = settings.goal == "as_good"
    limit = -largest_loss("", pooled.sentences, settings) if as_good else 0.0
    wanted = f"be shown to be below {limit:+.2f}" if as_good else "be shown to be lower"
    yield GateRule(
        name="BLEU",
        outcome="failed" if high < limit else "passed",
        figure=pooled.difference,
        limit=limit,
        text=f"{pooled.difference:+.2f}, at most {high:+.2f}; it must not {wanted}",
    )


def _budget_rule(name: str, budget: Budget) -> GateRule:
    why = budget.used_up.get(name)
    return GateRule(
        name="error rate",
        test_set=name,
        outcome="open" if why else "passed",
        figure=budget.error_rate,
        text=why or f"this use spends {budget.error_rate:.2%}",
    )


def _outcome(passed: bool, failed: bool) -> Outcome:
    return "failed" if failed else "passed" if passed else "open"


def _verdict(rules: Sequence[GateRule]) -> GateVerdict:
    outcomes = {rule.outcome for rule in rules}
    if "failed" in outcomes:
        return "reject"
    return "undecided" if "open" in outcomes else "accept"
