"""How trials are dealt to the methods that a search compares, so that none starves another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ray.tune.search import Searcher
from typing_extensions import override

from nmt.config import Config
from nmt.runs.tuning import TrialSettings
from nmt.runs.validation_scores import gain_of, score_of
from nmt.storage import Storage
from ray_jobs.search.sampler import MethodSampler
from ray_jobs.search.trials import TrialLog
from ray_jobs.search.warm_start import learn_from_others

OBJECTIVE = "gain"
"""Name of what Tune's scheduler compares: the score as a number that is higher for a better one."""


def objective_of(metric: str, point: Mapping[str, float]) -> dict[str, float]:
    """Return a validation as a trial reports it to Tune."""
    return {**point, OBJECTIVE: gain_of(metric, score_of(point))}


def method_of(config: Config, settings: Mapping[str, Any]) -> str:
    """Return the method of a trial."""
    return str(settings.get("adapter.type", config.adapter.type))


class RecordedSearch(Searcher):
    """A search whose state is what its trials recorded, not what Tune would pickle."""

    def __init__(self) -> None:
        super().__init__(metric=OBJECTIVE, mode="max")
        self._over = False

    def finish(self) -> None:
        """Draw nothing more."""
        self._over = True

    @override
    def save(self, checkpoint_path: str) -> None:
        """Keep nothing."""

    @override
    def restore(self, checkpoint_path: str) -> None:
        """Take up nothing."""

    @override
    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Keep nothing."""


class GivenTrials(RecordedSearch):
    """Makes trials that are known before the first begins."""

    def __init__(self, settings: Sequence[TrialSettings]) -> None:
        super().__init__()
        self._left = list(settings)

    @override
    def suggest(self, trial_id: str) -> Any:
        """Give the next settings, or end the search when there are no more."""
        return Searcher.FINISHED if self._over or not self._left else dict(self._left.pop(0))

    @override
    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Keep nothing."""


class MethodSearch(RecordedSearch):
    """Draws from the sampler of each method in turn."""

    def __init__(
        self,
        samplers: Mapping[str, MethodSampler],
        note_draw: Callable[[TrialSettings], object] = lambda settings: None,
    ) -> None:
        """Prepare.

        Args:
            samplers: method -> its sampler.
            note_draw: receives the settings that are drawn, in their order.
        """
        super().__init__()
        self._samplers, self._note_draw = samplers, note_draw
        self._trials: dict[str, tuple[MethodSampler, TrialSettings]] = {}
        self._best: dict[str, float] = {}

    @override
    def suggest(self, trial_id: str) -> Any:
        """Draw new settings, or end the search when all have been drawn."""
        # What was begun comes first; then the method with the fewest trials, so that one whose
        # trials are short does not get more of them.
        turns = sorted(self._samplers.values(), key=lambda each: (not each.has_begun, each.draws))
        for sampler in () if self._over else turns:
            settings = sampler.draw()
            if settings is not None:
                self._note_draw(settings)
                self._trials[trial_id] = sampler, settings
                return dict(settings)
        return Searcher.FINISHED

    @override
    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Remember the best score of a trial."""
        if OBJECTIVE in result:
            before = self._best.get(trial_id, result[OBJECTIVE])
            self._best[trial_id] = max(before, result[OBJECTIVE])

    @override
    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the sampler the best score, as a resumed search does."""
        sampler, settings = self._trials.pop(trial_id, (None, {}))
        if sampler is None:
            return
        if result:
            self.on_trial_result(trial_id, result)
        gain = self._best.pop(trial_id, None)
        # What a trial scored before it diverged is no reason to train with its settings.
        sampler.learn(settings, None if result and "ended" in result else gain, failed=error)


def build_search(config: Config, trials: TrialLog, storage: Storage) -> MethodSearch:
    """Build the samplers with the results so far; interrupted trials are drawn first.

    Raises:
        ConfigError: `tune.warm_start` names a run without a search.
    """
    samplers = _samplers(config, storage)
    ended, begun = trials.ended(), trials.begun()
    for method, sampler in samplers.items():
        sampler.remember(
            *(
                [trial for trial in listed if method_of(config, trial.config) == method]
                for listed in (ended, begun)
            )
        )
    return MethodSearch(samplers, trials.note_draw)


def draw_population(config: Config, storage: Storage) -> list[TrialSettings]:
    """Draw the first settings of a population, in the same way whatever has been trained of it.

    Raises:
        ConfigError: `tune.warm_start` names a run without a search.
    """
    search, drawn = MethodSearch(_samplers(config, storage)), list[TrialSettings]()
    for number in range(config.tune.trials):
        settings = search.suggest(str(number))
        if settings == Searcher.FINISHED:
            break
        drawn.append(settings)
    return drawn


def _samplers(config: Config, storage: Storage) -> dict[str, MethodSampler]:
    """Build the sampler of each method, which has learned from the runs of `tune.warm_start`."""
    samplers = {
        method: MethodSampler(space, config.seed, config.tune.sampler)
        for method, space in config.search_spaces.items()
    }
    learn_from_others(config, storage, samplers)
    return samplers
