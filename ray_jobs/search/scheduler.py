"""Which trials a search cuts short: those that are weak at a rung among the trials of their method.

What earlier calls reached is put back into the rungs, so that a killed search cuts the same trials.
"""

from dataclasses import dataclass
from typing import Any

from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler
from typing_extensions import override

from nmt.config import Config, digest_of
from nmt.runs.trials import UNFINISHED, Trial
from ray_jobs.search.methods import OBJECTIVE, method_of, objective_of
from ray_jobs.search.trials import TrialLog


@dataclass(frozen=True, slots=True)
class _Known:
    """As much of Ray's trial as ASHA looks at; the settings stand for it in every call."""

    trial_id: str


class MethodScheduler(FIFOScheduler):
    """One ASHA for each method: full fine-tuning learns in other steps than an adapter."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config
        self._rungs = {
            method: ASHAScheduler(
                time_attr="step",
                metric=OBJECTIVE,
                mode="max",
                max_t=config.tune.max_steps + 1,  # the trial ends by itself, with a checkpoint
                grace_period=config.tune.grace_steps,
                reduction_factor=config.tune.reduction_factor,
            )
            for method in config.search_spaces
        }

    def remember(self, trial: Trial) -> None:
        """Put into the rungs what a trial reached in an earlier call.

        Of one that has not ended, scores after which the search has not let it go on are left out:
        it tells them again, and may have been killed before it was cut there.
        """
        rungs, known = self._of(trial.config)
        has_ended = trial.state in ("finished", "pruned")
        curve = trial.curve
        if trial.state in UNFINISHED:
            passed = trial.passed_step
            curve = curve[:-1] if passed is None else [p for p in curve if p.step <= passed]
        points = [objective_of(trial.metric, point.model_dump()) for point in curve]
        rungs.on_trial_add(None, known)  # pyright: ignore[reportArgumentType]
        for point in points:
            rungs.on_trial_result(None, known, point)  # pyright: ignore[reportArgumentType]
        if has_ended and points:
            rungs.on_trial_complete(None, known, points[-1])  # pyright: ignore[reportArgumentType]

    def _of(self, settings: Any) -> tuple[ASHAScheduler, Any]:  # noqa: ANN401
        """Return the rungs of a trial's method, and what stands for the trial there."""
        return self._rungs[method_of(self._config, settings)], _Known(digest_of(settings))

    @override
    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Give a trial its rungs."""
        rungs, known = self._of(trial.config)
        rungs.on_trial_add(tune_controller, known)

    @override
    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Decide whether a trial goes on; at a rung it has passed in an earlier call, it does."""
        rungs, known = self._of(trial.config)
        return rungs.on_trial_result(tune_controller, known, result)

    @override
    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Drop a trial, and keep its scores in the rungs."""
        rungs, known = self._of(trial.config)
        rungs.on_trial_complete(tune_controller, known, result)

    @override
    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """Drop a trial, and keep its scores in the rungs."""
        rungs, known = self._of(trial.config)
        rungs.on_trial_remove(tune_controller, known)


def build_scheduler(config: Config, trials: TrialLog) -> TrialScheduler:
    """Build what stops weak trials at steps grace, grace * factor, and so on, or none at all."""
    if config.tune.scheduler == "none":
        return FIFOScheduler()
    scheduler = MethodScheduler(config)
    for trial in trials.in_order():
        scheduler.remember(trial)
    return scheduler
