"""Population based training: at each exchange, weak trials become copies of strong ones.

Ray Tune's own scheduler draws from the process's random numbers, compares whatever has been
reported so far, and keeps its state in memory: a search that was killed could not go on as it would
have. Here everything follows from the records of the trials: who is replaced by whom, and each new
learning rate. Sizes and factors are those of Ray Tune.

A copy's settings name each change of the learning rate with its step. They describe a whole
training, which ends with the same weights from step 0 as from the checkpoint of the trial that was
copied. Other settings never change, since the weights depend on them: an adapter keeps its rank.

Source: Jaderberg et al. 2017, https://arxiv.org/abs/1711.09846
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nmt.config import Choice, Config, SearchRange, digest_of
from nmt.runs.trials import FAILED, UNFINISHED, Trial
from nmt.runs.tuning import TrialSettings
from nmt.runs.validation_scores import gain_of
from ray_jobs.search.methods import method_of
from ray_jobs.search.trials import TrialLog, last_step_of

RATE, CHANGES = "training.learning_rate", "training.learning_rate_changes."
_SHARE = 4
"""One in so many trials of a method is replaced, and as many are copied; at least one."""
_FACTORS = (0.8, 1.2)
_RESAMPLED = 0.25
"""Chance that a new rate is drawn from the whole range."""
_DRAWS = 100


@dataclass(frozen=True, slots=True)
class Round:
    """What has to be trained before the next exchange, or before the end."""

    until: int
    """Step at which its trials wait."""
    members: tuple[TrialSettings, ...]
    """All trials of the population."""
    missing: tuple[TrialSettings, ...]
    """Those that have not reached the step. Copies come first, before what they copy is deleted."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a copy left the trial that it was copied from."""

    settings: TrialSettings
    """Of the trial that was copied."""
    step: int


def branch_of(settings: TrialSettings) -> Branch | None:
    """Tell where a trial branches off another; None for one that begins at step 0."""
    steps = [int(key.removeprefix(CHANGES)) for key in settings if key.startswith(CHANGES)]
    if not steps:
        return None
    last = f"{CHANGES}{max(steps)}"
    return Branch({k: v for k, v in settings.items() if k != last}, max(steps))


def next_round(config: Config, first: Sequence[TrialSettings], trials: TrialLog) -> Round | None:
    """Tell what a population has to train next, from its first settings and all records.

    Returns:
        None where it has come to its end.
    """
    known = {digest_of(trial.config): trial for trial in trials.in_order()}
    over = {
        digest_of(trial.config)
        for trial in trials.ended()
        if trial.score is None or trial.state == FAILED
    }
    members, step, last = list(first), 0, last_step_of(config)
    while step < last:
        if step:
            members = exchange(config, members, known, step)
        step = min(step + config.tune.grace_steps, last)
        missing = [
            each
            for each in members
            if (digest := digest_of(each)) not in over
            and not _has_reached(known.get(digest), step, last)
        ]
        if missing:
            missing.sort(key=lambda each: branch_of(each) is None)
            return Round(step, tuple(members), tuple(missing))
    return None


def _has_reached(trial: Trial | None, step: int, last: int) -> bool:
    if trial is None or trial.steps < step:
        return False
    # One that was killed after its last score ends when it goes on.
    return step < last or trial.state not in UNFINISHED


def exchange(
    config: Config, members: Sequence[TrialSettings], known: Mapping[str, Trial], step: int
) -> list[TrialSettings]:
    """Replace the weakest trials of each method by copies of its best ones.

    Args:
        config: all settings.
        members: the settings of the population.
        known: digest of settings -> record of a trial.
        step: where their scores are compared. A trial without a score there is always replaced.

    Returns:
        The population after it. A place is left empty where no copy with another learning rate is
        possible.
    """
    after: list[TrialSettings] = []
    for method, space in config.search_spaces.items():
        mine = [each for each in members if method_of(config, each) == method]
        gains = {digest_of(each): _gain_at(known.get(digest_of(each)), step) for each in mine}
        scored = [each for each in mine if gains[digest_of(each)] is not None]
        # Of equal ones the first, whichever call reads the records.
        scored.sort(key=lambda each: -(gains[digest_of(each)] or 0.0))
        count = min(max(1, len(mine) // _SHARE), len(scored) // 2)
        best, weakest = scored[: max(count, 1)], scored[len(scored) - count :]
        kept = [each for each in mine if each in scored and each not in weakest]
        draws = random.Random(f"{config.seed} {method} {step}")
        taken = [*mine]
        for _ in range(len(mine) - len(kept)) if best else ():
            copied = _copy(draws.choice(best), space[RATE], step, taken, draws)
            if copied is not None:
                taken.append(copied)
                kept.append(copied)
        after += kept
    return after


def _gain_at(trial: Trial | None, step: int) -> float | None:
    """Return a trial's last gain up to a step; None where it has no score."""
    if trial is None or trial.score is None:
        return None
    gains = [gain_of(trial.metric, p.score) for p in trial.curve if p.step <= step]
    return gains[-1] if gains and trial.steps >= step else None


def _copy(
    parent: TrialSettings,
    rates: SearchRange,
    step: int,
    taken: Sequence[TrialSettings],
    draws: random.Random,
) -> TrialSettings | None:
    """Copy a trial with another learning rate; None where no other is found."""
    branch = branch_of(parent)
    now = float(parent[f"{CHANGES}{branch.step}" if branch else RATE])
    for _ in range(_DRAWS):
        rate = _perturbed(now, rates, draws)
        copied: TrialSettings = {**parent, f"{CHANGES}{step}": rate}
        if rate != now and copied not in taken:
            return copied
    return None


def _perturbed(now: float, rates: SearchRange, draws: random.Random) -> float:
    """Draw a learning rate near another, or sometimes anywhere in the range."""
    resamples = draws.random() < _RESAMPLED
    if isinstance(rates, Choice):
        values = sorted(float(value) for value in rates.values)
        nearest = min(range(len(values)), key=lambda i: abs(values[i] - now))
        beside = min(max(nearest + draws.choice((-1, 1)), 0), len(values) - 1)
        return draws.choice(values) if resamples else values[beside]
    if not resamples:
        rate = now * draws.choice(_FACTORS)
    elif rates.type == "loguniform":
        rate = rates.low * (rates.high / rates.low) ** draws.random()
    else:
        rate = draws.uniform(rates.low, rates.high)
    return min(max(float(f"{rate:.4g}"), rates.low), rates.high)
