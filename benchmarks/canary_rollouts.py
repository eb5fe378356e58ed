"""Rollouts whose pairs have been drawn, with the evidence after every pair, for `canary.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nmt.config import RolloutConfig
from nmt.rollout import Counts, SignalRule, Situation, decide
from nmt.rollout.evidence import BETS, RATE_RATIOS

SETTINGS = RolloutConfig(seconds_per_step=0, seconds_before_all=0)
NOT_COUNTED = 2
"""Sign of a pair that a signal does not apply to."""
Signs = NDArray[np.int8]
Values = NDArray[np.float64]
Rows = NDArray[np.intp]

_STEP_AT = (500, 1500)
"""Pairs at which the share of the canary grows, to 10 and 50 %."""
_REQUESTS_PER_PAIR, _PAIRS_PER_VOTE, _REPLICAS = 20, 20, 4
_ERRORS, _CORRECTIONS = 0.002, 0.01
"""Share of the requests of both engines."""
_Z = 1.645


@dataclass(frozen=True)
class End:
    """How a rollout ended."""

    rolled_back_at: int | None
    """Number of pairs; None: it was not."""
    paused_at: int | None
    advanced_at: int | None
    z_rolled_back: bool
    """Whether a z-test of three flags, looked at every 100 pairs, would have ended it."""


class Rollout:
    """One rollout whose pairs have been drawn."""

    def __init__(
        self,
        signs: Mapping[str, Signs],
        rules: Mapping[str, SignalRule],
        random: np.random.Generator,
        swing: Values,
    ) -> None:
        """Add times and events of two equal engines to the signs of the pairs.

        Args:
            signs: signal -> sign of each pair, in order.
            rules: of the rollout.
            random: draws times and events.
            swing: how many times the usual number of events there is at each pair.
        """
        self.rules = rules
        self.size = len(swing)
        self.signs = {**signs, **_votes(self.size, random)}
        self.events = {
            "errors": _events(_ERRORS * swing, random),
            "corrections": _events(_CORRECTIONS * swing, random),
        }

    def run(self) -> End:
        """Look after every pair after which evidence can have risen; of an advance, every tenth."""
        needed = -np.log(SETTINGS.harm_error_rate)
        rows = self._rising_rows()
        harm = self._harm(rows)
        rolled_back = _first(harm >= needed, rows)
        self._check(dict(zip((rows + 1).tolist(), harm.tolist(), strict=True)), rolled_back)
        tail_rows = np.flatnonzero(self.signs["tail"] == 1)
        tail = self._flag("tail", self.rules["tail"].tolerance, tail_rows)
        tenths = np.arange(SETTINGS.min_pairs - 1, self.size, 10)
        safety = np.min(
            [
                self._flag(name, rule.margin, tenths, -1)
                for name, rule in self.rules.items()
                if rule.margin is not None
            ],
            axis=0,
        )
        return End(
            rolled_back,
            _first(tail >= needed, tail_rows),
            _first(safety >= needed, tenths),
            self._z_test(),
        )

    def _rising_rows(self) -> Rows:
        """Find the pairs with something against the canary, which alone raise evidence of harm."""
        rises = np.zeros(self.size, bool)
        for name, rule in self.rules.items():
            if rule.weight > 0:
                rises |= self.events[name][0] > 0 if rule.kind == "event" else self.signs[name] == 1
        rises[-1] = True
        return np.flatnonzero(rises)

    def _harm(self, rows: Rows) -> Values:
        """Compute the logarithm of the evidence of all signals after some pairs."""
        parts = [
            np.log(rule.weight)
            + (
                self._excess(name, rule.tolerance, rows)
                if rule.kind == "event"
                else self._flag(name, rule.tolerance, rows)
            )
            for name, rule in self.rules.items()
            if rule.weight > 0
        ]
        return np.logaddexp.reduce(parts, axis=0)

    def _flag(self, name: str, limit: float, rows: Rows, sign: int = 1) -> Values:
        """Compute the logarithm of a signal's evidence after some pairs."""
        outcomes = np.array([1, 0, -1])
        seen = np.cumsum(self.signs[name][:, None] == outcomes, axis=0)[rows]
        gains = np.log1p(np.outer(sign * (outcomes - limit), BETS))
        return _log_mean_exp(seen.astype(np.float64) @ gains)

    def _excess(self, name: str, ratio: float, rows: Rows) -> Values:
        canary, stable = self.events[name]
        logs = np.zeros((len(rows), len(RATE_RATIOS)))
        for share, is_here in _shares(self.size):
            odds, ratios = ratio * share / (1 - share), np.array(RATE_RATIOS)
            none = np.log1p(ratios * odds) - np.log1p(odds)
            seen = [np.cumsum(each * is_here)[rows][:, None] for each in (canary, stable)]
            logs += seen[0] * (np.log(ratios) - none) - seen[1] * none
        return _log_mean_exp(logs)

    def _check(self, harm: dict[int, float], rolled_back: int | None) -> None:
        """Ask the decision itself at the pair that ends the rollout, before it, and at the end."""
        looks = {self.size} | ({rolled_back, rolled_back - 1} if rolled_back else set())
        needed = -np.log(SETTINGS.harm_error_rate)
        for pairs in looks - {0}:
            decision = decide(self._situation(pairs), self.rules, SETTINGS)
            expected = harm.get(pairs, decision.log_harm)
            if abs(decision.log_harm - expected) > 1e-6 * max(1, abs(expected)):
                raise AssertionError(f"{decision.log_harm} is not {expected} after {pairs} pairs")
            is_over = pairs == rolled_back or (pairs == self.size and expected >= needed)
            if (decision.answer == "rollback") != is_over:
                raise AssertionError(f"{decision.answer} after {pairs} pairs")

    def _situation(self, pairs: int) -> Situation:
        edges = [0, *(min(each, pairs) for each in _STEP_AT), pairs]
        tally: dict[str, dict[int, Counts]] = {}
        for step, (begin, end) in enumerate(pairwise(edges)):
            for name, found in self.signs.items():
                part = found[begin:end]
                plus, zero, minus = (int(np.sum(part == value)) for value in (1, 0, -1))
                tally.setdefault(name, {})[step] = Counts(plus, zero, minus)
            for name, (canary, stable) in self.events.items():
                counts = int(canary[begin:end].sum()), int(stable[begin:end].sum())
                tally.setdefault(name, {})[step] = Counts(0, 0, 0, *counts)
        return Situation(tally, step=2, seconds_at_step=1e9)

    def _z_test(self) -> bool:
        looks = np.arange(99, self.size, 100)
        for name in ("broken", "short", "num"):
            counted = np.where(self.signs[name] == NOT_COUNTED, 0, self.signs[name]).astype(float)
            total, squares = np.cumsum(counted)[looks], np.cumsum(counted**2)[looks]
            if np.any(total > _Z * np.sqrt(np.maximum(squares, 1))):
                return True
        return False


def _log_mean_exp(logs: Values) -> Values:
    """Average numbers whose logarithms are given, over the last axis."""
    top = logs.max(axis=-1)
    return top + np.log(np.mean(np.exp(logs - top[..., None]), axis=-1))


def _first(condition: NDArray[np.bool_], rows: Rows) -> int | None:
    """Return the number of pairs after which a condition holds for the first time."""
    return int(rows[np.argmax(condition)]) + 1 if condition.any() else None


def _shares(size: int) -> list[tuple[float, NDArray[np.bool_]]]:
    """List the shares of the canary, each with where it holds."""
    pairs = np.arange(size)
    steps = np.searchsorted(_STEP_AT, pairs, side="right")
    return [(share, steps == step) for step, share in enumerate((0.01, 0.1, 0.5))]


def _events(rates: Values, random: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
    """Draw the events of both engines' clients between two pairs."""
    share = np.select([is_here for _, is_here in _shares(len(rates))], [0.01, 0.1, 0.5])
    return tuple(random.poisson(_REQUESTS_PER_PAIR * rates * each) for each in (share, 1 - share))


def _votes(size: int, random: np.random.Generator) -> dict[str, Signs]:
    """Draw the votes of replicas on the times of equal engines, which have slow spells."""
    votes = {name: np.full(size, NOT_COUNTED, np.int8) for name in ("latency_1.1", "latency_1.3")}
    replicas = random.integers(_REPLICAS, size=size)
    for replica in range(_REPLICAS):
        own = np.flatnonzero(replicas == replica)
        spells = np.repeat(random.random(len(own) // 50 + 1) < 0.1, 50)[: len(own)]
        arms = np.repeat(random.choice([-1, 1], len(own) // 50 + 1), 50)[: len(own)]
        ratios = random.normal(0, 0.3, len(own)) + spells * arms * np.log(2)
        full = len(own) // _PAIRS_PER_VOTE * _PAIRS_PER_VOTE
        middles = np.median(ratios[:full].reshape(-1, _PAIRS_PER_VOTE), axis=1)
        at = own[_PAIRS_PER_VOTE - 1 : full : _PAIRS_PER_VOTE]
        for name, limit in (("latency_1.1", 1.1), ("latency_1.3", 1.3)):
            votes[name][at] = np.where(middles > np.log(limit), 1, -1)
    return votes
