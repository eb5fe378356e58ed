"""How the settings of one method are drawn, from what its trials have scored.

A search that was killed goes on as if it had not been: each draw depends on the seed, the number of
trials so far and their scores alone.
"""

import itertools
import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from nmt.config import Choice, SearchRange, digest_of
from nmt.config.sections.tune import SearchSpace
from nmt.runs.trials import Trial
from nmt.runs.tuning import Setting, TrialSettings

# So often, Optuna draws before the combinations that are left are listed: its draws are the better
# ones, and a space with a range cannot be listed.
_DRAWS = 100
_AT_RANDOM = 3
"""Scores before TPE looks at them. With Optuna's 10 no search of a few trials would."""
_SAYS_NOTHING = ("failed", "abandoned")
"""States of trials that say nothing of their settings unless they have a score."""


@dataclass
class MethodSampler:
    """The sampler of one method, which draws no settings twice: they would be the same training."""

    space: SearchSpace
    seed: int
    kind: str
    """A value of `tune.sampler`."""
    _drawn: dict[str, TrialSettings] = field(default_factory=dict)
    """Digest of settings -> settings, in the order of the draws."""
    _gains: dict[str, float | None] = field(default_factory=dict)
    """Digest -> best score of a trial that has ended; None: its settings do not work."""
    _others: dict[str, list[tuple[TrialSettings, float]]] = field(default_factory=dict)
    """Run -> what its search has found."""
    _waiting: list[TrialSettings] = field(default_factory=list)

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = {key: _distribution(each) for key, each in self.space.items()}

    @property
    def draws(self) -> int:
        """Return how many settings have been drawn, those of earlier calls included."""
        return len(self._drawn)

    @property
    def has_begun(self) -> bool:
        """Tell whether a trial of an earlier call is to be continued."""
        return bool(self._waiting)

    def remember(self, ended: Sequence[Trial], begun: Sequence[Trial]) -> None:
        """Take up the trials of earlier calls.

        Args:
            ended: those that are over.
            begun: those that are drawn again first, in the order of their draws.
        """
        # The sampler looks at the order of its trials.
        for trial in sorted([*ended, *begun], key=lambda each: each.number):
            self._drawn[digest_of(trial.config)] = trial.config
        for trial in ended:
            if trial.gain is not None or trial.state not in _SAYS_NOTHING:
                self._gains[digest_of(trial.config)] = trial.gain
        self._waiting = [trial.config for trial in begun]

    def learn_from(self, run: str, settings: TrialSettings, gain: float) -> bool:
        """Take up a trial of another run's search.

        Returns:
            Whether this space could have drawn it.
        """
        try:
            optuna.create_trial(params=settings, distributions=self._distributions, value=gain)
        except ValueError:
            return False
        self._others.setdefault(run, []).append((settings, gain))
        return True

    def draw(self) -> TrialSettings | None:
        """Draw new settings; None when all have been drawn."""
        if self._waiting:
            return self._waiting.pop(0)
        if self.kind == "grid":
            return self._note(next(self._left_over(), None))
        study = self.study()
        # A new one for each draw: its state then depends on the number of draws alone.
        study.sampler = self._sampler_after(self.draws)
        for _ in range(_DRAWS):
            trial = study.ask(self._distributions)
            if digest_of(trial.params) not in self._drawn:
                return self._note(dict(trial.params))
            # A repetition, of which the sampler learns nothing.
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        left = list(self._left_over())
        # Seeded as the sampler is, so that a resumed search draws the same.
        return self._note(random.Random(f"{self.seed} {self.draws}").choice(left) if left else None)

    def learn(self, settings: TrialSettings, gain: float | None, *, failed: bool = False) -> None:
        """Take up how a trial that was drawn has ended.

        Args:
            settings: of the trial.
            gain: its best score, higher for a better one; None where it has none.
            failed: whether that says nothing of its settings.
        """
        if gain is not None or not failed:
            self._gains[digest_of(settings)] = gain

    def study(self) -> optuna.Study:
        """Build what the sampler of Optuna draws from: this search's results and those of others.

        Scores of other data or another base say nothing beside those of this search: of each run
        only the distance to the median of its scores counts.
        """
        gains = self._gains
        own = [(settings, gains[name]) for name, settings in self._drawn.items() if name in gains]
        found = [pair for run in [*self._others.values(), own] for pair in _from_median(run)]
        # Without a score Optuna would forget the trial, and draw near its settings again.
        worst = min((value for _, value in found if value is not None), default=0.0) - 1.0
        study = optuna.create_study(direction="maximize")
        for settings, value in found:
            study.add_trial(
                optuna.create_trial(
                    params=settings,
                    distributions=self._distributions,
                    value=worst if value is None else value,
                )
            )
        return study

    def _note(self, settings: TrialSettings | None) -> TrialSettings | None:
        if settings is not None:
            self._drawn[digest_of(settings)] = settings
        return settings

    def _sampler_after(self, number: int) -> optuna.samplers.BaseSampler:
        """Make a sampler that has drawn so often, whichever call of the search drew."""
        if self.kind == "random":
            sampler = optuna.samplers.RandomSampler(seed=self.seed)
        else:
            sampler = optuna.samplers.TPESampler(seed=self.seed, n_startup_trials=_AT_RANDOM)
        other = optuna.create_study(sampler=sampler)
        # Failed trials leave no trace in the model, but each takes its random numbers.
        for _ in range(number):
            other.tell(other.ask(self._distributions), state=optuna.trial.TrialState.FAIL)
        return sampler

    def _left_over(self) -> Iterator[TrialSettings]:
        """List the combinations that have not been drawn yet."""
        # A range has endlessly many values, so a space with one is never used up.
        if combinations(self.space) is None:
            return
        keys, values = list(self.space), [_choices(each) for each in self.space.values()]
        for chosen in itertools.product(*values):
            point = dict(zip(keys, chosen, strict=True))
            if digest_of(point) not in self._drawn:
                yield point


def _from_median(
    found: Sequence[tuple[TrialSettings, float | None]],
) -> list[tuple[TrialSettings, float | None]]:
    """Replace each score by its distance to the median of all."""
    gains = [gain for _, gain in found if gain is not None]
    middle = statistics.median(gains) if gains else 0.0
    return [(settings, None if gain is None else gain - middle) for settings, gain in found]


def combinations(space: SearchSpace) -> int | None:
    """Count the different settings of a space; None where a range has endlessly many."""
    if not all(isinstance(searched, Choice) for searched in space.values()):
        return None
    return math.prod(len(_choices(searched)) for searched in space.values())


def _choices(searched: SearchRange) -> list[Setting]:
    return list(dict.fromkeys(searched.values)) if isinstance(searched, Choice) else []


def _distribution(searched: SearchRange) -> BaseDistribution:
    if isinstance(searched, Choice):
        return CategoricalDistribution(_choices(searched))
    return FloatDistribution(searched.low, searched.high, log=searched.type == "loguniform")
