"""How a search draws settings and which trials it cuts short; both from what the trials recorded.

So a search that was killed goes on as if it had not been: each draw depends on the seed, the number
of trials so far and their scores alone, and what earlier trials reached stands in ASHA's rungs.
"""

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch
from typing_extensions import override

from nmt.config import Choice, Config, SearchRange, digest_of
from nmt.runs.trials import Setting, Trial, TrialSettings
from ray_jobs.search.trials import TrialLog

# So often, Optuna draws before the combinations that are left are listed: its draws are the better
# ones, and a space with a range cannot be listed.
_DRAWS = 100
_WORST_BLEU = 0.0
_GIVEN_UP = ("diverged", "refused", "abandoned")


class DistinctSearch(OptunaSearch):
    """Optuna's sampler without repetitions: the same settings would be the same training."""

    def __init__(
        self, space: Mapping[str, SearchRange], seed: int, ended: Sequence[Trial],
        begun: Sequence[Trial],
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            space: what is searched.
            seed: of the draws.
            ended: earlier trials, which the sampler is told of, in the order of their draws.
            begun: earlier trials that are drawn again first.
        """
        self._distributions = self.convert_search_space(
            {key: _domain(searched) for key, searched in space.items()}
        )
        super().__init__(
            space=self._distributions,
            metric="bleu",
            mode="max",
        )
        self._searched, self._first_seed = space, seed
        self._known = {digest_of(trial.config) for trial in ended}
        self._best: dict[str, float] = {}
        for trial in ended:
            if trial.bleu is not None:
                self.add_evaluated_point(trial.config, trial.bleu)
            elif trial.state != "abandoned":  # which says nothing of its settings
                self.add_evaluated_point(trial.config, _WORST_BLEU)
        # After the others, because the sampler looks at the order of its trials.
        for trial in begun:
            self._study.enqueue_trial(trial.config)

    @override
    def suggest(self, trial_id: str) -> Any:
        """Draw new settings, or end the search when all have been drawn."""
        number = len(self._known)
        # A new one for each draw: its state then depends on the number of draws alone.
        self._study.sampler = self._sampler_after(number)
        for _ in range(_DRAWS):
            drawn = super().suggest(trial_id) or {}
            if digest_of(drawn) not in self._known:
                self._known.add(digest_of(drawn))
                return drawn
            self._withdraw(trial_id)
        left = self._left_over()
        if not left:
            return Searcher.FINISHED
        # Seeded as the sampler is, so that a resumed search draws the same.
        drawn = random.Random(f"{self._first_seed} {number}").choice(left)
        self._study.enqueue_trial(drawn)
        self._known.add(digest_of(drawn))
        return super().suggest(trial_id)

    @override
    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Remember the best score of a trial."""
        super().on_trial_result(trial_id, result)
        self._best[trial_id] = max(result["bleu"], self._best.get(trial_id, _WORST_BLEU))

    @override
    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the sampler the best score, as a resumed search does; 0 where there is none."""
        if result and "bleu" in result:
            best = max(result["bleu"], self._best.get(trial_id, _WORST_BLEU))
            # Without a score Optuna would forget the trial, and draw near its settings again.
            result = {**result, "bleu": _WORST_BLEU if "ended" in result else best}
        super().on_trial_complete(trial_id, result, error)

    @property
    def _study(self) -> optuna.Study:
        study = self._ot_study
        assert study is not None  # noqa: S101 - there is a space
        return study

    def _sampler_after(self, number: int) -> optuna.samplers.BaseSampler:
        """Make a sampler that has drawn so often, whichever call of the search drew."""
        sampler = optuna.samplers.TPESampler(seed=self._first_seed)
        other = optuna.create_study(sampler=sampler)
        # Failed trials leave no trace in the model, but each takes its random numbers.
        for _ in range(number):
            other.tell(other.ask(self._distributions), state=optuna.trial.TrialState.FAIL)
        return sampler

    def _withdraw(self, trial_id: str) -> None:
        """Take back a repetition, of which the sampler learns nothing, and let the trial draw."""
        super().on_trial_complete(trial_id, error=True)
        self._completed_trials.discard(trial_id)
        del self._ot_trials[trial_id]

    def _left_over(self) -> list[TrialSettings]:
        """List the combinations that the sampler has not drawn yet."""
        # A range has endlessly many values, so a space with one is never used up.
        if combinations(self._searched) is None:
            return []
        keys, values = list(self._searched), [_choices(each) for each in self._searched.values()]
        points = (dict(zip(keys, chosen, strict=True)) for chosen in itertools.product(*values))
        return [point for point in points if digest_of(point) not in self._known]


def combinations(space: Mapping[str, SearchRange]) -> int | None:
    """Count the different settings of a space; None where a range has endlessly many."""
    if not all(isinstance(searched, Choice) for searched in space.values()):
        return None
    return math.prod(len(_choices(searched)) for searched in space.values())


class RememberingScheduler(ASHAScheduler):
    """ASHA that knows trials by their settings, so also those that an earlier call has made."""

    def remember(self, trial: Trial) -> None:
        """Put into the rungs what a trial reached in an earlier call.

        The last score of one that has not ended is left out: it tells it again when it goes on,
        and may have been killed before it was cut there.
        """
        stand_in = _Known(digest_of(trial.config))
        has_ended = trial.state in ("finished", "pruned")
        points = [point.model_dump() for point in trial.curve]
        self.on_trial_add(None, stand_in)
        for point in points if has_ended or trial.state in _GIVEN_UP else points[:-1]:
            self.on_trial_result(None, stand_in, point)
        if has_ended and points:
            self.on_trial_complete(None, stand_in, points[-1])

    @override
    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Give a trial its bracket."""
        super().on_trial_add(tune_controller, _known(trial))

    @override
    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Decide whether a trial goes on; at a rung it has passed in an earlier call, it does."""
        return super().on_trial_result(tune_controller, _known(trial), result)

    @override
    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Drop a trial, and keep its scores in the rungs."""
        super().on_trial_complete(tune_controller, _known(trial), result)

    @override
    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """Drop a trial, and keep its scores in the rungs."""
        super().on_trial_remove(tune_controller, _known(trial))


@dataclass(frozen=True, slots=True)
class _Known:
    """As much of Ray's trial as ASHA looks at."""

    trial_id: str


def _known(trial: Any) -> Any:  # noqa: ANN401 - Ray's trial, or a stand-in
    return trial if isinstance(trial, _Known) else _Known(digest_of(trial.config))


def build_search(config: Config, trials: TrialLog) -> DistinctSearch:
    """Build Optuna's sampler with the results so far; interrupted trials are drawn first."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return DistinctSearch(config.search_space, config.seed, trials.ended(), trials.begun())


def build_scheduler(config: Config, trials: TrialLog) -> RememberingScheduler:
    """Build the scheduler that stops weak trials at steps grace, grace * factor, and so on."""
    scheduler = RememberingScheduler(
        time_attr="step",
        metric="bleu",
        mode="max",
        max_t=config.tune.max_steps + 1,  # the trial ends by itself, with a checkpoint
        grace_period=config.tune.grace_steps,
        reduction_factor=config.tune.reduction_factor,
    )
    for trial in trials.in_order():
        scheduler.remember(trial)
    return scheduler


def _choices(searched: SearchRange) -> list[Setting]:
    return list(dict.fromkeys(searched.values)) if isinstance(searched, Choice) else []


def _domain(searched: SearchRange) -> Any:  # noqa: ANN401 - Ray's domains have no common type
    if isinstance(searched, Choice):
        return tune.choice(_choices(searched))
    if searched.type == "uniform":
        return tune.uniform(searched.low, searched.high)
    return tune.loguniform(searched.low, searched.high)
