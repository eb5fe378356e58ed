"""How a search draws settings and which trials it cuts short."""

from collections.abc import Iterable
from typing import Any

import optuna
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from nmt.config import Choice, Config, SearchRange, digest_of
from ray_jobs.trials import TrialLog

_DRAWS = 100


class DistinctSearch(OptunaSearch):
    """Optuna's sampler without repetitions: the same settings would be the same training."""

    def __init__(self, known: Iterable[dict[str, Any]], **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self._known = {digest_of(config) for config in known}

    def suggest(self, trial_id: str) -> Any:  # noqa: ANN401 - settings, or Ray's word for the end
        """New settings; the end of the search when nothing new is drawn any more."""
        for _ in range(_DRAWS):
            drawn = super().suggest(trial_id)
            if drawn is None or digest_of(drawn) not in self._known:
                self._known.add(digest_of(drawn))
                return drawn
            super().on_trial_complete(trial_id)
            # Let the same trial draw again.
            self._completed_trials.discard(trial_id)
            del self._ot_trials[trial_id]
        return Searcher.FINISHED


def build_search(config: Config, trials: TrialLog) -> DistinctSearch:
    """Optuna's sampler, told of the trials that ended; interrupted ones are tried first."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {key: _domain(searched) for key, searched in config.search_space.items()}
    ended, begun = trials.ended(), trials.begun()
    search = DistinctSearch(
        known=[entry["config"] for entry in ended],
        space=space,
        metric="bleu",
        mode="max",
        points_to_evaluate=[entry["config"] for entry in begun] or None,
        # A sampler of the same seed would propose again what was already tried.
        seed=config.seed + len(ended) + len(begun),
    )
    for entry in ended:
        if entry["bleu"] is not None:
            search.add_evaluated_point(entry["config"], entry["bleu"])
    return search


def build_scheduler(config: Config) -> ASHAScheduler:
    """Stops trials that fall behind at steps grace, grace * factor, and so on."""
    return ASHAScheduler(
        time_attr="step",
        max_t=config.tune.max_steps + 1,  # the trial ends by itself, with a checkpoint
        grace_period=config.tune.grace_steps,
        reduction_factor=config.tune.reduction_factor,
    )


def _domain(searched: SearchRange) -> Any:  # noqa: ANN401 - Ray's domains have no common type
    if isinstance(searched, Choice):
        return tune.choice(list(searched.values))
    if searched.type == "uniform":
        return tune.uniform(searched.low, searched.high)
    return tune.loguniform(searched.low, searched.high)
