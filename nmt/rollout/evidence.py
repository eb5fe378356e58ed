"""Evidence from counts, which may be looked at as often as one likes.

An e-value is the wealth of a bettor who began with 1 and bets against a hypothesis, such as "the
canary has this fault in at most 0.5 % more of the outputs". If the hypothesis holds, the chance
that the wealth ever reaches 1/alpha is at most alpha, however often and whenever one looks. The
bets are a fixed mixture, so the wealth follows from sums of counts, which replicas add in any
order. All functions return natural logarithms, since the wealth itself overflows.

Source: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting",
https://doi.org/10.1093/jrsssb/qkad009
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BETS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Parts of the wealth that are put on each pair; a mixture of all of them is what is bet."""
_MOST_SHOWN = 1e6
RATE_RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0)
"""How many times more events than tolerated each bet on events expects."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What all replicas have seen of one signal, at one step or at several."""

    plus: int = 0
    """Pairs or votes against the canary."""
    zero: int = 0
    minus: int = 0
    """Pairs or votes against the stable engine."""
    events_canary: int = 0
    events_stable: int = 0

    @property
    def pairs(self) -> int:
        """Return the number of pairs or votes."""
        return self.plus + self.zero + self.minus

    def __add__(self, other: "Counts") -> "Counts":
        """Add the counts of other replicas or steps."""
        return Counts(
            self.plus + other.plus,
            self.zero + other.zero,
            self.minus + other.minus,
            self.events_canary + other.events_canary,
            self.events_stable + other.events_stable,
        )


def total(parts: Iterable[Counts]) -> Counts:
    """Add counts."""
    return sum(parts, Counts())


def log_harm(counts: Counts, tolerance: float) -> float:
    """Weigh the evidence that a fault is more frequent in the canary than is tolerated.

    Args:
        counts: over all steps.
        tolerance: largest mean of a pair (1 if only the canary has the fault, -1 if only the
            stable engine has it, else 0) that is tolerated.
    """
    return _log_mixture(
        (
            (counts.plus, 1 - tolerance),
            (counts.zero, -tolerance),
            (counts.minus, -1 - tolerance),
        )
    )


def log_safety(counts: Counts, margin: float) -> float:
    """Weigh the evidence that a fault is more frequent in the canary by less than a margin.

    Args:
        counts: over all steps.
        margin: mean of a pair that would be too much, as in `log_harm`.
    """
    return _log_mixture(
        ((counts.plus, margin - 1), (counts.zero, margin), (counts.minus, margin + 1))
    )


def log_excess(counts: Mapping[float, Counts], ratio: float) -> float:
    """Weigh the evidence that events happen more often to the canary's clients.

    An event is the canary's with a chance that follows from its share of the clients. Both engines
    see the same hours, so day and night do not matter.

    Args:
        counts: share of the clients that the canary answers, above 0 and below 1 -> events there.
        ratio: ratio of the rates of events that is tolerated.
    """
    return _log_mean_exp([_log_likelihood_ratio(counts, ratio, each) for each in RATE_RATIOS])


def log_average(weighted: Iterable[tuple[float, float]]) -> float:
    """Average e-values, which is an e-value too.

    Args:
        weighted: weights that were fixed beforehand and add up to 1, each with the logarithm of
            its e-value.
    """
    return _log_sum_exp([math.log(weight) + log_e for weight, log_e in weighted if weight > 0])


def e_value(log_e: float) -> str:
    """Write an e-value from its logarithm."""
    if log_e > math.log(_MOST_SHOWN):
        return "over a million"
    value = math.exp(log_e)
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _log_mixture(outcomes: Iterable[tuple[int, float]]) -> float:
    """Average the wealth of all bets; each outcome with its number and its gain for a bet of 1."""
    seen = [(number, gain) for number, gain in outcomes if number]
    return _log_mean_exp(
        [sum(number * math.log1p(bet * gain) for number, gain in seen) for bet in BETS]
    )


def _log_likelihood_ratio(
    counts: Mapping[float, Counts], tolerated: float, alternative: float
) -> float:
    log_ratio = 0.0
    for share, each in counts.items():
        # Odds of the canary among the events if it has `tolerated` times the rate of events, and
        # if it has `alternative` times as many as that.
        odds = tolerated * share / (1 - share)
        none = math.log1p(alternative * odds) - math.log1p(odds)
        log_ratio += each.events_canary * (math.log(alternative) - none)
        log_ratio -= each.events_stable * none
    return log_ratio


def _log_mean_exp(logs: list[float]) -> float:
    return _log_sum_exp(logs) - math.log(len(logs))


def _log_sum_exp(logs: list[float]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(each - top) for each in logs))
