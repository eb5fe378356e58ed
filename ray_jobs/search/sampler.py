"""How the settings of one method are drawn, from what its trials have scored.

A search that was killed goes on as if it had not been: each draw depends on the seed, the number of
trials so far and their scores alone.
"""

import itertools
import math
import random
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
from nmt.runs.validation_scores import worst_gain

# So often, Optuna draws before the combinations that are left are listed: its draws are the better
# ones, and a space with a range cannot be listed.
_DRAWS = 100
_SAYS_NOTHING = ("failed", "abandoned")
"""States of trials that say nothing of their settings unless they have a score."""


@dataclass
class MethodSampler:
    """The sampler of one method, which draws no settings twice: they would be the same training."""

    space: SearchSpace
    seed: int
    kind: str
    """A value of `tune.sampler`."""
    metric: str
    """A value of `training.validation_metric`."""
    _known: set[str] = field(default_factory=set)
    _drawn: dict[str, optuna.Trial] = field(default_factory=dict)
    _waiting: list[TrialSettings] = field(default_factory=list)

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = {key: _distribution(each) for key, each in self.space.items()}
        self._study = optuna.create_study(direction="maximize")

    @property
    def draws(self) -> int:
        """Return how many settings have been drawn, those of earlier calls included."""
        return len(self._known)

    @property
    def has_begun(self) -> bool:
        """Tell whether a trial of an earlier call is to be continued."""
        return bool(self._waiting)

    def remember(self, ended: Sequence[Trial], begun: Sequence[Trial]) -> None:
        """Take up the trials of earlier calls.

        Args:
            ended: those that are over, in the order of their draws.
            begun: those that are drawn again first.
        """
        for trial in ended:
            self._known.add(digest_of(trial.config))
            if trial.gain is not None or trial.state not in _SAYS_NOTHING:
                self._add(trial.config, trial.gain)
        # After the others, because the sampler looks at the order of its trials.
        self._waiting = [trial.config for trial in begun]

    def learn_from(self, settings: TrialSettings, gain: float) -> bool:
        """Take up a trial of another search; return whether this space could have drawn it."""
        try:
            self._add(settings, gain)
        except ValueError:
            return False
        return True

    def draw(self) -> TrialSettings | None:
        """Draw new settings; None when all have been drawn."""
        if self._waiting:
            return self._ask(self._waiting.pop(0))
        if self.kind == "grid":
            return self._ask(next(self._left_over(), None))
        # A new one for each draw: its state then depends on the number of draws alone.
        self._study.sampler = self._sampler_after(self.draws)
        for _ in range(_DRAWS):
            trial = self._study.ask(self._distributions)
            if digest_of(trial.params) not in self._known:
                return self._note(trial)
            # A repetition, of which the sampler learns nothing.
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        left = list(self._left_over())
        # Seeded as the sampler is, so that a resumed search draws the same.
        chosen = random.Random(f"{self.seed} {self.draws}").choice(left) if left else None
        return self._ask(chosen)

    def learn(self, settings: TrialSettings, gain: float | None, *, failed: bool = False) -> None:
        """Tell the sampler how a trial that it drew has ended.

        Args:
            settings: of the trial.
            gain: its best score, higher for a better one; None where it has none.
            failed: whether that says nothing of its settings.
        """
        trial = self._drawn.pop(digest_of(settings), None)
        if trial is None:
            return
        if gain is None and failed:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        # Without a score Optuna would forget the trial, and draw near its settings again.
        self._study.tell(trial, worst_gain(self.metric) if gain is None else gain)

    def _add(self, settings: TrialSettings, gain: float | None) -> None:
        """Add an ended trial to the study.

        Raises:
            ValueError: the space has no such settings.
        """
        value = worst_gain(self.metric) if gain is None else gain
        made = optuna.create_trial(
            params=dict(settings), distributions=self._distributions, value=value
        )
        self._study.add_trial(made)

    def _ask(self, settings: TrialSettings | None) -> TrialSettings | None:
        """Let Optuna draw given settings."""
        if settings is None:
            return None
        self._study.enqueue_trial(settings)
        return self._note(self._study.ask(self._distributions))

    def _note(self, trial: optuna.Trial) -> TrialSettings:
        settings: TrialSettings = dict(trial.params)
        self._known.add(digest_of(settings))
        self._drawn[digest_of(settings)] = trial
        return settings

    def _sampler_after(self, number: int) -> optuna.samplers.BaseSampler:
        """Make a sampler that has drawn so often, whichever call of the search drew."""
        kinds = {"random": optuna.samplers.RandomSampler}
        sampler = kinds.get(self.kind, optuna.samplers.TPESampler)(seed=self.seed)
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
            if digest_of(point) not in self._known:
                yield point


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
